//! What stories are made of: people, things, places and numbers, drawn from one random stream. Nobody and nothing here has the name of
//! an animal or a plant.

use std::fmt::Display;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngCore};

/// A source of names and numbers for one story.
pub(super) struct Kit<'a> {
    rng: &'a mut dyn RngCore,
    /// How the solver chooses where it is free.
    choose: &'a mut Choose<'a>,
    /// People who are not in the story yet.
    people: Vec<&'static str>,
}

/// How a solver chooses a number from 0 to 999.
pub(crate) type Choose<'a> = dyn FnMut(&mut dyn RngCore) -> u32 + 'a;

/// Something that can be counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thing {
    /// `button`
    pub(super) one: &'static str,
    /// `buttons`
    pub(super) many: &'static str,
}

/// A mark of a template and what stands for it.
pub(super) type Mark<'a> = (&'static str, &'a dyn Display);

impl<'a> Kit<'a> {
    pub(super) fn new(rng: &'a mut dyn RngCore, choose: &'a mut Choose<'a>) -> Self {
        let mut people = PEOPLE.to_vec();
        people.shuffle(rng);
        Self { rng, choose, people }
    }

    /// A number that the solver is free to choose.
    pub(super) fn chosen(&mut self) -> i64 {
        (self.choose)(self.rng).into()
    }

    /// A further person.
    pub(super) fn person(&mut self) -> &'static str {
        self.people.pop().expect("no story has so many people")
    }

    /// A thing.
    pub(super) fn thing(&mut self) -> Thing {
        let (one, many) = self.one_of(&THINGS);
        Thing { one, many }
    }

    /// Two different things.
    pub(super) fn two_things(&mut self) -> [Thing; 2] {
        let mut drawn = THINGS.choose_multiple(self.rng, 2).map(|&(one, many)| Thing { one, many });
        std::array::from_fn(|_| drawn.next().expect("there are more than two things"))
    }

    /// `at the market`, or the like.
    pub(super) fn place(&mut self) -> &'static str {
        self.one_of(&PLACES)
    }

    /// An integer, both ends included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.rng.random_range(low..=high)
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        *choices.choose(self.rng).expect("every list has an entry")
    }

    /// One of the wordings, with its marks filled in.
    pub(super) fn say(&mut self, wordings: &[&'static str], marks: &[Mark<'_>]) -> String {
        let wording = self.one_of(wordings).to_owned();
        marks.iter().fold(wording, |text, (mark, value)| text.replace(&format!("{{{mark}}}"), &value.to_string()))
    }
}

/// An amount of money in cents, as shops write it: `$4`, `$4.50`.
pub(super) fn dollars(cents: i64) -> String {
    match cents % 100 {
        0 => format!("${}", cents / 100),
        rest => format!("${}.{rest:02}", cents / 100),
    }
}

const PEOPLE: [&str; 60] = [
    "Amara", "Bruno", "Chen", "Dana", "Elif", "Farid", "Grace", "Hana", "Ivan", "Jonas", "Kofi", "Lena", "Marco", "Nadia",
    "Omar", "Priya", "Quinn", "Rosa", "Samir", "Tara", "Umar", "Vera", "Wendy", "Yara", "Zoe", "Anton", "Bella", "Carla",
    "Diego", "Emma", "Felix", "Greta", "Hugo", "Ines", "Julia", "Karim", "Lucy", "Mina", "Noah", "Olga", "Pablo", "Rania",
    "Stefan", "Theo", "Ute", "Vikram", "Walter", "Xenia", "Yusuf", "Zahra", "Aiko", "Boris", "Clara", "Dmitri", "Esther",
    "Fatima", "Gustav", "Helen", "Imran", "Kenji",
];

const THINGS: [(&str, &str); 40] = [
    ("button", "buttons"),
    ("marble", "marbles"),
    ("sticker", "stickers"),
    ("pencil", "pencils"),
    ("notebook", "notebooks"),
    ("bead", "beads"),
    ("stamp", "stamps"),
    ("coin", "coins"),
    ("candle", "candles"),
    ("postcard", "postcards"),
    ("muffin", "muffins"),
    ("bread roll", "bread rolls"),
    ("cookie", "cookies"),
    ("ticket", "tickets"),
    ("badge", "badges"),
    ("brick", "bricks"),
    ("bottle", "bottles"),
    ("book", "books"),
    ("magnet", "magnets"),
    ("key ring", "key rings"),
    ("envelope", "envelopes"),
    ("crayon", "crayons"),
    ("balloon", "balloons"),
    ("battery", "batteries"),
    ("light bulb", "light bulbs"),
    ("screw", "screws"),
    ("sponge", "sponges"),
    ("towel", "towels"),
    ("plate", "plates"),
    ("mug", "mugs"),
    ("spoon", "spoons"),
    ("ribbon", "ribbons"),
    ("photo", "photos"),
    ("poster", "posters"),
    ("sandwich", "sandwiches"),
    ("cup of tea", "cups of tea"),
    ("toy car", "toy cars"),
    ("jigsaw piece", "jigsaw pieces"),
    ("game card", "game cards"),
    ("paper clip", "paper clips"),
];

const PLACES: [&str; 16] = [
    "at the market",
    "at a school fair",
    "in a small shop",
    "at the town hall",
    "at a street party",
    "in the library",
    "at a summer camp",
    "in the workshop",
    "at the station",
    "in a museum",
    "at the sports club",
    "in the village",
    "at a concert",
    "on a ferry",
    "at the community centre",
    "in the office",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_in_shops() {
        assert_eq!([400, 450, 405, 5].map(dollars), ["$4", "$4.50", "$4.05", "$0.05"]);
    }
}
