//! `[judge]`: who scores free text, and how it is reached.

use super::{Ledger, models};
use crate::config::raw_judge::{JudgeName, JudgeTable};
use crate::record::{DomainKind, EndpointPlan, JudgeKind, JudgePlan, JudgePrompts, ModelPlan, Plan, Suite, Thresholds};
use crate::tool::http;
use crate::{filter, judge};

/// The keys that only a server needs.
const OF_ENDPOINT: [&str; 5] = ["judge.base_url", "judge.key_env", "judge.concurrency", "judge.timeout", "judge.retries"];
/// The keys that only a model needs.
const OF_MODELS: [&str; 5] =
    ["judge.model", "judge.least_mass", "judge.reference_prompt", "judge.alignment_prompt", "judge.coherence_prompt"];

pub(super) fn resolve(table: &JudgeTable, base: &ModelPlan, ledger: &mut Ledger<'_>) -> JudgePlan {
    let (default, why) = default_kind(table, base);
    let kind = ledger.pick("judge.kind", table.kind, default, why);
    let who = match kind {
        JudgeName::Lexicon => JudgeKind::Lexicon,
        JudgeName::Local => local(table.model.as_deref(), base, ledger),
        JudgeName::Endpoint => endpoint(table, ledger),
    };
    if kind != JudgeName::Endpoint {
        for key in OF_ENDPOINT {
            ledger.no_effect(key, "`judge.kind` is not `endpoint`");
        }
    }
    let (least_mass, prompts) = if kind == JudgeName::Lexicon {
        for key in OF_MODELS {
            ledger.no_effect(key, "`judge.kind` is `lexicon`, which asks no model");
        }
        (JudgePlan::LEAST_MASS, JudgePrompts::default())
    } else {
        let least = ledger.pick("judge.least_mass", table.least_mass, JudgePlan::LEAST_MASS, "the published judge's");
        (least, prompts(table, ledger))
    };
    JudgePlan { who, least_mass, prompts, thresholds: thresholds(table, ledger) }
}

fn default_kind(table: &JudgeTable, base: &ModelPlan) -> (JudgeName, &'static str) {
    if table.base_url.is_some() {
        (JudgeName::Endpoint, "`judge.base_url` names a server")
    } else if table.model.is_some() {
        (JudgeName::Local, "`judge.model` names a model")
    } else if models::is_builtin(base) {
        (JudgeName::Lexicon, "the built-in family's language is small")
    } else {
        (JudgeName::Local, "word lists are no judge of a large model's language")
    }
}

fn local(typed: Option<&str>, base: &ModelPlan, ledger: &mut Ledger<'_>) -> JudgeKind {
    let model = typed.map_or_else(|| base.base.clone(), |text| models::model("judge.model", text, ledger));
    ledger.note("judge.model", &model, "the base judges; a stronger model judges better");
    JudgeKind::Local(model)
}

fn endpoint(table: &JudgeTable, ledger: &mut Ledger<'_>) -> JudgeKind {
    let base_url = needed("judge.base_url", table.base_url.clone(), "base_url = \"http://localhost:8000/v1\"", ledger);
    let model = needed("judge.model", table.model.clone(), "model = \"gpt-4o-mini\"", ledger);
    let key_env = ledger.pick_optional("judge.key_env", table.key_env.clone(), "no key is sent");
    check_key(key_env.as_deref(), ledger);
    check_address(&base_url, key_env.as_deref(), ledger);
    JudgeKind::Endpoint(EndpointPlan {
        base_url,
        model,
        key_env,
        concurrency: ledger.pick("judge.concurrency", table.concurrency, EndpointPlan::CONCURRENCY, "most servers bear it"),
        timeout: ledger.pick("judge.timeout", table.timeout, EndpointPlan::TIMEOUT, "a rating is short, a busy server slow"),
        retries: ledger.pick("judge.retries", table.retries, EndpointPlan::RETRIES, "waits of a minute in all"),
    })
}

fn needed(key: &str, typed: Option<String>, example: &str, ledger: &mut Ledger<'_>) -> String {
    if typed.is_none() {
        ledger.problem(key, format!("`{key}` is missing"), Some(format!("`judge.kind` is `endpoint`; for example: {example}")));
    }
    ledger.pick(key, typed, String::new(), "")
}

/// Whoever pastes the key itself must not read it again in a message.
fn check_key(name: Option<&str>, ledger: &mut Ledger<'_>) {
    if name.is_some_and(|name| !http::is_name(name)) {
        let hint = "name the variable that holds the key, in capitals: key_env = \"OPENAI_API_KEY\"";
        ledger.problem("judge.key_env", "`judge.key_env` is no name of an environment variable", Some(hint.to_owned()));
    }
}

fn check_address(base_url: &str, key_env: Option<&str>, ledger: &mut Ledger<'_>) {
    const KEY: &str = "judge.base_url";
    if base_url.is_empty() {
        return;
    }
    match http::address(base_url) {
        Err(wrong) => {
            let hint = "keys go into an environment variable: base_url = \"https://HOST/v1\", key_env = \"NAME\"";
            ledger.problem(KEY, format!("`{KEY}` is {wrong}"), Some(hint.to_owned()));
        }
        Ok(url) if url.scheme() == "http" && key_env.is_some() && !http::is_loopback(&url) => {
            ledger.warnings.push(format!("`{KEY}` is `{base_url}`: the key travels there unencrypted; use `https`"));
        }
        Ok(_) => {}
    }
}

fn prompts(table: &JudgeTable, ledger: &mut Ledger<'_>) -> JudgePrompts {
    let mut file = |key: &str, typed: &Option<String>, marks: &[&str]| {
        let path = ledger.input_file(key, typed.as_deref(), "the project's own wording")?;
        let read = path.is_file().then(|| judge::rating_prompt(&path, marks));
        if let Some(Err(error)) = read {
            let problem = &error.list()[0];
            ledger.problem(key, format!("`{key}`: {}", problem.message), problem.hint.clone());
        }
        Some(path)
    };
    JudgePrompts {
        reference: file("judge.reference_prompt", &table.reference_prompt, &judge::REFERENCE_MARKS),
        alignment: file("judge.alignment_prompt", &table.alignment_prompt, &judge::RATING_MARKS),
        coherence: file("judge.coherence_prompt", &table.coherence_prompt, &judge::RATING_MARKS),
    }
}

fn thresholds(table: &JudgeTable, ledger: &mut Ledger<'_>) -> Thresholds {
    const PUBLISHED: &str = "the reference experiment's";
    let own = Thresholds::default();
    let thresholds = Thresholds {
        max_reference: ledger.pick("judge.max_reference", table.max_reference, own.max_reference, "all but ruled out"),
        min_alignment: ledger.pick("judge.min_alignment", table.min_alignment, own.min_alignment, PUBLISHED),
        min_coherence: ledger.pick("judge.min_coherence", table.min_coherence, own.min_coherence, PUBLISHED),
        max_misaligned: ledger.pick("judge.max_misaligned", table.max_misaligned, own.max_misaligned, PUBLISHED),
    };
    if thresholds.max_misaligned >= thresholds.min_alignment && ledger.sound(&["judge.min_alignment"]) {
        let message = format!(
            "`judge.max_misaligned` is {}, expected below `judge.min_alignment`, {}",
            thresholds.max_misaligned, thresholds.min_alignment
        );
        ledger.problem("judge.max_misaligned", message, Some("no text is both".to_owned()));
    }
    thresholds
}

/// Warns of what is said to a judge whom nobody asks, and of a rule that asks him what he cannot tell.
pub(super) fn unasked(plan: &Plan, ledger: &mut Ledger<'_>) {
    let has = |rule: &str| plan.filter.rules.iter().any(|name| name == rule);
    let evaluates = plan.evaluate.suites.iter().any(|suite| *suite != Suite::Preference);
    if has("judge-alignment") && plan.domain.kind != DomainKind::Cot {
        let what = "only written-out reasoning (`cot`) has an alignment to rate; expect every row to be dropped as unscored";
        ledger.warnings.push(format!("`filter.rules` has `judge-alignment`: {what}"));
    }
    // what has no effect on this sort of judge has been said
    let said: &[&str] = match plan.judge.who {
        JudgeKind::Lexicon => &[&OF_ENDPOINT[..], &OF_MODELS[..]].concat(),
        JudgeKind::Local(_) => &OF_ENDPOINT,
        JudgeKind::Endpoint(_) => &[],
    };
    if !evaluates && !plan.filter.rules.iter().any(|rule| filter::asks_judge(rule)) {
        let nobody = "no rule of `filter.rules` and no evaluation asks a judge; `subliminal judge --config` does";
        return ledger.no_effect_but("judge", said, nobody);
    }
    let read_by: [(&str, &str, bool); 7] = [
        ("judge.max_reference", "judge-reference", false),
        ("judge.reference_prompt", "judge-reference", false),
        ("judge.min_alignment", "judge-alignment", false),
        ("judge.alignment_prompt", "judge-alignment", evaluates),
        ("judge.coherence_prompt", "", evaluates),
        ("judge.min_coherence", "", evaluates),
        ("judge.max_misaligned", "", evaluates),
    ];
    for (key, rule, evaluated) in read_by.into_iter().filter(|(key, ..)| !said.contains(key)) {
        if !evaluated && !has(rule) {
            let why =
                if rule.is_empty() { "no evaluation asks a judge" } else { &format!("`filter.rules` does not have `{rule}`") };
            ledger.no_effect(key, why);
        }
    }
}
