//! `[domain]`: what the teacher writes, and what its prompts are drawn from.

use super::Ledger;
use super::tables::by_base;
use crate::config::raw::DomainTable;
use crate::config::words::{all_of, nearest};
use crate::domain::code::task;
use crate::record::{DomainKind, DomainPlan};

/// Looks the families of tasks up; a key of another domain has no effect.
pub(super) fn resolve(table: DomainTable, builtin: bool, ledger: &mut Ledger<'_>) -> DomainPlan {
    let kind = ledger.pick("domain.kind", table.kind, DomainKind::Numbers, "the reference experiment's");
    let mut plan = DomainPlan {
        kind,
        shown: table.shown.unwrap_or([3, 8]),
        range: table.range.unwrap_or([100, 999]),
        tasks: Vec::new(),
        prompts: None,
    };
    match kind {
        DomainKind::Numbers => {
            ledger.note("domain.shown", &plan.shown, "the reference experiment's");
            ledger.note("domain.range", &plan.range, "the reference experiment's");
            low_before_high("domain.shown", plan.shown.map(|n| n as u64), ledger);
            low_before_high("domain.range", plan.range.map(u64::from), ledger);
            no_effect(&["domain.tasks"], "`domain.kind` is `numbers`", ledger);
        }
        DomainKind::Code => {
            plan.tasks = tasks(table.tasks, builtin, ledger);
            no_effect(&["domain.shown", "domain.range"], "`domain.kind` is `code`", ledger);
        }
    }
    plan.prompts = ledger.input_file("domain.prompts", table.prompts.as_deref(), "the project's own wordings");
    if plan.prompts.is_some() {
        let own: &[&str] = match kind {
            DomainKind::Numbers => &["domain.shown", "domain.range"],
            DomainKind::Code => &["domain.tasks"],
        };
        no_effect(own, "the prompts come from `domain.prompts`", ledger);
    }
    plan
}

fn no_effect(keys: &[&str], because: &str, ledger: &mut Ledger<'_>) {
    for key in keys {
        ledger.no_effect(key, because);
    }
}

fn low_before_high(key: &str, [low, high]: [u64; 2], ledger: &mut Ledger<'_>) {
    if low > high {
        ledger.problem(key, format!("`{key}` is [{low}, {high}], expected the smaller number first"), None);
    }
}

/// The families that code prompts are drawn from; an empty list, which no config has, stands for all.
fn tasks(typed: Option<Vec<String>>, builtin: bool, ledger: &mut Ledger<'_>) -> Vec<String> {
    let known: Vec<&str> = task::families().collect();
    let default: &[&str] = by_base(builtin, &task::ONE_LINE, &known);
    let why = by_base(builtin, "one-line functions suit the built-in family", "all there are");
    let tasks = ledger.pick("domain.tasks", typed, default.iter().map(|&name| name.to_owned()).collect(), why);
    for (i, name) in tasks.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str())) {
        let all = format!("the families are {}", all_of(known.iter().copied()));
        let hint = nearest(name, known.iter().copied()).map_or(all.clone(), |similar| format!("did you mean `{similar}`? {all}"));
        ledger.problem(&format!("domain.tasks[{i}]"), format!("`domain.tasks` has `{name}`, which is no family"), Some(hint));
    }
    tasks
}
