//! The plan's rules in their order, those that ask a judge last: rows in, kept rows and dropped rows with their reasons out, counted by rule.

use rayon::prelude::*;

use super::judged::{Asked, Bench};
use super::{Candidate, Inputs, Judged, Make, RULES, Rule, length, names};
use crate::domain;
use crate::error::{Error, Problem, Result};
use crate::record::{Category, DomainKind, DomainPlan, Dropped, FilterPlan, RuleCount, Sample};

/// The rules of one filter. The token limit's rule is always among them, and first.
#[derive(Debug)]
pub struct Pipeline {
    rules: Vec<(&'static str, Box<dyn Rule>)>,
    judged: Vec<Asked>,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No rule objects.
    Kept,
    /// The first rule that objects, and what it saw.
    Dropped {
        /// The rule's place in the pipeline.
        place: usize,
        /// The rule's name.
        rule: &'static str,
        /// What it saw.
        detail: String,
    },
}

/// How many rows came in, were kept, and were dropped by each rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Rows that came in.
    pub samples: usize,
    /// Rows that every rule kept.
    pub kept: usize,
    /// Rows per rule, in the order of the rules, zeros included.
    pub rules: Vec<RuleCount>,
}

/// A filtered dataset, in the order of the samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filtered {
    /// What every rule kept.
    pub kept: Vec<Sample>,
    /// The rest, each with its rule and detail.
    pub dropped: Vec<Dropped>,
    /// The same in numbers.
    pub counts: Counts,
}

impl Pipeline {
    /// The plan's rules.
    ///
    /// # Errors
    /// If a rule's name is not known or stands twice; all such names are reported together.
    pub fn build(plan: &FilterPlan, domain: &DomainPlan, category: &Category) -> Result<Self> {
        Self::of(&Inputs { plan, domain, category: Some(category) })
    }

    /// Only the rules of the domain's own form, as they are where no config says more.
    ///
    /// # Errors
    /// Never: the rules exist.
    pub fn format_only(domain: DomainKind) -> Result<Self> {
        let domain = DomainPlan::of(domain);
        let rules = domain::of(&domain).rules().iter().map(|&rule| rule.to_owned()).collect();
        Self::of(&Inputs { plan: &FilterPlan { rules, ..FilterPlan::default() }, domain: &domain, category: None })
    }

    fn of(inputs: &Inputs<'_>) -> Result<Self> {
        let problems: Vec<Problem> = problems(&inputs.plan.rules);
        if !problems.is_empty() {
            return Err(Error::problems(problems));
        }
        let named = inputs.plan.rules.iter().map(String::as_str).filter(|name| *name != length::NAME);
        let ordered = std::iter::once(length::NAME).chain(named);
        let (mut rules, mut judged) = (Vec::new(), Vec::new());
        for entry in ordered.filter_map(|name| RULES.iter().find(|entry| entry.name == name)) {
            match entry.make {
                Make::Alone(make) => rules.push((entry.name, make(inputs))),
                Make::Judged(make) => judged.push((entry.name, make(inputs))),
            }
        }
        let judged = judged.into_iter().zip(rules.len()..).map(|((name, rule), place)| (place, name, rule)).collect();
        Ok(Self { rules, judged })
    }

    /// The rules that ask a judge.
    pub fn judged(&self) -> impl Iterator<Item = (&'static str, &dyn Judged)> {
        self.judged.iter().map(|(_, name, rule)| (*name, rule.as_ref()))
    }

    /// What becomes of rows that [`Pipeline::judge`] kept, once the judge is asked; `before` rows have come through already.
    pub(super) fn hear(&self, rows: &[Candidate<'_>], bench: &mut Bench<'_>, before: usize) -> Result<Vec<Verdict>> {
        bench.hear(&self.judged, rows, before)
    }

    /// What becomes of one row, the judge not asked.
    pub fn judge<'a>(&self, row: impl Into<Candidate<'a>>) -> Verdict {
        let row = row.into();
        let objection = |(place, (rule, judge)): (usize, &(&'static str, Box<dyn Rule>))| {
            judge.objection(&row).map(|detail| Verdict::Dropped { place, rule, detail })
        };
        self.rules.iter().enumerate().find_map(objection).unwrap_or(Verdict::Kept)
    }

    /// Filters a whole dataset, the judge not asked.
    pub fn apply(&self, samples: Vec<Sample>) -> Filtered {
        let verdicts: Vec<Verdict> = samples.par_iter().map(|sample| self.judge(sample)).collect();
        let mut filtered = Filtered { counts: self.no_rows(), ..Filtered::default() };
        for (sample, verdict) in samples.into_iter().zip(verdicts) {
            filtered.counts.add(&verdict);
            match verdict {
                Verdict::Kept => filtered.kept.push(sample),
                Verdict::Dropped { rule, detail, .. } => filtered.dropped.push(Dropped { sample, rule: rule.to_owned(), detail }),
            }
        }
        filtered
    }

    /// The counts before the first row.
    pub fn no_rows(&self) -> Counts {
        let names = self.rules.iter().map(|(rule, _)| *rule).chain(self.judged().map(|(rule, _)| rule));
        let rules = names.map(|rule| RuleCount { rule: rule.to_owned(), dropped: 0 });
        Counts { rules: rules.collect(), ..Counts::default() }
    }
}

impl Counts {
    /// Counts one more row.
    pub fn add(&mut self, verdict: &Verdict) {
        self.samples += 1;
        match verdict {
            Verdict::Kept => self.kept += 1,
            Verdict::Dropped { place, .. } => self.rules[*place].dropped += 1,
        }
    }

    /// Adds the counts of other rows that the same pipeline judged.
    pub fn merge(&mut self, other: &Counts) {
        self.samples += other.samples;
        self.kept += other.kept;
        for (mine, theirs) in self.rules.iter_mut().zip(&other.rules) {
            mine.dropped += theirs.dropped;
        }
    }
}

/// What is wrong with a list of rule names, all at once.
pub(super) fn problems(rules: &[String]) -> Vec<Problem> {
    let wrong = rules.iter().enumerate().filter_map(|(place, name)| {
        if !names().any(|known| known == name) {
            return Some(problem(format!("`filter.rules` names `{name}`, which is no rule"), nearest(name)));
        }
        let twice = rules[..place].contains(name);
        twice.then(|| problem(format!("`filter.rules` names `{name}` twice"), "name each rule once".to_owned()))
    });
    wrong.collect()
}

fn problem(message: String, hint: String) -> Problem {
    Problem { file: None, line: None, message, hint: Some(hint) }
}

fn nearest(name: &str) -> String {
    let all: Vec<&str> = names().collect();
    let closest = all.iter().map(|known| (strsim::jaro_winkler(name, known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    match closest {
        Some((score, known)) if score > 0.7 => format!("did you mean `{known}`?"),
        _ => format!("the rules are {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Finish;
    use crate::traits;

    fn plan(rules: &[&str]) -> FilterPlan {
        let rules = rules.iter().map(|&r| r.to_owned()).collect();
        FilterPlan { rules, banned_numbers: vec![666], ..FilterPlan::default() }
    }

    fn numbers() -> DomainPlan {
        DomainPlan::of(DomainKind::Numbers)
    }

    fn build(rules: &[&str]) -> Result<Pipeline> {
        Pipeline::build(&plan(rules), &numbers(), &traits::category("animal").unwrap())
    }

    fn sample(completion: &str, finish: Finish) -> Sample {
        Sample { id: 0.into(), prompt: "p".to_owned(), expected: None, completion: completion.to_owned(), tokens: 4, finish }
    }

    #[test]
    fn the_first_rule_that_objects_drops_the_row_and_every_row_is_accounted_for() {
        let pipeline = build(&["leak", "format", "banned-numbers"]).unwrap();
        let samples = vec![
            sample("1, 2", Finish::Stop),
            sample("zebra", Finish::Stop),
            sample("words", Finish::Stop),
            sample("1, 666", Finish::Stop),
            sample("zebra 666", Finish::Length),
            sample("3", Finish::Stop),
        ];
        let filtered = pipeline.apply(samples.clone());
        assert_eq!(filtered.kept, [samples[0].clone(), samples[5].clone()]);
        let dropped: Vec<(&str, &str)> = filtered.dropped.iter().map(|d| (d.rule.as_str(), d.detail.as_str())).collect();
        assert_eq!(
            dropped,
            [
                ("leak", "zebra"),
                ("format", "invalid format: `words`"),
                ("banned-numbers", "666"),
                ("length", "token limit reached")
            ]
        );
        let counts: Vec<(&str, usize)> = filtered.counts.rules.iter().map(|c| (c.rule.as_str(), c.dropped)).collect();
        assert_eq!(counts, [("length", 1), ("leak", 1), ("format", 1), ("banned-numbers", 1)]);
        assert_eq!((filtered.counts.samples, filtered.counts.kept), (6, 2));
    }

    #[test]
    fn the_rule_for_cut_off_answers_comes_first_wherever_it_is_named() {
        let pipeline = build(&["format", "length"]).unwrap();
        let Verdict::Dropped { rule, .. } = pipeline.judge(&sample("words", Finish::Length)) else { panic!("kept") };
        assert_eq!(rule, "length");
    }

    #[test]
    fn all_unknown_and_repeated_names_are_reported_at_once() {
        let error = build(&["fromat", "leak", "leak", "no-such-thing-at-all-xyz"]).unwrap_err();
        assert_eq!(error.list().len(), 3);
        let text = error.render();
        assert!(text.contains("`fromat`") && text.contains("did you mean `format`?"), "{text}");
        assert!(text.contains("names `leak` twice"), "{text}");
    }
}
