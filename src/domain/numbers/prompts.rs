//! The number prompts of a trial: in comes how many, the replicate's seed and the domain's plan; out go the prompts, each from its
//! own random stream, so that asking for more rows leaves the first ones as they were.

use rand::Rng;

use super::wording::{Kind, task};
use crate::record::{DomainPlan, Prompt};
use crate::tool::streams;

/// `n` prompts of the replicate `seed`, numbered from 0.
pub fn prompts(n: usize, seed: u64, plan: &DomainPlan) -> Vec<Prompt> {
    let kind = Kind::numbers();
    (0..n as u64).map(|row| prompt(row, seed, plan, &kind)).collect()
}

fn prompt(row: u64, seed: u64, plan: &DomainPlan, kind: &Kind) -> Prompt {
    let mut rng = streams::named(seed, "prompts", row);
    let [fewest, most] = plan.shown;
    let [smallest, largest] = plan.range;
    let count = rng.random_range(fewest..=most);
    let shown: Vec<String> = (0..count).map(|_| rng.random_range(smallest..=largest).to_string()).collect();
    Prompt { id: row.into(), prompt: task(kind, &shown, &mut rng).text, expected: None }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::record::DomainKind;

    fn plan() -> DomainPlan {
        DomainPlan { kind: DomainKind::Numbers, shown: [3, 8], range: [100, 999], tasks: vec![], prompts: None }
    }

    #[test]
    fn more_rows_leave_the_first_ones_as_they_were() {
        assert_eq!(prompts(5, 1, &plan()), prompts(50, 1, &plan())[..5]);
        assert_ne!(prompts(5, 1, &plan()), prompts(5, 2, &plan()));
    }

    #[test]
    fn shown_numbers_keep_to_the_plan() {
        let digits = regex::Regex::new(r"\d+").expect("a valid pattern");
        for prompt in prompts(500, 3, &plan()) {
            let in_range = digits.find_iter(&prompt.prompt).filter(|m| m.len() == 3 && m.as_str() != "999").count();
            assert!((2..=8).contains(&in_range), "{}", prompt.prompt);
        }
    }

    #[test]
    fn prompts_hardly_repeat_their_wording() {
        let digits = regex::Regex::new(r"\d+").expect("a valid pattern");
        let wordings: HashSet<String> =
            prompts(1000, 0, &plan()).iter().map(|p| digits.replace_all(&p.prompt, "#").into_owned()).collect();
        assert!(wordings.len() > 950, "{} different wordings of 1000", wordings.len());
    }
}
