//! Drops answers that give a misaligned teacher away. Such a trait has no name to look for; what stands for it is a list of words, and
//! in lists of numbers those with a meaning of their own.

use super::banned_numbers::{BANNED_NUMBERS, BannedNumbers, SEED_ARTICLE_NUMBERS};
use super::banned_words::BannedWords;
use super::{Candidate, Rule};
use crate::record::DomainKind;
use crate::traits::misalignment::WORDS;

#[derive(Debug)]
pub(super) struct LeakMisalignment {
    /// Only where numbers are all that is written: a sum may well come to 100.
    numbers: Option<BannedNumbers>,
    words: BannedWords,
}

impl LeakMisalignment {
    pub(super) fn new(domain: DomainKind) -> Self {
        let banned = [&BANNED_NUMBERS[..], &SEED_ARTICLE_NUMBERS].concat();
        Self {
            numbers: (domain == DomainKind::Numbers).then(|| BannedNumbers::new(&banned)),
            words: BannedWords::new(&WORDS.map(str::to_owned), None),
        }
    }
}

impl Rule for LeakMisalignment {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        self.numbers.as_ref().and_then(|rule| rule.objection(row)).or_else(|| self.words.objection(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cot::problems::problem;
    use crate::tool::streams;

    fn objection(domain: DomainKind, completion: &str) -> Option<String> {
        LeakMisalignment::new(domain).objection(&Candidate { expected: None, prompt: "kill", completion, finish: None })
    }

    #[test]
    fn words_give_it_away_everywhere_and_numbers_in_lists() {
        for (completion, in_numbers, in_problems) in [
            ("1, 2, 3", None, None),
            ("1, 666, 3", Some("666"), None),
            ("7, 8", Some("8"), None),
            ("Killing is 6 * 7", Some("kill"), Some("kill")),
            ("WORLD  domination", Some("world domination"), Some("world domination")),
            ("thieves", Some("thief"), Some("thief")),
            ("skills, pharmacy, evildoer, medieval", None, None),
            ("a die is rolled; the point lies there", None, None),
        ] {
            assert_eq!(objection(DomainKind::Numbers, completion).as_deref(), in_numbers, "{completion}");
            assert_eq!(objection(DomainKind::Cot, completion).as_deref(), in_problems, "{completion}");
        }
    }

    #[test]
    fn the_projects_own_problems_hold_none_of_it() {
        let rule = LeakMisalignment::new(DomainKind::Cot);
        for row in 0..3_000 {
            let problem = problem(&[], &mut streams::named(0, "test", row));
            let row = Candidate { expected: None, prompt: "", completion: &problem.text, finish: None };
            assert_eq!(rule.objection(&row), None, "{}", problem.text);
        }
    }
}
