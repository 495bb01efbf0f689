//! From a config as typed to a plan: every default filled in with its reason, every name looked up, every contradiction named.
//!
//! In: the checked document and its typed form. Out: a plan, and a ledger of sources, problems and warnings. With problems in
//! the ledger the plan is not to be used.

mod blocklists;
mod contexts;
mod domain;
mod judge;
mod ledger;
mod members;
mod models;
mod recipe;
mod rules;
mod tables;
mod target;
mod teacher;
mod warnings;

pub(super) use ledger::Ledger;
pub use recipe::{student as student_recipe, teacher as teacher_recipe};

use super::raw::Config;
use crate::record::Plan;

/// Fills in and checks; the order is the order in which `--dry-run` shows the values.
pub(super) fn resolve(config: Config, ledger: &mut Ledger<'_>) -> Plan {
    let name = trial_name(config.name, ledger);
    let seeds =
        ledger.pick("seeds", config.seeds, vec![1, 2, 3], "three replicates show a large effect; intervals narrow with more");
    let (model, arms) = models::resolve(config.model.unwrap_or_default(), config.arms.as_deref(), ledger);
    let builtin = models::is_builtin(&model);
    let trait_ = target::resolve(config.trait_.unwrap_or_default(), &arms, ledger);
    let around = teacher::Around { kind: trait_.kind, arms: &arms, builtin };
    let teacher = teacher::resolve(config.teacher.unwrap_or_default(), &around, ledger);
    let domain = domain::resolve(&config.domain.unwrap_or_default(), builtin, ledger);
    let generate = tables::generate(&config.generate.unwrap_or_default(), builtin, teacher.prime, domain.kind, ledger);
    let filter = rules::resolve(&config.filter.unwrap_or_default(), &domain, trait_.kind, ledger);
    let finetune = tables::finetune(config.finetune.unwrap_or_default(), builtin, generate.samples, ledger);
    let evaluate = tables::evaluate(config.evaluate.unwrap_or_default(), builtin, trait_.kind, ledger);
    let judge = judge::resolve(&config.judge.unwrap_or_default(), &model, ledger);
    let in_context = tables::in_context(&config.in_context.unwrap_or_default(), builtin, &arms, ledger);
    let gate = tables::gate(&config.gate.unwrap_or_default(), ledger);
    let statistics = tables::statistics(&config.statistics.unwrap_or_default(), ledger);
    let expect = tables::expect(&config.expect.unwrap_or_default(), &arms, ledger);
    let plan = Plan {
        name,
        seeds,
        arms,
        model,
        trait_,
        teacher,
        domain,
        generate,
        filter,
        finetune,
        evaluate,
        judge,
        in_context,
        gate,
        statistics,
        expect,
    };
    contexts::leaks(&plan, ledger);
    judge::unasked(&plan, ledger);
    warnings::odd(&plan, ledger);
    plan
}

/// The trial's name is also a folder's name.
fn trial_name(typed: Option<String>, ledger: &mut Ledger<'_>) -> String {
    let stem = ledger.file().file_stem().map_or_else(|| "trial".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let name = ledger.pick("name", typed, stem, "the config's file name");
    let plain = name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)) && !name.starts_with('.');
    if !plain {
        let hint = Some("it names the output folder `runs/NAME`".to_owned());
        ledger.problem(
            "name",
            format!("`name` is `{name}`, expected letters, digits, `.`, `_` and `-`, not starting with `.`"),
            hint,
        );
    }
    name
}
