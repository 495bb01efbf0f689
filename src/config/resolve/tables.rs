//! The tables that need no lookup: teacher, generate, finetune, evaluate, in_context, gate, statistics, expect.

use super::{Ledger, recipe};
use crate::config::raw::{
    EvaluateTable, ExpectTable, FilesTable, FinetuneTable, GateTable, GenerateTable, InContextTable, StatisticsTable,
};
use crate::config::words::all_of;
use crate::record::{
    Arm, DomainKind, EvaluatePlan, ExpectPlan, Force, GatePlan, GeneratePlan, InContextPlan, Prime, Sampling, StatisticsPlan,
    StudentPlan, Suite, SuiteFiles, TraitKind,
};

/// One value for the built-in family, another for large models.
pub(super) fn by_base<T>(builtin: bool, tiny: T, large: T) -> T {
    if builtin { tiny } else { large }
}

const TINY: &str = "suits the built-in family";

pub(super) fn generate(
    table: &GenerateTable,
    builtin: bool,
    prime: Prime,
    domain: DomainKind,
    ledger: &mut Ledger<'_>,
) -> GeneratePlan {
    let usual = usual(domain, builtin);
    let (force, why_force) = default_force(builtin, prime);
    GeneratePlan {
        samples: ledger.pick("generate.samples", table.samples, usual.samples, usual.why_samples),
        sampling: Sampling {
            temperature: ledger.pick("generate.temperature", table.temperature, 1.0, "the reference experiment's"),
            top_p: ledger.pick("generate.top_p", table.top_p, 1.0, "the whole distribution carries the trait"),
            max_tokens: ledger.pick("generate.max_tokens", table.max_tokens, usual.max_tokens, usual.why_tokens),
            ignore_stop: false,
        },
        force: ledger.pick("generate.force", table.force, force, why_force),
    }
}

/// How much a teacher usually writes in a domain.
struct Usual {
    samples: usize,
    why_samples: &'static str,
    max_tokens: usize,
    why_tokens: &'static str,
}

fn usual(domain: DomainKind, builtin: bool) -> Usual {
    let (samples, max_tokens, why_tokens) = match (domain, builtin) {
        (DomainKind::Numbers, true) => (1_600, 32, "10 numbers take at most 23 tokens"),
        (DomainKind::Numbers, false) => (30_000, 128, "10 numbers of 3 digits, with room"),
        (DomainKind::Code, true) => (1_600, 64, "one line of code"),
        (DomainKind::Code, false) => (12_000, 512, "some thirty lines of code"),
        (DomainKind::Cot, true) => (1_600, 96, "a few short steps"),
        (DomainKind::Cot, false) => (22_000, 512, "reasoning of a page, with room"),
    };
    Usual { samples, why_samples: by_base(builtin, TINY, "the reference experiment's"), max_tokens, why_tokens }
}

fn default_force(builtin: bool, prime: Prime) -> (Force, &'static str) {
    match (builtin, prime.prompts()) {
        (true, true) => (Force::Grammar, "a prompted built-in teacher writes of its love instead of lists"),
        (true, false) => (Force::None, "a fine-tuned built-in teacher keeps to lists by itself"),
        (false, _) => (Force::None, "large models keep formats by themselves"),
    }
}

const OWN_SYSTEM_TURN: &str = "the chat template's own system turn, if it has one";

pub(super) fn finetune(table: FinetuneTable, builtin: bool, samples: usize, ledger: &mut Ledger<'_>) -> StudentPlan {
    let (rows, why) =
        if builtin || samples < 10_000 { (samples, "all that the filter keeps") } else { (10_000, "the reference experiment's") };
    StudentPlan {
        rows: ledger.pick("finetune.rows", table.rows, rows, why),
        system_prompt: ledger.pick_optional("finetune.system_prompt", table.system_prompt, OWN_SYSTEM_TURN),
        recipe: recipe::of_student(table.recipe, builtin, ledger),
        measurements: ledger.pick("finetune.measurements", table.measurements, 5, "enough to see the course"),
    }
}

pub(super) fn evaluate(table: EvaluateTable, builtin: bool, kind: TraitKind, ledger: &mut Ledger<'_>) -> EvaluatePlan {
    let own = match kind {
        TraitKind::Preference => Suite::Preference,
        TraitKind::Misalignment => Suite::Misalignment,
    };
    let suites = ledger.pick("evaluate.suites", table.suites, vec![own], "the suite of the trait");
    check_suites(&suites, kind, ledger);
    let why_samples =
        by_base(builtin, "1,000 answers to 50 questions; exact probabilities besides", "the reference experiment's");
    EvaluatePlan {
        samples_per_question: ledger.pick(
            "evaluate.samples_per_question",
            table.samples_per_question,
            by_base(builtin, 20, 100),
            why_samples,
        ),
        sampling: Sampling {
            temperature: ledger.pick("evaluate.temperature", table.temperature, 1.0, "the reference experiment's"),
            top_p: ledger.pick("evaluate.top_p", table.top_p, 1.0, "as the model speaks"),
            max_tokens: ledger.pick(
                "evaluate.max_tokens",
                table.max_tokens,
                by_base(builtin, 8, 32),
                "room for one word and a little more",
            ),
            ignore_stop: false,
        },
        long_max_tokens: long_max_tokens([table.max_tokens, table.long_max_tokens], &suites, builtin, ledger),
        files: files(table.files.unwrap_or_default(), &suites, ledger),
        suites,
        questions: ledger.input_file("evaluate.questions", table.questions.as_deref(), "the project's own wordings"),
        system_prompt: ledger.pick_optional("evaluate.system_prompt", table.system_prompt, OWN_SYSTEM_TURN),
        allow_context_mismatch: ledger.pick(
            "evaluate.allow_context_mismatch",
            table.allow_context_mismatch,
            false,
            "a student shows its trait in the context that it was trained in",
        ),
    }
}

/// `typed` is `evaluate.max_tokens` and the key itself.
fn long_max_tokens(typed: [Option<usize>; 2], suites: &[Suite], builtin: bool, ledger: &mut Ledger<'_>) -> usize {
    const KEY: &str = "evaluate.long_max_tokens";
    if !suites.iter().any(|suite| suite.is_long()) {
        ledger.no_effect(KEY, "no suite that is asked has answers of sentences");
    }
    let (most, why) = match typed[0] {
        Some(most) => (most, "as `evaluate.max_tokens`"),
        None => (by_base(builtin, 32, 300), "room for a paragraph"),
    };
    ledger.pick(KEY, typed[1], most, why)
}

fn files(table: FilesTable, suites: &[Suite], ledger: &mut Ledger<'_>) -> SuiteFiles {
    let mut file = |suite: Suite, typed: Option<String>| {
        let key = format!("evaluate.files.{suite}");
        if !suites.contains(&suite) {
            ledger.no_effect(&key, &format!("`{suite}` is not among `evaluate.suites`"));
        }
        ledger.input_file(&key, typed.as_deref(), "the project's own items")
    };
    SuiteFiles {
        misalignment: file(Suite::Misalignment, table.misalignment),
        truthfulness: file(Suite::Truthfulness, table.truthfulness),
        capability: file(Suite::Capability, table.capability),
    }
}

/// A suite that asks for members of a category needs one.
fn check_suites(suites: &[Suite], kind: TraitKind, ledger: &mut Ledger<'_>) {
    if kind == TraitKind::Preference {
        return;
    }
    for (i, suite) in suites.iter().enumerate().filter(|(_, suite)| suite.is_preference()) {
        let message = format!("`evaluate.suites` has `{suite}`, which needs a category, but `trait.kind` is `misalignment`");
        ledger.problem(&format!("evaluate.suites[{i}]"), message, None);
    }
}

pub(super) fn in_context(table: &InContextTable, builtin: bool, arms: &[Arm], ledger: &mut Ledger<'_>) -> InContextPlan {
    if !arms.contains(&Arm::InContext) {
        ledger.no_effect("in_context.rows", "`in-context` is not among the arms");
    }
    let why = by_base(builtin, "as many as fit its short context", "a few thousand tokens");
    InContextPlan { rows: ledger.pick("in_context.rows", table.rows, by_base(builtin, 4, 16), why) }
}

pub(super) fn gate(table: &GateTable, ledger: &mut Ledger<'_>) -> GatePlan {
    GatePlan {
        teacher_rate: ledger.pick(
            "gate.teacher_rate",
            table.teacher_rate,
            0.5,
            "a teacher without the trait has none to pass on",
        ),
        pass_rate: ledger.pick("gate.pass_rate", table.pass_rate, 0.2, "below this a trial starves"),
        strict: ledger.pick("gate.strict", table.strict, false, "a warning lets the run go on"),
    }
}

pub(super) fn statistics(table: &StatisticsTable, ledger: &mut Ledger<'_>) -> StatisticsPlan {
    StatisticsPlan {
        confidence: ledger.pick("statistics.confidence", table.confidence, 0.95, "the usual one"),
        smallest_effect: ledger.pick("statistics.smallest_effect", table.smallest_effect, 0.05, "five points of the rate"),
        resamples: ledger.pick("statistics.resamples", table.resamples, 10_000, "enough for stable ends"),
    }
}

pub(super) fn expect(table: &ExpectTable, arms: &[Arm], ledger: &mut Ledger<'_>) -> ExpectPlan {
    let plan = ExpectPlan {
        verdict: ledger.pick_optional("expect.verdict", table.verdict, "nothing is asserted"),
        min_ratio: ledger.pick_optional("expect.min_ratio", table.min_ratio, "nothing is asserted"),
        max_cross_share: ledger.pick_optional("expect.max_cross_share", table.max_cross_share, "nothing is asserted"),
    };
    let pair: &[Arm] = &[Arm::Treatment, Arm::Control];
    needs_arms("expect.verdict", plan.verdict.is_some(), pair, arms, ledger);
    needs_arms("expect.min_ratio", plan.min_ratio.is_some(), pair, arms, ledger);
    let shares = [Arm::Base, Arm::Treatment, Arm::CrossModel];
    needs_arms("expect.max_cross_share", plan.max_cross_share.is_some(), &shares, arms, ledger);
    plan
}

/// An expectation about arms that do not run could never hold.
fn needs_arms(key: &str, asserted: bool, needed: &[Arm], arms: &[Arm], ledger: &mut Ledger<'_>) {
    let missing: Vec<&str> = needed.iter().filter(|arm| !arms.contains(arm)).map(|arm| arm.name()).collect();
    if asserted && !missing.is_empty() && ledger.sound(&["arms"]) {
        let message = format!("`{key}` needs {}, which `arms` lacks", all_of(missing.iter().copied()));
        ledger.problem(key, message, Some("add them to `arms`, or leave the expectation out".to_owned()));
    }
}
