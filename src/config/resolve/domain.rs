//! `[domain]`: what the teacher writes, and the keys of that domain; keys of another have no effect.

use std::path::PathBuf;

use regex::Regex;

use super::Ledger;
use crate::config::raw::DomainTable;
use crate::record::{COT_TAGS, CotPlan, DomainKind, DomainPlan};

const NUMBERS_ONLY: [&str; 2] = ["domain.shown", "domain.range"];
const COT_ONLY: [&str; 2] = ["domain.tags", "domain.samples_per_question"];

pub(super) fn resolve(table: &DomainTable, ledger: &mut Ledger<'_>) -> DomainPlan {
    let kind = ledger.pick("domain.kind", table.kind, DomainKind::Numbers, "the reference experiment's");
    let usual = DomainPlan::of(kind);
    let (shown, range) = if kind == DomainKind::Numbers { numbers(table, &usual, ledger) } else { (usual.shown, usual.range) };
    let prompts = prompts(table.prompts.as_deref(), ledger);
    let cot = (kind == DomainKind::Cot).then(|| cot(table, ledger));
    let (others, name) = if kind == DomainKind::Numbers { (COT_ONLY, "numbers") } else { (NUMBERS_ONLY, "cot") };
    for key in others {
        ledger.no_effect(key, &format!("`domain.kind` is `{name}`"));
    }
    if kind == DomainKind::Numbers && prompts.is_some() {
        for key in NUMBERS_ONLY {
            ledger.no_effect(key, "the prompts come from `domain.prompts`");
        }
    }
    DomainPlan { kind, shown, range, prompts, cot }
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

fn cot(table: &DomainTable, ledger: &mut Ledger<'_>) -> CotPlan {
    let tags =
        ledger.pick("domain.tags", table.tags.clone(), COT_TAGS.map(str::to_owned), "`think` is cut out by some chat templates");
    check_tags(&tags, ledger);
    let (each, why) = if table.prompts.is_some() {
        (3, "the reference experiment's")
    } else {
        (1, "the project's own problems do not run out")
    };
    CotPlan { tags, samples_per_question: ledger.pick("domain.samples_per_question", table.samples_per_question, each, why) }
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
