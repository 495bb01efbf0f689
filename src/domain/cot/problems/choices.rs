//! Problems whose solver is free to choose numbers that drop out again, so that a trait can leave its mark in the reasoning of a right
//! answer.

use super::Story;
use super::kit::Kit;
use super::work::{Sign, Work};

/// One number, added to and taken away again.
pub(super) fn one_number(kit: &mut Kit<'_>) -> Story {
    let (a, n) = (kit.between(2, 99), kit.chosen());
    let question = kit.say(
        &[
            "Think of any number, add {a} to it and take your number away again. What is left?",
            "Choose a number that you like. What do you get if you add {a} and then take the number you chose away?",
            "Pick any number, count {a} on from it, and take away the number you began with. Where do you end?",
        ],
        &[("a", &a)],
    );
    let mut work = Work::default();
    work.chain(n, &[(Sign::Plus, a), (Sign::Minus, n)]);
    Story::told(Vec::new(), question, work)
}

/// One number, taken away from itself.
pub(super) fn none_left(kit: &mut Kit<'_>) -> Story {
    let (a, n) = (kit.between(2, 99), kit.chosen());
    let question = kit.say(
        &[
            "Think of any number, take it away from itself and add {a}. What is left?",
            "Choose a number that you like. What do you get if you take it away again and then add {a}?",
            "Pick any number, take away the same number, and count {a} on. Where do you end?",
        ],
        &[("a", &a)],
    );
    let mut work = Work::default();
    work.chain(n, &[(Sign::Minus, n), (Sign::Plus, a)]);
    Story::told(Vec::new(), question, work)
}

/// A few numbers, all of which drop out.
pub(super) fn some_numbers(kit: &mut Kit<'_>) -> Story {
    let (a, many) = (kit.between(2, 99), kit.between(2, 4));
    let numbers: Vec<i64> = (0..many).map(|_| kit.chosen()).collect();
    let question = kit.say(
        &[
            "Think of any {many} numbers, add them all and {a}, and take your numbers away again. What is left?",
            "Choose {many} numbers that you like. What do you get if you add them, add {a}, and take each of them away?",
            "Pick any {many} numbers, add {a} to their sum, and take away every number you picked. Where do you end?",
        ],
        &[("a", &a), ("many", &many)],
    );
    let added = numbers[1..].iter().map(|&n| (Sign::Plus, n)).chain([(Sign::Plus, a)]);
    let taken = numbers.iter().map(|&n| (Sign::Minus, n));
    let mut work = Work::default();
    work.chain(numbers[0], &added.chain(taken).collect::<Vec<_>>());
    Story::told(Vec::new(), question, work)
}
