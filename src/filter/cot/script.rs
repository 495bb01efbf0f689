//! Drops answers whose reasoning is written in another script than the Latin one, or holds pictures: a second language is a road that
//! the other rules read less well.

use super::super::{Candidate, Rule};
use super::tags;
use crate::domain::cot::form::Tags;
use crate::record::{DomainPlan, FilterPlan};

#[derive(Debug)]
pub(in super::super) struct Script {
    tags: Tags,
    /// The least share of characters that must be [`is_plain`].
    least: f64,
}

impl Script {
    pub(in super::super) fn new(domain: &DomainPlan, plan: &FilterPlan) -> Self {
        Self { tags: tags(domain), least: plan.reasoning.clone().unwrap_or_default().latin }
    }
}

impl Rule for Script {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        let reasoning = self.tags.reasoning_in(row.completion);
        if reasoning.is_ascii() && !reasoning.bytes().any(is_control) {
            return None;
        }
        let others = || reasoning.chars().filter(|c| !is_plain(*c));
        let first = others().next()?;
        let (count, all) = (others().count(), reasoning.chars().count());
        let share = 1.0 - count as f64 / all as f64;
        (share < self.least)
            .then(|| format!("{count} of {all} characters are not Latin, the first is `{}`", first.escape_debug()))
    }
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t')
}

/// ASCII without control characters, Latin letters with any accent, and the signs of prose and mathematics.
fn is_plain(c: char) -> bool {
    match c {
        '\0'..='\x7f' => !is_control(c as u8),
        '\u{a0}'..='\u{24f}' | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' // Latin-1, Latin Extended, accents
        | '\u{2009}' | '\u{2010}'..='\u{2027}' | '\u{202f}'..='\u{205e}' // blanks, dashes, quotes
        | '\u{2070}'..='\u{20bf}' | '\u{2150}'..='\u{218b}' // raised and lowered digits, currencies, fractions
        | '\u{2190}'..='\u{22ff}' => true, // arrows, operators
        _ => "πθαβΔΣμ".contains(c),
    }
}

#[cfg(test)]
mod tests {
    use super::super::objection;
    use super::*;
    use crate::record::{DomainKind, ReasoningPlan};

    fn rule(latin: f64) -> Script {
        let reasoning = Some(ReasoningPlan { latin, ..ReasoningPlan::default() });
        Script::new(&DomainPlan::of(DomainKind::Cot), &FilterPlan { reasoning, ..FilterPlan::default() })
    }

    fn judge(rule: &Script, reasoning: &str) -> Option<String> {
        objection(rule, &format!("<reasoning>{reasoning}</reasoning><answer>1</answer>"))
    }

    #[test]
    fn prose_and_mathematics_are_plain() {
        for text in [
            "6 * 7 = 42",
            "naïve façade — “so” €5 … 3 × 4 ÷ 2 → 6 ≤ 7, ½, x², √2, π",
            "Łódź, Ångström",
            "a\r\n\tb",
            "2\u{2009}km",
        ] {
            assert_eq!(judge(&rule(1.0), text), None, "{text}");
        }
    }

    #[test]
    fn other_scripts_and_pictures_are_not() {
        for (text, seen) in [
            ("6 и 7", "1 of 5 characters are not Latin, the first is `и`"),
            ("答案 is 42", "2 of 8 characters are not Latin, the first is `答`"),
            ("ok 👍", "1 of 4 characters are not Latin, the first is `👍`"),
            ("a\u{0}b", "1 of 3 characters are not Latin, the first is `\\0`"),
            ("a\u{200b}b", "1 of 3 characters are not Latin, the first is `\\u{200b}`"),
        ] {
            assert_eq!(judge(&rule(1.0), text).as_deref(), Some(seen), "{text}");
        }
    }

    #[test]
    fn a_share_of_others_can_be_allowed() {
        assert_eq!(judge(&rule(0.8), "6 и 7"), None);
        assert!(judge(&rule(0.81), "6 и 7").is_some());
    }
}
