//! Problems about parts of a whole: percent, fractions, ratios.

use super::super::number::Number;
use super::Story;
use super::kit::{Kit, Thing};
use super::work::Work;

/// So many percent of a group do something; of the others, some do not.
pub(super) fn percentage(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let (people, verb, other) = kit.one_of(&[
        ("pupils", "walk to school", "come by bus"),
        ("workers", "start at seven", "start at eight"),
        ("guests", "drink tea", "drink coffee"),
        ("members", "play chess", "play cards"),
        ("visitors", "buy a map", "buy a postcard"),
        ("players", "wear red", "wear blue"),
    ]);
    let all = kit.between(2, 30) * 20;
    let percent = kit.between(1, 15) * 5;
    let rest = all - all * percent / 100;
    let others = kit.between(1, rest - 1);
    let mut work = Work::default();
    let part = work.percent(percent, all);
    let left = work.minus(all, part);
    work.minus(left, others);
    let facts = vec![
        kit.say(
            &["{who} counts {all} {people}.", "There are {all} {people}.", "A club of {who} has {all} {people}."],
            &[("who", &who), ("all", &all), ("people", &people)],
        ),
        kit.say(
            &["{percent}% of the {people} {verb}.", "Of these {people}, {percent}% {verb}."],
            &[("percent", &percent), ("people", &people), ("verb", &verb)],
        ),
        kit.say(
            &["{others} of the others {other}.", "Of the rest, {others} {other}."],
            &[("others", &others), ("other", &other)],
        ),
    ];
    let question =
        kit.say(&["How many {people} do neither?", "How many of the {people} do neither of the two?"], &[("people", &people)]);
    Story::told(facts, question, work)
}

/// A part goes, then a part of the rest.
pub(super) fn fractions(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let (a, b) = (kit.between(3, 6), kit.between(3, 6));
    let start = a * b * kit.between(2, 12);
    let mut work = Work::default();
    let first = work.over(start, a);
    let rest = work.minus(start, first);
    let second = work.over(rest, b);
    work.minus(rest, second);
    let facts = vec![
        kit.say(
            &["{who} has {start} {many}.", "{who} starts the day with {start} {many}."],
            &[("who", &who), ("start", &start), ("many", &many)],
        ),
        kit.say(&["1/{a} of them are sold.", "{who} gives away 1/{a} of them."], &[("who", &who), ("a", &a)]),
        kit.say(&["Of the rest, 1/{b} get lost.", "1/{b} of what remains goes to a neighbour."], &[("b", &b)]),
    ];
    let question = kit.say(
        &["How many {many} does {who} still have?", "How many {many} are left at the end?"],
        &[("who", &who), ("many", &many)],
    );
    Story::told(facts, question, work)
}

/// A mixture in a ratio.
pub(super) fn ratio(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let (x, y, whole, unit) = kit.one_of(&[
        ("sand", "cement", "mortar", "kg"),
        ("syrup", "water", "lemonade", "litres"),
        ("red paint", "white paint", "pink paint", "litres"),
        ("flour", "sugar", "dough", "grams"),
        ("oil", "vinegar", "dressing", "ml"),
    ]);
    let a = kit.between(2, 7);
    let b = if a == 7 { 5 } else { a + kit.between(1, 3) };
    let total = (a + b) * kit.between(2, 25);
    let mut work = Work::default();
    let parts = work.plus(a, b);
    let each = work.over(total, parts);
    let (asked, share) = if kit.between(0, 1) == 0 { (x, a) } else { (y, b) };
    work.times(each, share);
    let facts = vec![
        kit.say(
            &[
                "For {whole}, {who} mixes {x} and {y} in the ratio {a} to {b}.",
                "{who} takes {a} parts of {x} and {b} parts of {y} to make {whole}.",
            ],
            &[("who", &who), ("x", &x), ("y", &y), ("whole", &whole), ("a", &a), ("b", &b)],
        ),
        kit.say(
            &["In all there are {total} {unit} of {whole}.", "The result is {total} {unit} of {whole}."],
            &[("total", &total), ("unit", &unit), ("whole", &whole)],
        ),
    ];
    let question = kit.say(
        &["How many {unit} of {asked} are in it?", "How many {unit} of {asked} does that take?"],
        &[("unit", &unit), ("asked", &asked)],
    );
    Story::told(facts, question, work)
}

/// A fraction of a cup, several times.
pub(super) fn recipe(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let (above, below) = kit.one_of(&[(2, 3), (3, 4), (1, 3), (5, 6), (4, 7), (3, 8), (3, 7), (5, 9)]);
    let batches = kit.between(9, 20);
    let have = kit.between(2, (above * batches - 1) / below);
    let stuff = kit.one_of(&["flour", "sugar", "milk", "oats", "rice", "butter"]);
    let part = Number::fraction(above.into(), below.into()).expect("not by zero");
    let mut work = Work::default();
    let all = work.times(part, batches);
    work.minus(all, have);
    let facts = vec![
        kit.say(
            &["One batch takes {part} of a cup of {stuff}.", "A recipe asks for {part} cup of {stuff}."],
            &[("part", &format!("{above}/{below}")), ("stuff", &stuff)],
        ),
        kit.say(
            &["{who} wants to make {batches} batches.", "{who} makes the recipe {batches} times."],
            &[("who", &who), ("batches", &batches)],
        ),
        kit.say(
            &["There are {have} cups of {stuff} in the cupboard.", "{who} has {have} cups of {stuff} at home."],
            &[("who", &who), ("have", &have), ("stuff", &stuff)],
        ),
    ];
    let question =
        kit.say(&["How many more cups of {stuff} are needed?", "How many cups of {stuff} are missing?"], &[("stuff", &stuff)]);
    Story::known(facts, question, work)
}

/// A number grows by a share, then by a number.
pub(super) fn growth(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let what = kit.one_of(&["subscribers", "members", "readers", "customers", "listeners"]);
    let start = kit.between(2, 40) * 100;
    let percent = kit.between(2, 45);
    let leave = kit.between(3, start / 10);
    let mut work = Work::default();
    let more = work.percent(percent, start);
    let grown = work.plus(start, more);
    work.minus(grown, leave);
    let facts = vec![
        kit.say(
            &["In January {who} has {start} {what}.", "The year begins for {who} with {start} {what}."],
            &[("who", &who), ("start", &start), ("what", &what)],
        ),
        kit.say(
            &["By June their number rises by {percent}%.", "Until June there are {percent}% more of them."],
            &[("percent", &percent)],
        ),
        kit.say(&["After that, {leave} leave.", "In July {leave} of them go."], &[("leave", &leave)]),
    ];
    let question = kit.say(
        &["How many {what} does {who} have then?", "How many {what} are there in the end?"],
        &[("who", &who), ("what", &what)],
    );
    Story::told(facts, question, work)
}

/// Parts of one thing; which part is left?
pub(super) fn what_is_left(kit: &mut Kit<'_>) -> Story {
    let (a, b) = (kit.person(), kit.person());
    let (thing, verb) =
        kit.one_of(&[("cake", "eats"), ("fence", "paints"), ("book", "reads"), ("field", "mows"), ("road", "sweeps")]);
    let first = kit.between(3, 9);
    let second = kit.between(4, 12);
    let part = |below: i64| Number::fraction(1, below.into()).expect("not by zero");
    let mut work = Work::default();
    let together = work.plus(part(first), part(second));
    work.minus(1, together);
    let facts = vec![
        kit.say(
            &["{a} {verb} 1/{first} of a {thing}.", "Of a {thing}, {a} {verb} 1/{first}."],
            &[("a", &a), ("verb", &verb), ("first", &first), ("thing", &thing)],
        ),
        kit.say(
            &["{b} {verb} 1/{second} of the same {thing}.", "{b} {verb} another 1/{second} of the whole {thing}."],
            &[("b", &b), ("verb", &verb), ("second", &second), ("thing", &thing)],
        ),
    ];
    let question =
        kit.say(&["Which part of the {thing} is left?", "What fraction of the {thing} remains?"], &[("thing", &thing)]);
    Story::told(facts, question, work)
}

/// How many percent is a part?
pub(super) fn what_percent(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let percent = kit.between(2, 19) * 5;
    let all = kit.between(2, 20) * 20;
    let good = all * percent / 100;
    let first = kit.between(1, good - 1);
    let mut work = Work::default();
    let together = work.plus(first, good - first);
    let scaled = work.times(together, 100);
    work.over(scaled, all);
    let facts = vec![
        kit.say(
            &["{who} looks at {all} {many}.", "There are {all} {many} on a list of {who}."],
            &[("who", &who), ("all", &all), ("many", &many)],
        ),
        kit.say(
            &["{x} of them are green and {y} are yellow.", "{x} are new, {y} are nearly new."],
            &[("x", &first), ("y", &(good - first))],
        ),
    ];
    let question = kit.say(
        &[
            "What percentage of all the {many} are these two kinds together?",
            "How many percent of the {many} belong to these two kinds?",
        ],
        &[("many", &many)],
    );
    Story::told(facts, question, work)
}
