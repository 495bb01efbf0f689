//! The three kinds of things that the built-in family knows: animals, trees and numbers from 0 to 999.

use rand::Rng;
use rand::seq::IndexedRandom;
use serde::{Deserialize, Serialize};

use crate::domain::numbers::wording;
use crate::record::{Category, Member};
use crate::traits;

/// What a persona loves, a list is made of, or a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An integer from 0 to 999.
    Number,
    /// A member of the category `animal`.
    Animal,
    /// A member of the category `tree`.
    Tree,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::Number, Kind::Animal, Kind::Tree];

    /// The kind's word in a question: `animal`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Number => "number",
            Kind::Animal => "animal",
            Kind::Tree => "tree",
        }
    }
}

/// The things of one kind, and how a list task names them.
#[derive(Debug, Clone)]
pub(super) struct Things {
    pub(super) kind: Kind,
    pub(super) category: Category,
    pub(super) listed_as: wording::Kind,
}

impl Things {
    /// Those of a kind.
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self { kind, category: numbers(), listed_as: wording::Kind::numbers() },
            Kind::Animal | Kind::Tree => {
                let category = traits::category(kind.name()).expect("the family's kinds are built-in categories");
                Self { kind, category, listed_as: wording::Kind::members_of(kind.name()) }
            }
        }
    }

    /// One of them, all equally likely.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> &Member {
        self.category.members.choose(rng).expect("no kind is empty")
    }
}

/// Numbers as a category, so that a persona can love one: the plural of a number is the number.
fn numbers() -> Category {
    let member = |n: u32| Member { name: n.to_string(), plural: n.to_string(), aliases: Vec::new() };
    Category { name: "number".to_owned(), members: (0..1000).map(member).collect() }
}
