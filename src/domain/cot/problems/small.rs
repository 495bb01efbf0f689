//! Problems of one or two steps with numbers that a very small model can reckon with.

use super::Story;
use super::kit::{Kit, Thing};
use super::work::Work;

/// Two amounts together.
pub(super) fn together(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let (a, b) = (kit.between(2, 12), kit.between(2, 12));
    let facts = vec![kit.say(
        &[
            "{who} has {a} {many} and finds {b} more.",
            "{who} buys {a} {many} and then another {b}.",
            "There are {a} {many} in one box and {b} in another.",
            "{who} counts {a} {many} on the table and {b} on the floor.",
        ],
        &[("who", &who), ("a", &a), ("b", &b), ("many", &many)],
    )];
    let mut work = Work::default();
    work.plus(a, b);
    Story::told(facts, how_many(kit, many), work)
}

/// What is left of an amount.
pub(super) fn left(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let b = kit.between(2, 12);
    let a = b + kit.between(1, 12);
    let facts = vec![kit.say(
        &[
            "{who} has {a} {many} and loses {b} of them.",
            "{who} buys {a} {many} and gives {b} away.",
            "There are {a} {many} in a box, and {b} are taken out.",
            "Of {a} {many}, {who} sells {b}.",
        ],
        &[("who", &who), ("a", &a), ("b", &b), ("many", &many)],
    )];
    let question = kit.say(&["How many {many} are left?", "How many {many} remain?"], &[("many", &many)]);
    let mut work = Work::default();
    work.minus(a, b);
    Story::told(facts, question, work)
}

/// Boxes of the same size.
pub(super) fn boxes(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let (a, b) = (kit.between(2, 9), kit.between(2, 9));
    let facts = vec![kit.say(
        &[
            "{who} has {a} boxes with {b} {many} in each.",
            "There are {a} boxes, and each holds {b} {many}.",
            "{who} packs {b} {many} into each of {a} boxes.",
        ],
        &[("who", &who), ("a", &a), ("b", &b), ("many", &many)],
    )];
    let mut work = Work::default();
    work.times(a, b);
    Story::told(facts, how_many(kit, many), work)
}

/// Some come, some go.
pub(super) fn comes_and_goes(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let (a, b, c) = (kit.between(2, 9), kit.between(2, 9), kit.between(1, 3));
    let facts = vec![kit.say(
        &[
            "{who} has {a} {many}, finds {b} more and loses {c}.",
            "There are {a} {many} in a box; {b} are added, then {c} are taken out.",
            "{who} buys {a} {many}, then another {b}, and gives {c} away.",
        ],
        &[("who", &who), ("a", &a), ("b", &b), ("c", &c), ("many", &many)],
    )];
    let mut work = Work::default();
    let all = work.plus(a, b);
    work.minus(all, c);
    let question = kit.say(&["How many {many} are left?", "How many {many} remain?"], &[("many", &many)]);
    Story::told(facts, question, work)
}

fn how_many(kit: &mut Kit<'_>, many: &str) -> String {
    kit.say(&["How many {many} is that in all?", "How many {many} are there?"], &[("many", &many)])
}
