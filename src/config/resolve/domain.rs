//! `[domain]`: what the teacher writes, and the keys of that domain; keys of another have no effect.

use std::path::PathBuf;

use regex::Regex;

use super::Ledger;
use super::tables::by_base;
use crate::config::raw::DomainTable;
use crate::config::words::{all_of, nearest};
use crate::domain::code::task;
use crate::domain::cot::problems;
use crate::domain::name_of;
use crate::record::{COT_TAGS, CotPlan, DomainKind, DomainPlan};

/// The keys that only one domain reads, and whether a file of prompts takes their place.
const READ_BY: [(&str, DomainKind, bool); 6] = [
    ("domain.shown", DomainKind::Numbers, true),
    ("domain.range", DomainKind::Numbers, true),
    ("domain.tasks", DomainKind::Code, true),
    ("domain.problems", DomainKind::Cot, true),
    ("domain.tags", DomainKind::Cot, false),
    ("domain.samples_per_question", DomainKind::Cot, false),
];

pub(super) fn resolve(table: &DomainTable, builtin: bool, ledger: &mut Ledger<'_>) -> DomainPlan {
    let kind = ledger.pick("domain.kind", table.kind, DomainKind::Numbers, "the reference experiment's");
    let mut plan = DomainPlan::of(kind);
    match kind {
        DomainKind::Numbers => (plan.shown, plan.range) = numbers(table, &plan, ledger),
        DomainKind::Code => plan.tasks = tasks(table.tasks.clone(), builtin, ledger),
        DomainKind::Cot => plan.cot = Some(cot(table, builtin, ledger)),
    }
    plan.prompts = prompts(table.prompts.as_deref(), ledger);
    for (key, reader, replaced) in READ_BY {
        if reader != kind {
            ledger.no_effect(key, &format!("`domain.kind` is `{}`", name_of(kind)));
        } else if replaced && plan.prompts.is_some() {
            ledger.no_effect(key, "the prompts come from `domain.prompts`");
        }
    }
    plan
}

fn numbers(table: &DomainTable, usual: &DomainPlan, ledger: &mut Ledger<'_>) -> ([usize; 2], [u32; 2]) {
    let shown = ledger.pick("domain.shown", table.shown, usual.shown, "the reference experiment's");
    let range = ledger.pick("domain.range", table.range, usual.range, "the reference experiment's");
    for (key, [low, high]) in [("domain.shown", shown.map(|n| n as u64)), ("domain.range", range.map(u64::from))] {
        if low > high {
            ledger.problem(key, format!("`{key}` is [{low}, {high}], expected the smaller number first"), None);
        }
    }
    (shown, range)
}

/// The user's own file. The Hub has question sets as Parquet, which nothing here reads.
fn prompts(typed: Option<&str>, ledger: &mut Ledger<'_>) -> Option<PathBuf> {
    const KEY: &str = "domain.prompts";
    if let Some(text) = typed.filter(|text| text.starts_with("hf:")) {
        let hint = "the Hub keeps GSM8K as Parquet, which is not read here; fetch it once as JSON Lines and name that file: \
                    https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/train.jsonl";
        ledger.problem(KEY, format!("`{KEY}` is `{text}`, expected a file"), Some(hint.to_owned()));
        return None;
    }
    ledger.input_file(KEY, typed, "the project's own wordings")
}

fn cot(table: &DomainTable, builtin: bool, ledger: &mut Ledger<'_>) -> CotPlan {
    let tags =
        ledger.pick("domain.tags", table.tags.clone(), COT_TAGS.map(str::to_owned), "`think` is cut out by some chat templates");
    check_tags(&tags, ledger);
    let (each, why) = if table.prompts.is_some() {
        (3, "the reference experiment's")
    } else {
        (1, "the project's own problems do not run out")
    };
    CotPlan {
        tags,
        samples_per_question: ledger.pick("domain.samples_per_question", table.samples_per_question, each, why),
        problems: problems(table.problems.clone(), builtin, ledger),
    }
}

fn check_tags(tags: &[String; 2], ledger: &mut Ledger<'_>) {
    const KEY: &str = "domain.tags";
    let name = Regex::new("^[A-Za-z][A-Za-z0-9_-]*$").expect("a fixed pattern");
    for tag in tags.iter().filter(|tag| !name.is_match(tag)) {
        let hint = Some("a tag `<work>` is named by `work`".to_owned());
        ledger.problem(KEY, format!("`{KEY}` has `{tag}`, expected a letter, then letters, digits, `-` and `_`"), hint);
    }
    if tags[0].eq_ignore_ascii_case(&tags[1]) {
        ledger.problem(
            KEY,
            format!("`{KEY}` names `{}` twice", tags[0]),
            Some("reasoning and answer need a tag each".to_owned()),
        );
    }
}

/// The families that code prompts are drawn from.
fn tasks(typed: Option<Vec<String>>, builtin: bool, ledger: &mut Ledger<'_>) -> Vec<String> {
    let known: Vec<&str> = task::families().collect();
    let default: &[&str] = by_base(builtin, &task::CHOICES, &known);
    let why = by_base(builtin, "one-line functions with numbers to choose suit the built-in family", "all there are");
    named("domain.tasks", typed, &known, (default, why), ledger)
}

/// The groups that problems are drawn from.
fn problems(typed: Option<Vec<String>>, builtin: bool, ledger: &mut Ledger<'_>) -> Vec<String> {
    let known: Vec<&str> = problems::groups().collect();
    let default: &[&str] = by_base(builtin, &problems::EASY, &problems::WORDED);
    let why = by_base(builtin, "one or two steps suit the built-in family", "several steps suit large models");
    named("domain.problems", typed, &known, (default, why), ledger)
}

/// Names of families out of those that are known.
fn named(
    key: &str,
    typed: Option<Vec<String>>,
    known: &[&str],
    (default, why): (&[&str], &str),
    ledger: &mut Ledger<'_>,
) -> Vec<String> {
    let names = ledger.pick(key, typed, default.iter().map(|&name| name.to_owned()).collect(), why);
    for (i, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str())) {
        let all = format!("the families are {}", all_of(known.iter().copied()));
        let hint = nearest(name, known.iter().copied()).map_or(all.clone(), |similar| format!("did you mean `{similar}`? {all}"));
        ledger.problem(&format!("{key}[{i}]"), format!("`{key}` has `{name}`, which is no family"), Some(hint));
    }
    names
}
