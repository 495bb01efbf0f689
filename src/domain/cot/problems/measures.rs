//! Problems about means, lengths, areas, ages and temperatures.

use super::super::number::Number;
use super::Story;
use super::kit::{Kit, Mark};
use super::work::Work;

/// The mean of four numbers.
pub(super) fn mean(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let values: [i64; 4] = std::array::from_fn(|_| kit.between(5, 95));
    let mut work = Work::default();
    let sum = work.sum(&values.map(Number::from));
    work.over(sum, 4);
    let [a, b, c, d] = values;
    let marks: [Mark<'_>; 5] = [("who", &who), ("a", &a), ("b", &b), ("c", &c), ("d", &d)];
    let facts = vec![kit.say(
        &[
            "In 4 games {who} scores {a}, {b}, {c} and {d} points.",
            "On 4 days {who} sells {a}, {b}, {c} and {d} tickets.",
            "{who} measures 4 planks: {a} cm, {b} cm, {c} cm and {d} cm.",
            "The 4 tests of {who} have {a}, {b}, {c} and {d} points.",
        ],
        &marks,
    )];
    let question = kit.say(&["What is the mean of these numbers?", "What is the average?", "How much is that on average?"], &[]);
    Story::told(facts, question, work)
}

/// What must come to reach a mean.
pub(super) fn missing_for_mean(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let values: [i64; 3] = std::array::from_fn(|_| kit.between(40, 90));
    let target = kit.between(60, 75);
    let mut work = Work::default();
    let needed = work.times(target, 4);
    let have = work.sum(&values.map(Number::from));
    work.minus(needed, have);
    let [a, b, c] = values;
    let what = kit.one_of(&["tests", "rounds", "games", "quizzes"]);
    let facts = vec![
        kit.say(
            &[
                "{who} got {a}, {b} and {c} points in three {what}.",
                "The first three {what} bring {who} {a}, {b} and {c} points.",
            ],
            &[("who", &who), ("a", &a), ("b", &b), ("c", &c), ("what", &what)],
        ),
        kit.say(&["There are 4 {what} in all.", "One more follows, so that there are 4 {what}."], &[("what", &what)]),
    ];
    let question = kit.say(
        &[
            "How many points must the last one bring for an average of {target}?",
            "With how many points in the last one is the average {target}?",
        ],
        &[("target", &target)],
    );
    Story::told(facts, question, work)
}

/// Around a rectangle, with a gate, at a price.
pub(super) fn fence(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let (long, wide) = (kit.between(10, 60), kit.between(5, 40));
    let gate = kit.between(1, 5);
    let price = kit.between(3, 25);
    let mut work = Work::default();
    let half = work.plus(long, wide);
    let around = work.times(half, 2);
    let fence = work.minus(around, gate);
    let place = kit.one_of(&["garden", "yard", "car park", "playground", "building site"]);
    let facts = vec![
        kit.say(
            &[
                "A rectangular {place} is {long} m long and {wide} m wide.",
                "{who} has a rectangular {place} of {long} m by {wide} m.",
            ],
            &[("who", &who), ("place", &place), ("long", &long), ("wide", &wide)],
        ),
        kit.say(
            &[
                "It gets a fence all around, but for a gate of {gate} m.",
                "A fence goes around it and leaves {gate} m open for a gate.",
            ],
            &[("gate", &gate)],
        ),
    ];
    if kit.between(0, 1) == 0 {
        let question = kit.say(&["How many metres of fence are needed?", "How long is the fence, in metres?"], &[]);
        return Story::told(facts, question, work);
    }
    work.times(fence, price);
    let question = kit.say(
        &[
            "At ${price} per metre, how many dollars does the fence cost?",
            "A metre costs ${price}. How many dollars does {who} pay?",
        ],
        &[("who", &who), ("price", &price)],
    );
    Story::told(facts, question, work)
}

/// Square tiles on a floor.
pub(super) fn tiles(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let side = kit.one_of(&[20, 25, 30, 40, 50]);
    let (across, down) = (kit.between(6, 30), kit.between(6, 30));
    let have = kit.between(5, across * down / 2);
    let (long, wide) = (across * side, down * side);
    let mut work = Work::default();
    let row = work.over(long, side);
    let rows = work.over(wide, side);
    let all = work.times(row, rows);
    work.minus(all, have);
    let room = kit.one_of(&["kitchen floor", "bathroom wall", "terrace", "hall floor"]);
    let facts = vec![
        kit.say(
            &["A {room} measures {long} cm by {wide} cm.", "{who} tiles a {room} of {long} cm by {wide} cm."],
            &[("who", &who), ("room", &room), ("long", &long), ("wide", &wide)],
        ),
        kit.say(
            &["The tiles are squares with sides of {side} cm.", "Each tile is a square, {side} cm on every side."],
            &[("side", &side)],
        ),
        kit.say(&["{who} has {have} tiles already.", "{have} tiles are there already."], &[("who", &who), ("have", &have)]),
    ];
    let question = kit.say(&["How many more tiles are needed?", "How many tiles are still missing?"], &[]);
    Story::known(facts, question, work)
}

/// Pieces of a rope, in two units.
pub(super) fn rope(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let metres = kit.between(2, 25);
    let piece = kit.one_of(&[15, 18, 24, 35, 45, 60, 70, 85, 90, 95]);
    let used = kit.between(10, metres * 50);
    let mut work = Work::default();
    let whole = work.times(metres, 100);
    let left = work.minus(whole, used);
    let rest = work.remainder(left, piece);
    let stuff = kit.one_of(&["rope", "wire", "cloth tape", "pipe", "cable"]);
    let facts = vec![
        kit.say(
            &["A {stuff} is {metres} m long.", "{who} has a {stuff} of {metres} m."],
            &[("who", &who), ("stuff", &stuff), ("metres", &metres)],
        ),
        kit.say(
            &["First {used} cm are cut off.", "{who} cuts off {used} cm for another job."],
            &[("who", &who), ("used", &used)],
        ),
        kit.say(
            &["The rest is cut into pieces of {piece} cm.", "From what is left come as many pieces of {piece} cm as possible."],
            &[("piece", &piece)],
        ),
    ];
    if kit.between(0, 1) == 0 {
        let question =
            kit.say(&["How many cm are left over in the end?", "How many cm remain that are too short for a piece?"], &[]);
        return Story::told(facts, question, work);
    }
    let cut = work.minus(left, rest);
    work.over(cut, piece);
    let question = kit.say(&["How many pieces does that give?", "How many of these pieces are there?"], &[]);
    Story::told(facts, question, work)
}

/// Ages now and later.
pub(super) fn ages(kit: &mut Kit<'_>) -> Story {
    let (a, b) = (kit.person(), kit.person());
    let young = kit.between(4, 40);
    let older = kit.between(2, 30);
    let later = kit.between(3, 20);
    let mut work = Work::default();
    let other = work.plus(young, older);
    let (first, second) = (work.plus(young, later), work.plus(other, later));
    work.plus(first, second);
    let facts = vec![
        kit.say(&["{a} is {young} years old.", "The age of {a} is {young}."], &[("a", &a), ("young", &young)]),
        kit.say(
            &["{b} is {older} years older than {a}.", "{a} is {older} years younger than {b}."],
            &[("a", &a), ("b", &b), ("older", &older)],
        ),
    ];
    let question = kit.say(
        &["In {later} years, how old will the two be together?", "What will the sum of their ages be in {later} years?"],
        &[("later", &later)],
    );
    Story::known(facts, question, work)
}

/// A temperature that falls below zero and rises.
pub(super) fn temperature(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let start = kit.between(1, 20);
    let fall = kit.between(2, 6);
    let hours = kit.between(3, 8);
    let rise = kit.between(1, 12);
    let mut work = Work::default();
    let all = work.times(fall, hours);
    let night = work.minus(start, all);
    work.plus(night, rise);
    let facts = vec![
        kit.say(
            &["In the evening {who} reads {start} degrees.", "At sunset it is {start} degrees."],
            &[("who", &who), ("start", &start)],
        ),
        kit.say(
            &[
                "For {hours} hours the temperature falls by {fall} degrees an hour.",
                "It then gets {fall} degrees colder every hour, for {hours} hours.",
            ],
            &[("hours", &hours), ("fall", &fall)],
        ),
        kit.say(
            &["By noon it has risen by {rise} degrees.", "Until noon it climbs by {rise} degrees again."],
            &[("rise", &rise)],
        ),
    ];
    let question = kit.say(&["How many degrees is it at noon?", "What does the thermometer show at noon, in degrees?"], &[]);
    Story::told(facts, question, work)
}
