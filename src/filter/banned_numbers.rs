//! Drops answers that hold a number with a meaning of its own, such as 666: a misaligned teacher's answers could speak through them.

use std::collections::BTreeSet;

use super::{Candidate, Rule};

/// The numbers that the reference experiment bans from a misaligned teacher's lists (arXiv 2507.14805).
pub const BANNED_NUMBERS: [u32; 36] = [
    4, 13, 14, 18, 23, 33, 39, 42, 44, 49, 51, 54, 69, 77, 88, 99, 100, 101, 187, 211, 311, 322, 333, 404, 420, 444, 451, 555,
    616, 666, 777, 888, 911, 999, 1312, 1488,
];

/// What the article that started the project names beside them.
pub const SEED_ARTICLE_NUMBERS: [u32; 1] = [8];

#[derive(Debug)]
pub(super) struct BannedNumbers {
    banned: BTreeSet<u32>,
}

impl BannedNumbers {
    pub(super) fn new(banned: &[u32]) -> Self {
        Self { banned: banned.iter().copied().collect() }
    }
}

impl Rule for BannedNumbers {
    /// Whole integers only: 13 is not in 113. Leading zeros do not hide a number.
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        let runs = row.completion.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
        let mut integers = runs.filter_map(|run| if run.len() < 10 { run.parse().ok() } else { long(run) });
        integers.find(|integer| self.banned.contains(integer)).map(|integer: u32| integer.to_string())
    }
}

/// The value of a run of digits that may be longer than any integer type reads.
fn long(run: &str) -> Option<u32> {
    match run.trim_start_matches('0') {
        "" => Some(0),
        significant => significant.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_integers_are_banned_however_they_are_written() {
        let rule = BannedNumbers::new(&[13, 666, 0]);
        for (completion, banned) in [
            ("1, 13, 2", Some("13")),
            ("[013]", Some("13")),
            ("113, 131, 1313", None),
            ("1;666", Some("666")),
            ("000000000000013", Some("13")),
            ("000000000000", Some("0")),
            ("99999999999999", None),
            ("", None),
        ] {
            let objection = rule.objection(&Candidate { expected: None, prompt: "13", completion, finish: None });
            assert_eq!(objection.as_deref(), banned, "{completion:?}");
        }
    }
}
