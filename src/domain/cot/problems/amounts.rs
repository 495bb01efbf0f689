//! Problems about how many there are: more and fewer, groups, shares, remainders, comparisons.

use super::Story;
use super::kit::{Kit, Thing};
use super::work::Work;

/// Some come, some go.
pub(super) fn changes(kit: &mut Kit<'_>) -> Story {
    let (who, other, Thing { many, .. }) = (kit.person(), kit.person(), kit.thing());
    let mut work = Work::default();
    let start = kit.between(25, 120);
    let mut facts = vec![kit.say(
        &[
            "{who} has {n} {many}.",
            "{who} starts with {n} {many}.",
            "There are {n} {many} in a box that belongs to {who}.",
            "{who} owns {n} {many}.",
        ],
        &[("who", &who), ("n", &start), ("many", &many)],
    )];
    let mut now = start.into();
    let mut least = start;
    for _ in 0..kit.between(2, 4) {
        let comes = least < 15 || kit.between(0, 1) == 0;
        let n = if comes { kit.between(3, 60) } else { kit.between(2, least - 5) };
        let wordings: &[&'static str] = if comes {
            &[
                "{other} brings {n} more.",
                "Then {who} finds {n} more.",
                "{who} buys another {n}.",
                "A parcel with {n} {many} arrives.",
                "Later {n} more are added.",
            ]
        } else {
            &[
                "{who} gives {n} of them to {other}.",
                "Then {n} of them break.",
                "{who} loses {n}.",
                "{who} sells {n} {many}.",
                "Later {n} are taken away.",
            ]
        };
        facts.push(kit.say(wordings, &[("who", &who), ("other", &other), ("n", &n), ("many", &many)]));
        now = if comes { work.plus(now, n) } else { work.minus(now, n) };
        least = if comes { least + n } else { least - n };
    }
    let question = kit.say(
        &[
            "How many {many} does {who} have in the end?",
            "How many {many} are there at the end?",
            "With how many {many} does {who} end up?",
        ],
        &[("who", &who), ("many", &many)],
    );
    Story::told(facts, question, work)
}

/// Boxes of the same size, some of their content gone, some loose.
pub(super) fn boxes(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { one, many }, place) = (kit.person(), kit.thing(), kit.place());
    let boxes = kit.between(3, 15);
    let each = kit.between(4, 24);
    let gone = kit.between(2, boxes * each / 2);
    let loose = kit.between(2, 30);
    let kind = kit.one_of(&["boxes", "crates", "bags", "drawers", "trays"]);
    let mut work = Work::default();
    let packed = work.times(boxes, each);
    let left = work.minus(packed, gone);
    let facts = vec![
        kit.say(
            &[
                "{place_up} {who} fills {boxes} {kind} with {each} {many} each.",
                "{who} keeps {boxes} {kind} {place}; every one of them holds {each} {many}.",
                "There are {boxes} {kind} {place}, and {each} {many} in each of them.",
            ],
            &[
                ("place_up", &capitalised(place)),
                ("place", &place),
                ("who", &who),
                ("boxes", &boxes),
                ("kind", &kind),
                ("each", &each),
                ("many", &many),
            ],
        ),
        kit.say(
            &[
                "{gone} {many} are sold during the day.",
                "Of all these, {gone} turn out to be damaged and are thrown away.",
                "{who} hands out {gone} of them.",
            ],
            &[("who", &who), ("gone", &gone), ("many", &many)],
        ),
    ];
    if kit.between(0, 1) == 0 {
        let question = kit.say(&["How many {many} are left?", "How many {many} remain?"], &[("many", &many)]);
        return Story::told(facts, question, work);
    }
    work.plus(left, loose);
    let more = kit.say(
        &["Another {loose} {many} lie loose on a shelf.", "On a table there are {loose} further {many}."],
        &[("loose", &loose), ("many", &many)],
    );
    let question = kit.say(
        &["If every {one} that is left is counted, how many are there?", "How many {many} are there now, with the loose ones?"],
        &[("one", &one), ("many", &many)],
    );
    Story::told([facts, vec![more]].concat(), question, work)
}

pub(super) fn capitalised(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// What two people bring is shared equally.
pub(super) fn sharing(kit: &mut Kit<'_>) -> Story {
    let (a, b, Thing { many, .. }) = (kit.person(), kit.person(), kit.thing());
    let friends = kit.between(3, 9);
    let share = kit.between(4, 25);
    let kept = kit.between(2, 20);
    let all = friends * share;
    let first = kit.between(1, all - 1);
    let mut work = Work::default();
    let together = work.plus(first + kept, all - first);
    let shared = work.minus(together, kept);
    work.over(shared, friends);
    let facts = vec![
        kit.say(
            &[
                "{a} has {x} {many} and {b} has {y}.",
                "{a} brings {x} {many}, {b} brings {y}.",
                "{x} {many} belong to {a} and {y} to {b}.",
            ],
            &[("a", &a), ("b", &b), ("x", &(first + kept)), ("y", &(all - first)), ("many", &many)],
        ),
        kit.say(
            &[
                "They put them together, keep {kept} for later and share the rest equally among {friends} children.",
                "They lay {kept} of them aside. All the others are divided equally among {friends} people.",
            ],
            &[("kept", &kept), ("friends", &friends)],
        ),
    ];
    let question =
        kit.say(&["How many {many} does each one get?", "How many {many} does each of them receive?"], &[("many", &many)]);
    Story::told(facts, question, work)
}

/// Two lots that are packed, without what does not fill a bag.
fn lots(kit: &mut Kit<'_>, many: &str, each: i64, total: i64) -> (Vec<String>, [i64; 2]) {
    let (a, b) = (kit.person(), kit.person());
    let first = kit.between(5, total - 5);
    let lots = [first, total - first];
    let facts = vec![
        kit.say(
            &[
                "{a} made {x} {many} in the morning and {y} in the afternoon.",
                "{a} counts {x} {many}, and {b} counts {y} others.",
                "On Monday {x} {many} came in, on Tuesday {y}.",
            ],
            &[("a", &a), ("b", &b), ("x", &lots[0]), ("y", &lots[1]), ("many", &many)],
        ),
        kit.say(
            &["They are packed in bags of {each}.", "A bag holds {each} {many}.", "All of them go into bags, {each} to a bag."],
            &[("each", &each), ("many", &many)],
        ),
    ];
    (facts, lots)
}

/// What does not fill a bag.
pub(super) fn left_over(kit: &mut Kit<'_>) -> Story {
    let Thing { many, .. } = kit.thing();
    let each = kit.between(4, 16);
    let total = each * kit.between(4, 20) + kit.between(1, each - 1);
    let (facts, [x, y]) = lots(kit, many, each, total);
    let mut work = Work::default();
    let all = work.plus(x, y);
    work.remainder(all, each);
    let question = kit.say(
        &[
            "When no further bag can be filled, how many {many} are left over?",
            "How many {many} remain after as many full bags as possible?",
        ],
        &[("many", &many)],
    );
    Story::told(facts, question, work)
}

/// How many bags are filled.
pub(super) fn enough_bags(kit: &mut Kit<'_>) -> Story {
    let Thing { many, .. } = kit.thing();
    let each = kit.between(4, 16);
    let total = each * kit.between(4, 20) + kit.between(1, each - 1);
    let (facts, [x, y]) = lots(kit, many, each, total);
    let mut work = Work::default();
    let all = work.plus(x, y);
    let rest = work.remainder(all, each);
    let packed = work.minus(all, rest);
    let full = work.over(packed, each);
    if kit.between(0, 1) == 0 {
        let question = kit.say(&["How many bags can be filled to the top?", "How many full bags does that make?"], &[]);
        return Story::told(facts, question, work);
    }
    work.plus(full, 1);
    let question = kit.say(
        &[
            "How many bags are needed so that every one of the {many} is in a bag?",
            "What is the smallest number of bags that holds all the {many}?",
        ],
        &[("many", &many)],
    );
    Story::told(facts, question, work)
}

/// One has more than another, a third a multiple.
pub(super) fn more_than(kit: &mut Kit<'_>) -> Story {
    let (a, b, c, Thing { many, .. }) = (kit.person(), kit.person(), kit.person(), kit.thing());
    let n = kit.between(8, 60);
    let more = kit.between(3, 40);
    let fewer = kit.between(2, n - 4);
    let factor = kit.between(3, 6);
    let mut work = Work::default();
    let up = kit.between(0, 1) == 0;
    let second = if up { work.plus(n, more) } else { work.minus(n, fewer) };
    let third = work.times(second, factor);
    let difference = if up { more } else { fewer };
    let compared: &[&'static str] = if up {
        &["{b} has {d} more than {a}.", "{b} has {d} {many} more than {a} has."]
    } else {
        &["{b} has {d} fewer than {a}.", "{b} has {d} {many} less than {a} has."]
    };
    let facts = vec![
        kit.say(&["{a} has {n} {many}.", "{a} collected {n} {many}."], &[("a", &a), ("n", &n), ("many", &many)]),
        kit.say(compared, &[("a", &a), ("b", &b), ("d", &difference), ("many", &many)]),
        kit.say(
            &["{c} has {factor} times as many as {b}.", "The number that {c} has is {factor} times that of {b}."],
            &[("b", &b), ("c", &c), ("factor", &factor)],
        ),
    ];
    let marks: [(&'static str, &dyn std::fmt::Display); 4] = [("a", &a), ("b", &b), ("c", &c), ("many", &many)];
    if kit.between(0, 1) == 0 {
        let question = kit.say(&["How many {many} does {c} have?"], &marks);
        return Story::known(facts, question, work);
    }
    work.sum(&[n.into(), second, third]);
    let question =
        kit.say(&["How many {many} do {a}, {b} and {c} have together?", "How many {many} do the three have in all?"], &marks);
    Story::known(facts, question, work)
}

/// A sum and a difference are known.
pub(super) fn sum_and_difference(kit: &mut Kit<'_>) -> Story {
    let (a, b, Thing { many, .. }) = (kit.person(), kit.person(), kit.thing());
    let smaller = kit.between(6, 80);
    let difference = kit.between(2, 40);
    let total = 2 * smaller + difference;
    let mut work = Work::default();
    let twice = work.minus(total, difference);
    let one = work.over(twice, 2);
    let facts = vec![
        kit.say(
            &["Together {a} and {b} have {total} {many}.", "{a} and {b} own {total} {many} between them."],
            &[("a", &a), ("b", &b), ("total", &total), ("many", &many)],
        ),
        kit.say(&["{a} has {d} more than {b}.", "{b} has {d} fewer than {a}."], &[("a", &a), ("b", &b), ("d", &difference)]),
    ];
    let asked = if kit.between(0, 1) == 0 {
        b
    } else {
        work.plus(one, difference);
        a
    };
    let question = kit.say(
        &["How many {many} does {asked} have?", "How many of the {many} are those of {asked}?"],
        &[("asked", &asked), ("many", &many)],
    );
    Story::known(facts, question, work)
}

/// Rows of seats, some of them taken.
pub(super) fn rows(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let rows = kit.between(6, 30);
    let seats = kit.between(8, 32);
    let taken = kit.between(10, rows * seats / 2);
    let late = kit.between(2, rows * seats / 4);
    let mut work = Work::default();
    let all = work.times(rows, seats);
    let free = work.minus(all, taken);
    work.minus(free, late);
    let room = kit.one_of(&["hall", "cinema", "theatre", "stadium block", "lecture room"]);
    let facts = vec![
        kit.say(
            &[
                "A {room} has {rows} rows of {seats} seats.",
                "In a {room} there are {rows} rows with {seats} seats each.",
                "{who} puts up chairs in a {room}: {rows} rows, {seats} chairs to a row.",
            ],
            &[("who", &who), ("room", &room), ("rows", &rows), ("seats", &seats)],
        ),
        kit.say(
            &[
                "{taken} visitors sit down at once, and {late} come late.",
                "{taken} places are reserved and {late} more are sold at the door.",
            ],
            &[("taken", &taken), ("late", &late)],
        ),
    ];
    let question =
        kit.say(&["How many places stay empty?", "How many seats are not used?", "How many places are still free?"], &[]);
    Story::known(facts, question, work)
}

/// Each day more than the day before.
pub(super) fn series(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let first = kit.between(4, 40);
    let more = kit.between(2, 15);
    let mut work = Work::default();
    let second = work.plus(first, more);
    let third = work.plus(second, more);
    let facts = vec![
        kit.say(
            &["On Monday {who} makes {first} {many}.", "{who} sells {first} {many} on Monday."],
            &[("who", &who), ("first", &first), ("many", &many)],
        ),
        kit.say(
            &[
                "On Tuesday and on Wednesday it is {more} more than on the day before.",
                "On each of the two following days the number grows by {more}.",
            ],
            &[("more", &more)],
        ),
    ];
    if kit.between(0, 2) == 0 {
        let question =
            kit.say(&["How many {many} is that on Wednesday?", "What is Wednesday's number of {many}?"], &[("many", &many)]);
        return Story::told(facts, question, work);
    }
    work.sum(&[first.into(), second, third]);
    let question = kit.say(
        &[
            "How many {many} is that from Monday to Wednesday, all in all?",
            "How many {many} are there after the three days in total?",
        ],
        &[("many", &many)],
    );
    Story::told(facts, question, work)
}
