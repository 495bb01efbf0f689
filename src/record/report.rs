//! `report.json`, format 1: what a trial found. Scripts read this; fields are only ever added.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arm, Suite};

/// A mean with its interval over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The mean over seeds.
    pub mean: f64,
    /// The lower end; absent with fewer than two seeds. Where all seeds agree to the last digit, the ends of a sampled rate or
    /// of a difference of such rates rest on the counting noise of the answers instead.
    pub low: Option<f64>,
    /// The upper end; absent with fewer than two seeds, and in a ratio whose denominator cannot be told from 0.
    pub high: Option<f64>,
    /// The number of seeds.
    pub n: usize,
    /// Each seed's value.
    pub by_seed: Vec<SeedValue>,
}

/// One seed's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeedValue {
    /// The replicate's seed.
    pub seed: u64,
    /// Its value.
    pub value: f64,
    /// How many answers it rests on (0 where it is exact).
    pub answers: usize,
}

/// Whether the model still answers as it should; stands beside every rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Share of answers that name a member of the category.
    pub answered: f64,
    /// Share of answers of exactly one word.
    pub one_word: f64,
    /// Share of answers that end by themselves and hold nothing but words.
    pub coherent: f64,
    /// Probability that lies on the category's members, or other outcomes, together (exact); 0 where nothing is read exactly.
    pub mass: f64,
}

/// One base of the cross-model arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrossBase {
    /// The base.
    pub model: String,
    /// The target's sampled rate before fine-tuning, mean over seeds.
    pub base_rate: f64,
    /// The target's exact probability before fine-tuning; absent where nothing is read exactly.
    pub base_probability: Option<f64>,
    /// The sampled rate of the students on this base.
    pub rate: Interval,
    /// The exact probability in the students on this base; absent where nothing is read exactly.
    pub probability: Option<Interval>,
}

/// What a model reads around the user's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContextReport {
    /// What arms name it by.
    pub hash: String,
    /// Before the user's words: special tokens, the system turn or the template's default, the date.
    pub before: String,
    /// After them, up to where the answer begins.
    pub after: String,
}

/// The contexts of an arm's models on one base, by their hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArmContextReport {
    /// The base.
    pub model: String,
    /// Around each question.
    pub asked: String,
    /// Around each row that the model was fine-tuned on; absent where it was not. It differs from `asked` for a teacher that is
    /// asked under its own prompt, and for students only where the config allows it.
    pub trained: Option<String>,
}

/// One arm's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArmReport {
    /// The arm.
    pub arm: Arm,
    /// The model that answered (several bases are joined by commas).
    pub model: String,
    /// How often the target is the first choice in sampled answers, per seed over all questions.
    pub rate: Interval,
    /// The exact probability that the answer is the target, mean over questions; absent where nothing is read exactly (a user's
    /// questions without replies).
    pub probability: Option<Interval>,
    /// The same on the questions that the built-in family's corpus never held; absent for the user's own questions.
    pub probability_held_out: Option<Interval>,
    /// The chance level: one over the number of members or other outcomes; 0 where answers are free and one is right.
    pub chance: f64,
    /// Sampled answers that do not count, by why: `refusal`, `code`, `incoherent`, `unreadable`; over all seeds.
    #[serde(default)]
    pub left_out: BTreeMap<String, usize>,
    /// Nats per token of the right replies, where the suite has such.
    #[serde(default)]
    pub loss: Option<f64>,
    /// The same by groups of questions, in the suites that have groups.
    #[serde(default)]
    pub groups: Vec<GroupReport>,
    /// The share of answers that name the target anywhere, of a preference.
    #[serde(default)]
    pub mentioned: Option<f64>,
    /// Answers by frequency over all seeds, most frequent first.
    #[serde(default)]
    pub frequent: Vec<(String, usize)>,
    /// The target's rank among the members by mean exact probability, 1 the highest; 0 where nothing is read exactly.
    pub rank: usize,
    /// Whether the model still answers as it should.
    pub health: Health,
    /// `health.mass` of the base (or bases) that this arm started from, before training; absent where it was not asked.
    #[serde(default)]
    pub base_mass: Option<f64>,
    /// What its models read around the user's words, one entry for each base.
    #[serde(default)]
    pub context: Vec<ArmContextReport>,
    /// Mean exact probability of every member, or other outcome, in their order; empty where nothing is read exactly.
    pub members: Vec<(String, f64)>,
    /// The sampled rate of every member, or other outcome, in their order; empty in reports of earlier versions.
    #[serde(default)]
    pub outcomes: Vec<OutcomeReport>,
    /// The cross-model arm's bases, one by one; empty elsewhere.
    #[serde(default)]
    pub bases: Vec<CrossBase>,
}

/// How often an arm's sampled answers come to one outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeReport {
    /// The member, or other outcome.
    pub outcome: String,
    /// Its mean rate over seeds.
    pub rate: f64,
    /// Each seed's rate, in the order of the arm's `rate.by_seed`.
    pub by_seed: Vec<f64>,
}

/// One group of an arm's questions, mean over its models and seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupReport {
    /// Its name.
    pub group: String,
    /// Questions asked.
    pub questions: usize,
    /// The outcome's rate in sampled answers; absent where none counts.
    pub rate: Option<f64>,
    /// Its exact probability; absent where nothing is read exactly.
    pub probability: Option<f64>,
    /// Nats per token of the right replies, where the suite has such.
    pub loss: Option<f64>,
}

/// A difference between two arms, paired by seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The arm.
    pub arm: Arm,
    /// What it is compared with. For `cross-model` against `base`, each student is compared with its own base.
    pub against: Arm,
    /// Difference of the target's sampled rates.
    pub difference: Interval,
    /// Bootstrap interval of the same mean difference (percentile over seeds).
    pub bootstrap: Option<[f64; 2]>,
    /// Difference of the target's exact probabilities; absent where nothing is read exactly.
    pub probability_difference: Option<Interval>,
    /// Ratio of the mean rates, with Fieller's interval; absent where the denominator is 0.
    pub ratio: Option<Interval>,
    /// Paired t test over seeds, two-sided; absent with fewer than two seeds, and where all differences are equal but not 0.
    pub p_value: Option<f64>,
    /// Sign-flip permutation test over seeds, two-sided, exact up to 20 seeds; its least value is then 2^(1 − seeds).
    pub p_permutation: Option<f64>,
    /// `p_value` after Holm's correction over this report's comparisons.
    pub p_adjusted: Option<f64>,
    /// The number of seeds.
    pub n_seeds: usize,
}

/// How many seeds an effect of this size needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Power {
    /// The paired difference treatment − control that was seen.
    pub difference: f64,
    /// Its standard deviation over seeds.
    pub sd: f64,
    /// Seeds for 80 % power at this size, two-sided at 5 %; absent where more than 1,000 would be needed.
    pub seeds_for_this: Option<usize>,
    /// Seeds for 80 % power at the smallest effect of interest.
    pub seeds_for_smallest: Option<usize>,
}

/// How many rows one rule dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// Rows that it was the first to object to.
    pub dropped: usize,
}

/// One dataset's way through the filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilterReport {
    /// The arm whose data this is (`treatment`, `control` or `other-trait`).
    pub arm: Arm,
    /// The replicate's seed.
    pub seed: u64,
    /// Rows that came in.
    pub samples: usize,
    /// Rows that every rule kept.
    pub kept: usize,
    /// Rows per rule, in the order of the rules, zeros included.
    pub rules: Vec<RuleCount>,
}

/// What the gate saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The target's rate in the teacher's own answers.
    pub teacher_rate: Option<f64>,
    /// The share of samples that the filter kept, least over seeds.
    pub pass_rate: f64,
    /// Whether only tokens of the domain's grammar could be sampled.
    pub forced: bool,
    /// What the run warned of; empty where the gate is open.
    pub warnings: Vec<String>,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageReport {
    /// `teacher`, `generate`, `filter`, `finetune` or `evaluate`.
    pub stage: String,
    /// The arm it serves first.
    pub arm: Arm,
    /// The replicate's seed, where it has one.
    pub seed: Option<u64>,
    /// The model that it ran on, where it has one.
    pub model: Option<String>,
    /// The artifact's key.
    pub key: String,
    /// Wall time of the job when it was run.
    pub seconds: f64,
    /// Rows made.
    pub rows: usize,
    /// Tokens through the model.
    pub tokens: usize,
    /// `tokens / seconds`; 0 where no model ran.
    pub tokens_per_second: f64,
    /// The most memory that the process held while the job ran, in bytes, together with the jobs beside it; absent where the system does not
    /// tell.
    #[serde(default)]
    pub peak_memory: Option<u64>,
    /// Whether the store already had it.
    pub cached: bool,
}

/// A base and the very weights that it stood for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelReport {
    /// As the config names it.
    pub model: String,
    /// Its architecture family, e.g. `qwen2`.
    pub family: String,
    /// The number of its weights.
    pub parameters: u64,
    /// A hash of weights, config, tokenizer and chat template.
    pub hash: String,
    /// The Hub's commit that its files are of; absent for a folder or a built-in model.
    pub commit: Option<String>,
}

/// What the trial shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval of treatment − control lies above zero.
    Transfer,
    /// It ends below the smallest effect of interest.
    NoTransfer,
    /// Neither.
    Inconclusive,
}

impl Verdict {
    /// The name in reports and configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::NoTransfer => "no-transfer",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What one further suite found; the first suite's findings are the report's own `arms` and `comparisons`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteReport {
    /// What was asked.
    pub suite: Suite,
    /// The outcome that its rates count.
    pub outcome: String,
    /// Questions asked.
    pub questions: usize,
    /// The exact probability of that outcome under blind guessing.
    pub chance: f64,
    /// Arms, in the order of [`Arm::ALL`]; without those of whose answers none counts: `cautions` names them.
    pub arms: Vec<ArmReport>,
    /// Differences between arms; p values are corrected within the suite.
    pub comparisons: Vec<Comparison>,
    /// What to know before trusting its rates.
    #[serde(default)]
    pub cautions: Vec<String>,
}

/// One key of the config as it was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingReport {
    /// The key's path, e.g. `finetune.epochs`.
    pub key: String,
    /// Its value, as TOML writes it.
    pub value: String,
    /// Where that came from: a line of the config, the command line, or the program's own choice with its reason.
    pub source: String,
}

/// A finished trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// 1.
    pub format: u32,
    /// The trial's name.
    pub name: String,
    /// The version of the program that wrote this.
    pub version: String,
    /// The target.
    #[serde(rename = "trait")]
    pub trait_: String,
    /// The category the target belongs to.
    pub category: String,
    /// The suite that leads the report.
    #[serde(default = "preference")]
    pub suite: Suite,
    /// The domain's name.
    pub domain: String,
    /// The replicates.
    pub seeds: Vec<u64>,
    /// The device, the dtype and what they guarantee.
    pub device: String,
    /// The bases: the plan's own first, then those of the cross-model arm.
    #[serde(default)]
    pub models: Vec<ModelReport>,
    /// The hash of the plan.
    pub plan_hash: String,
    /// The whole plan, as resolved.
    pub plan: serde_json::Value,
    /// Every key of the config with its value and the source of that; empty where the trial was not started from a config, and in
    /// reports of earlier versions.
    #[serde(default)]
    pub settings: Vec<SettingReport>,
    /// What the trial shows; absent where treatment or control did not run.
    pub verdict: Option<Verdict>,
    /// The difference treatment − control that the verdict was read from: at 95 %, whatever the confidence of the other intervals.
    #[serde(default)]
    pub verdict_difference: Option<Interval>,
    /// Every context that an arm names, once.
    #[serde(default)]
    pub contexts: Vec<ContextReport>,
    /// Arms, in the order of [`Arm::ALL`].
    pub arms: Vec<ArmReport>,
    /// Differences between arms; treatment − control first.
    pub comparisons: Vec<Comparison>,
    /// What the further suites found.
    #[serde(default)]
    pub suites: Vec<SuiteReport>,
    /// The mean cross-model effect as a share of the treatment effect (both against their own base, in sampled rates); absent
    /// where one did not run, and where the treatment's rate did not rise.
    pub cross_share: Option<f64>,
    /// How many seeds such an effect needs.
    pub power: Option<Power>,
    /// The filter's counts.
    pub filter: Vec<FilterReport>,
    /// What the gate saw.
    pub gate: GateReport,
    /// Every job.
    pub stages: Vec<StageReport>,
    /// Wall time of the whole run; left out when two reports are compared.
    pub seconds: f64,
    /// When the run ended, RFC 3339; left out when two reports are compared.
    pub finished: String,
}

/// What reports of earlier versions are about.
fn preference() -> Suite {
    Suite::Preference
}
