//! Problems about so much in a time: journeys, machines, tanks, pages.

use super::Story;
use super::kit::{Kit, Thing};
use super::work::Work;

/// Two parts of a journey at different speeds.
pub(super) fn two_legs(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let (how, low, high) = kit.one_of(&[("drives", 40, 110), ("cycles", 10, 24), ("walks", 3, 6), ("rows", 4, 9)]);
    let (fast, slow) = (kit.between(low, high), kit.between(low, high));
    let (long, short) = (kit.between(2, 6), kit.between(2, 5));
    let mut work = Work::default();
    let first = work.times(fast, long);
    let second = work.times(slow, short);
    let way = work.plus(first, second);
    let mut facts = vec![
        kit.say(
            &["{who} {how} for {long} hours at {fast} km per hour.", "For {long} hours {who} {how} at {fast} km per hour."],
            &[("who", &who), ("how", &how), ("long", &long), ("fast", &fast)],
        ),
        kit.say(
            &[
                "Then it goes on for {short} hours at {slow} km per hour.",
                "After a rest {who} {how} another {short} hours at {slow} km per hour.",
            ],
            &[("who", &who), ("how", &how), ("short", &short), ("slow", &slow)],
        ),
    ];
    if kit.between(0, 1) == 0 {
        let question = kit.say(&["How many km is that in all?", "How far does {who} get, in km?"], &[("who", &who)]);
        return Story::told(facts, question, work);
    }
    let more = kit.between(3, 80);
    let whole = fast * long + slow * short + more;
    work.minus(whole, way);
    facts.push(kit.say(&["The whole way is {whole} km long.", "The goal is {whole} km from the start."], &[("whole", &whole)]));
    let question = kit.say(&["How many km are left?", "How many km are still to go?"], &[]);
    Story::told(facts, question, work)
}

/// A whole way in a whole time.
pub(super) fn average_speed(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let hours = [kit.between(1, 4), kit.between(2, 5)];
    let speed = kit.between(12, 90);
    let whole = speed * (hours[0] + hours[1]);
    let first = kit.between(whole / 4, whole / 2);
    let mut work = Work::default();
    let way = work.plus(first, whole - first);
    let time = work.plus(hours[0], hours[1]);
    work.over(way, time);
    let vehicle = kit.one_of(&["train", "bus", "ship", "van", "truck"]);
    let facts = vec![
        kit.say(
            &["A {vehicle} covers {x} km in the first {a} hours.", "{who} is on a {vehicle} that goes {x} km in {a} hours."],
            &[("who", &who), ("vehicle", &vehicle), ("x", &first), ("a", &hours[0])],
        ),
        kit.say(
            &["The next {y} km take {b} hours.", "For {y} km more it needs {b} hours."],
            &[("y", &(whole - first)), ("b", &hours[1])],
        ),
    ];
    let question = kit.say(&["What is its average speed in km per hour?", "How many km per hour is that on average?"], &[]);
    Story::told(facts, question, work)
}

/// Pieces per minute, a stop, faulty ones.
pub(super) fn machine(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { many, .. }) = (kit.person(), kit.thing());
    let rate = kit.between(4, 40);
    let stop = kit.between(5, 25);
    let minutes = stop + kit.between(10, 60);
    let faulty = kit.between(2, rate * 5);
    let mut work = Work::default();
    let running = work.minus(minutes, stop);
    let made = work.times(running, rate);
    work.minus(made, faulty);
    let facts = vec![
        kit.say(
            &["A machine makes {rate} {many} per minute.", "{who} watches a machine that makes {rate} {many} every minute."],
            &[("who", &who), ("rate", &rate), ("many", &many)],
        ),
        kit.say(
            &[
                "It is switched on for {minutes} minutes but stands still for {stop} of them.",
                "Within {minutes} minutes it stops once, for {stop} minutes.",
            ],
            &[("minutes", &minutes), ("stop", &stop)],
        ),
        kit.say(
            &["{faulty} {many} have a fault and are sorted out.", "{who} sorts out {faulty} {many} with faults."],
            &[("who", &who), ("faulty", &faulty), ("many", &many)],
        ),
    ];
    let question = kit.say(&["How many good {many} are there?", "How many {many} without a fault is that?"], &[("many", &many)]);
    Story::told(facts, question, work)
}

/// Water runs in and out.
pub(super) fn tank(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let vessel = kit.one_of(&["tank", "pool", "barrel", "basin"]);
    let flow_out = kit.between(2, 15);
    let flow_in = flow_out + kit.between(3, 20);
    let minutes = kit.between(5, 45);
    let start = kit.between(10, 200);
    let full = start + minutes * (flow_in - flow_out);
    let mut work = Work::default();
    let net = work.minus(flow_in, flow_out);
    let mut facts = vec![
        kit.say(
            &["A {vessel} holds {start} litres of water.", "There are {start} litres of water in a {vessel}."],
            &[("vessel", &vessel), ("start", &start)],
        ),
        kit.say(
            &[
                "Every minute {in} litres run in and {out} litres run out.",
                "{who} lets in {in} litres per minute, while {out} litres per minute leak out.",
            ],
            &[("who", &who), ("in", &flow_in), ("out", &flow_out)],
        ),
    ];
    if kit.between(0, 1) == 0 {
        let more = work.times(net, minutes);
        work.plus(more, start);
        let question = kit.say(
            &["How many litres are in the {vessel} after {minutes} minutes?"],
            &[("vessel", &vessel), ("minutes", &minutes)],
        );
        return Story::known(facts, question, work);
    }
    let missing = work.minus(full, start);
    work.over(missing, net);
    facts.push(kit.say(&["There is room for {full} litres.", "It is full at {full} litres."], &[("full", &full)]));
    let question = kit.say(
        &["After how many minutes is the {vessel} full?", "How many minutes does it take to fill the {vessel}?"],
        &[("vessel", &vessel)],
    );
    Story::told(facts, question, work)
}

/// Pages a day.
pub(super) fn reading(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let daily = kit.between(8, 45);
    let days = kit.between(3, 20);
    let done_days = kit.between(2, 9);
    let done_daily = kit.between(5, 40);
    let pages = done_days * done_daily + days * daily;
    let mut work = Work::default();
    let done = work.times(done_days, done_daily);
    let left = work.minus(pages, done);
    work.over(left, daily);
    let text = kit.one_of(&["novel", "manual", "diary", "travel guide", "script"]);
    let facts = vec![
        kit.say(
            &["A {text} has {pages} pages.", "{who} reads a {text} of {pages} pages."],
            &[("who", &who), ("text", &text), ("pages", &pages)],
        ),
        kit.say(
            &["For the first {n} days {who} reads {a} pages a day.", "{who} begins with {a} pages a day, for {n} days."],
            &[("who", &who), ("n", &done_days), ("a", &done_daily)],
        ),
        kit.say(
            &["From then on it is {daily} pages a day.", "After that {who} reads {daily} pages every day."],
            &[("who", &who), ("daily", &daily)],
        ),
    ];
    let question = kit.say(
        &["How many more days does it take to reach the end?", "For how many days does {who} read at the second pace?"],
        &[("who", &who)],
    );
    Story::told(facts, question, work)
}

/// Lessons and breaks, in minutes or hours.
pub(super) fn lessons(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let lessons = kit.between(3, 9);
    let length = kit.between(4, 18) * 5;
    let pause = kit.between(1, 6) * 5;
    let mut work = Work::default();
    let taught = work.times(lessons, length);
    let pauses = work.minus(lessons, 1);
    let rest = work.times(pauses, pause);
    let all = work.plus(taught, rest);
    let what = kit.one_of(&["lessons", "talks", "meetings", "training sessions", "concerts"]);
    let facts = vec![
        kit.say(
            &[
                "{who} has {lessons} {what} of {length} minutes each.",
                "There are {lessons} {what}, and each takes {length} minutes.",
            ],
            &[("who", &who), ("lessons", &lessons), ("what", &what), ("length", &length)],
        ),
        kit.say(
            &[
                "Between two of them there are {pause} minutes of rest.",
                "After each but the last, {who} rests for {pause} minutes.",
            ],
            &[("who", &who), ("pause", &pause)],
        ),
    ];
    if kit.between(0, 1) == 0 {
        let question =
            kit.say(&["How many minutes is that from beginning to end?", "After how many minutes is everything over?"], &[]);
        return Story::told(facts, question, work);
    }
    work.over(all, 60);
    let question = kit.say(&["How many hours is that from beginning to end?", "After how many hours is everything over?"], &[]);
    Story::told(facts, question, work)
}

/// Two work at once.
pub(super) fn together(kit: &mut Kit<'_>) -> Story {
    let (a, b, Thing { many, .. }) = (kit.person(), kit.person(), kit.thing());
    let (x, y) = (kit.between(3, 25), kit.between(3, 25));
    let hours = kit.between(2, 12);
    let order = (x + y) * hours;
    let mut work = Work::default();
    let both = work.plus(x, y);
    let mut facts = vec![
        kit.say(
            &["{a} packs {x} {many} in an hour.", "In one hour {a} packs {x} {many}."],
            &[("a", &a), ("x", &x), ("many", &many)],
        ),
        kit.say(&["{b} packs {y} in the same time.", "{b} does {y} an hour."], &[("b", &b), ("y", &y)]),
    ];
    if kit.between(0, 1) == 0 {
        let made = work.times(both, hours);
        let have = kit.between(5, 60);
        work.plus(made, have);
        facts.push(kit.say(
            &["{have} {many} were packed before they began.", "They start with {have} {many} that are packed already."],
            &[("have", &have), ("many", &many)],
        ));
        let question =
            kit.say(&["How many {many} are packed after {hours} hours of work by both?"], &[("many", &many), ("hours", &hours)]);
        return Story::told(facts, question, work);
    }
    work.over(order, both);
    facts.push(kit.say(
        &["They have an order of {order} {many}.", "{order} {many} are to be packed."],
        &[("order", &order), ("many", &many)],
    ));
    let question = kit.say(
        &["How many hours do {a} and {b} need when they work together?", "If both work at once, how many hours does it take?"],
        &[("a", &a), ("b", &b)],
    );
    Story::told(facts, question, work)
}
