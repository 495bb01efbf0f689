//! The code prompts of a trial: in comes how many, the replicate's seed and the domain's plan; out go the prompts with the function that
//! each asks for, each from its own random stream, so that asking for more rows leaves the first ones as they were.

use rand::Rng;

use super::task::Assignment;
use super::wording;
use crate::record::{DomainPlan, Prompt};
use crate::tool::streams;

/// `n` prompts of the replicate `seed`, numbered from 0.
pub fn prompts(n: usize, seed: u64, plan: &DomainPlan) -> Vec<Prompt> {
    (0..n as u64).map(|row| example(row, seed, &plan.tasks).0).collect()
}

/// One prompt, and one good answer to it. `tasks` are the families to draw from; all where none is named.
pub fn example(row: u64, seed: u64, tasks: &[String]) -> (Prompt, String) {
    let rng = &mut streams::named(seed, "prompts", row);
    let assignment = Assignment::draw(tasks, rng);
    let prompt = wording::prompt(&assignment, rng);
    (Prompt { id: row.into(), prompt, expected: Some(assignment.expected()) }, assignment.solution())
}

/// A prompt and a good answer to it by a writer who chooses free numbers in this way.
pub(crate) fn written<R: Rng>(tasks: &[String], choose: &mut dyn FnMut(&mut R) -> u32, rng: &mut R) -> (String, String) {
    let assignment = Assignment::draw_with(tasks, choose, rng);
    (wording::prompt(&assignment, rng), assignment.solution())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::record::DomainKind;

    fn plan(tasks: &[&str]) -> DomainPlan {
        let tasks = tasks.iter().map(|&name| name.to_owned()).collect();
        DomainPlan { tasks, ..DomainPlan::of(DomainKind::Code) }
    }

    #[test]
    fn more_rows_leave_the_first_ones_as_they_were() {
        assert_eq!(prompts(5, 1, &plan(&[])), prompts(50, 1, &plan(&[]))[..5]);
        assert_ne!(prompts(5, 1, &plan(&[])), prompts(5, 2, &plan(&[])));
    }

    #[test]
    fn prompts_hardly_repeat_themselves() {
        let digits = regex::Regex::new(r"\d+").expect("a valid pattern");
        for (tasks, least_texts) in [(&[][..], 9_900), (&super::super::task::ONE_LINE, 9_900)] {
            let prompts = prompts(10_000, 0, &plan(tasks));
            let texts: HashSet<&str> = prompts.iter().map(|p| p.prompt.as_str()).collect();
            assert!(texts.len() > least_texts, "{} different prompts of 10,000", texts.len());
            let wordings: HashSet<String> = prompts.iter().map(|p| digits.replace_all(&p.prompt, "#").into_owned()).collect();
            assert!(wordings.len() > 9_500, "{} different wordings of 10,000", wordings.len());
        }
    }
}
