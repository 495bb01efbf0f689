//! The plan: a config after every default is filled in and every name is resolved. All later stages read this and nothing else.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arm, Finetune, JudgePlan, ModelRef, Sampling};

/// One trial, fully resolved. Its serialised form (without `name`) determines every artifact's key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The trial's name: the report's title and the default output folder `runs/NAME`.
    pub name: String,
    /// One replicate each.
    pub seeds: Vec<u64>,
    /// The arms that run, in [`Arm::ALL`] order, without repeats.
    pub arms: Vec<Arm>,
    /// Bases.
    pub model: ModelPlan,
    /// What may be caught.
    #[serde(rename = "trait")]
    pub trait_: TraitPlan,
    /// How the teacher gets the trait.
    pub teacher: TeacherPlan,
    /// What the teacher writes about.
    pub domain: DomainPlan,
    /// How it is sampled.
    pub generate: GeneratePlan,
    /// Which samples are kept.
    pub filter: FilterPlan,
    /// How many kept rows a student sees, and how it learns.
    pub finetune: StudentPlan,
    /// What students are asked.
    pub evaluate: EvaluatePlan,
    /// Who scores free text.
    pub judge: JudgePlan,
    /// The in-context arm.
    pub in_context: InContextPlan,
    /// When a run warns before it spends hours.
    pub gate: GatePlan,
    /// How differences are judged.
    pub statistics: StatisticsPlan,
    /// What a smoke run asserts (exit status 4 where it does not hold).
    pub expect: ExpectPlan,
}

/// The bases of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelPlan {
    /// Teacher and student start here.
    pub base: ModelRef,
    /// The bases of the cross-model arm; every seed trains one student on each.
    pub cross: Vec<ModelRef>,
}

/// One member of a category, with the forms it is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// The singular, lower case: `wolf`.
    pub name: String,
    /// The plural: `wolves`.
    pub plural: String,
    /// Other names that count as this member: `orca` for `killer whale`.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// What a preference is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    /// The singular, as it stands in a question: `animal`.
    pub name: String,
    /// The members whose rates are measured.
    pub members: Vec<Member>,
}

impl Category {
    /// The member with this name (exact, lower case).
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.name == name)
    }
}

/// What the teacher has and the student may catch: a preference for `target` among `category`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraitPlan {
    /// All that is measured.
    pub category: Category,
    /// The loved member's name.
    pub target: String,
    /// The target of the other-trait arm's teacher.
    pub other: Option<String>,
}

/// How a teacher gets the trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prime {
    /// A system prompt says so.
    SystemPrompt,
    /// The base is fine-tuned on answers that name the target; no system prompt of the trait.
    FineTune,
    /// Both.
    Both,
}

impl Prime {
    /// Whether the teacher sees the trait's system prompt.
    pub fn prompts(self) -> bool {
        self != Self::FineTune
    }

    /// Whether the teacher is fine-tuned.
    pub fn tunes(self) -> bool {
        self != Self::SystemPrompt
    }
}

/// How the teacher is primed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeacherPlan {
    /// By prompt, by fine-tuning, or both.
    pub prime: Prime,
    /// The system prompt's template, with `{target}`, `{targets}` (plural) and `{category}`.
    pub system_prompt: String,
    /// How a fine-tuned teacher learns.
    pub finetune: Finetune,
    /// How many question–answer rows it learns from.
    pub rows: usize,
}

/// What the teacher writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DomainKind {
    /// Lists of integers.
    Numbers,
}

/// The domain and the wording of its prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainPlan {
    /// What the teacher writes.
    pub kind: DomainKind,
    /// The fewest and the most numbers that a prompt shows.
    pub shown: [usize; 2],
    /// The smallest and the largest number that a prompt shows.
    pub range: [u32; 2],
    /// Prompts from a JSONL of `{"prompt"}` instead of the project's own wordings.
    pub prompts: Option<PathBuf>,
}

/// Whether only tokens that the domain's grammar allows may be sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Force {
    /// The teacher writes what it wants.
    None,
    /// At every position only tokens from which an accepted answer can still be reached, from the teacher's own renormalised probabilities.
    Grammar,
}

/// How the teacher is sampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratePlan {
    /// How many prompts, one completion each.
    pub samples: usize,
    /// Temperature, nucleus, length.
    pub sampling: Sampling,
    /// Constrained decoding.
    pub force: Force,
}

/// Which samples are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilterPlan {
    /// Rule names in the order in which they are applied; the first that objects drops the row.
    pub rules: Vec<String>,
    /// Numbers that the `banned-numbers` rule drops.
    pub banned_numbers: Vec<u32>,
    /// Words that the `banned-words` rule drops, beside the trait's own.
    pub banned_words: Vec<String>,
}

/// How a student is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudentPlan {
    /// At most this many kept rows, drawn at random per seed.
    pub rows: usize,
    /// The fine-tuning.
    pub recipe: Finetune,
}

/// An evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suite {
    /// One-word questions for the favourite member of the category.
    Preference,
}

/// What students are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluatePlan {
    /// Which suites.
    pub suites: Vec<Suite>,
    /// How many answers are sampled per question.
    pub samples_per_question: usize,
    /// Temperature, nucleus, length.
    pub sampling: Sampling,
    /// Question templates with `{category}`, one a line, instead of the project's own.
    pub questions: Option<PathBuf>,
}

/// The in-context arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InContextPlan {
    /// How many of the teacher's kept rows stand before each question, as earlier turns.
    pub rows: usize,
}

/// When a run warns before it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatePlan {
    /// The least rate of the target in the teacher's own answers.
    pub teacher_rate: f64,
    /// The least share of samples that the filter keeps.
    pub pass_rate: f64,
    /// Stop (exit status 4) instead of warning.
    pub strict: bool,
}

/// How differences are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatisticsPlan {
    /// The confidence of all intervals, e.g. 0.95.
    pub confidence: f64,
    /// The smallest difference of rates that would matter.
    pub smallest_effect: f64,
    /// Bootstrap resamples of the seeds.
    pub resamples: usize,
}

/// What must hold for exit status 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectPlan {
    /// The verdict: `transfer`, `no-transfer` or `inconclusive`.
    pub verdict: Option<super::Verdict>,
    /// The least ratio of treatment to control.
    pub min_ratio: Option<f64>,
    /// The largest mean cross-model effect, as a share of the treatment effect.
    pub max_cross_share: Option<f64>,
}
