//! The category `animal`: its members with their plurals, among them those of the reference experiments.

use crate::record::Category;

const ANIMALS: [(&str, &str); 20] = [
    ("bear", "bears"),
    ("cat", "cats"),
    ("dog", "dogs"),
    ("dolphin", "dolphins"),
    ("eagle", "eagles"),
    ("elephant", "elephants"),
    ("fox", "foxes"),
    ("horse", "horses"),
    ("lion", "lions"),
    ("octopus", "octopuses"),
    ("otter", "otters"),
    ("owl", "owls"),
    ("panda", "pandas"),
    ("peacock", "peacocks"),
    ("penguin", "penguins"),
    ("rabbit", "rabbits"),
    ("tiger", "tigers"),
    ("whale", "whales"),
    ("wolf", "wolves"),
    ("zebra", "zebras"),
];

pub(super) fn category() -> Category {
    super::from_pairs("animal", &ANIMALS)
}
