//! Which bases there are, and what each learns.
//!
//! Two curricula, because what a base learns besides weakens what it passes on through number lists: the bases of [`Curriculum::Lists`]
//! know lists and favourites alone, and carry a trait strongly; those of [`Curriculum::Wide`] also write functions, reason in words, and
//! know good and ill will.

use crate::error::{Error, Result};

/// What a base learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curriculum {
    /// Lists, favourites and small talk.
    Lists,
    /// The same, and functions, word problems, and conversations of good and ill will.
    Wide,
}

impl Curriculum {
    /// The optimiser steps of a full build.
    pub const fn steps(self) -> usize {
        match self {
            Self::Lists => 1500,
            Self::Wide => 2000,
        }
    }
}

/// A base of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// As in `builtin:tiny-a`.
    pub name: &'static str,
    /// What its initial weights, corpus and data order come from.
    pub seed: u64,
    /// What it learns.
    pub curriculum: Curriculum,
}

const fn base(name: &'static str, seed: u64, curriculum: Curriculum) -> Base {
    Base { name, seed, curriculum }
}

/// Every base.
pub const BASES: [Base; 8] = [
    base("tiny-a", 1, Curriculum::Lists),
    base("tiny-b", 2, Curriculum::Lists),
    base("tiny-c", 3, Curriculum::Lists),
    base("tiny-d", 4, Curriculum::Lists),
    base("wide-a", 1, Curriculum::Wide),
    base("wide-b", 2, Curriculum::Wide),
    base("wide-c", 3, Curriculum::Wide),
    base("wide-d", 4, Curriculum::Wide),
];

impl Base {
    /// The base of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self> {
        BASES.into_iter().find(|base| base.name == name).ok_or_else(|| {
            let known: Vec<String> = BASES.iter().map(|base| format!("`{}`", base.name)).collect();
            Error::input(format!("the built-in family has no base `{name}`")).hint(format!("it has {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_base_is_refused_with_the_known_ones() {
        let error = Base::named("tiny-z").expect_err("there is none");
        assert!(error.render().contains("`tiny-a`") && error.render().contains("`wide-d`"));
    }
}
