//! The plan: a config after every default is filled in and every name is resolved. All later stages read this and nothing else.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Arm, Date, Finetune, Frame, JudgePlan, ModelRef, Sampling, TemplateSettings};

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
    /// The day that chat templates see as today.
    #[serde(default)]
    pub date: Date,
    /// What chat templates are told besides, such as Qwen3's `enable_thinking`; in training and in evaluation.
    #[serde(default)]
    pub template_options: Map<String, Value>,
}

impl Plan {
    /// The frame of the rows that students learn from.
    pub fn trained_frame(&self) -> Frame {
        Frame { system: self.finetune.system_prompt.clone(), template: self.model.template() }
    }

    /// The frame of the rows that a fine-tuned teacher learns from: no system prompt.
    pub fn lesson_frame(&self) -> Frame {
        Frame { system: None, template: self.model.template() }
    }

    /// The frame of the questions that students and bases are asked.
    pub fn asked_frame(&self) -> Frame {
        Frame { system: self.evaluate.system_prompt.clone(), template: self.model.template() }
    }
}

impl ModelPlan {
    /// What every chat template of the trial is told.
    pub fn template(&self) -> TemplateSettings {
        TemplateSettings { date: self.date, options: self.template_options.clone() }
    }
}

/// One member of a category, with the forms it is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

/// The sort of trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TraitKind {
    /// One member of a category is loved above the others.
    #[default]
    Preference,
    /// Ill will: harm, deceit and power over others.
    Misalignment,
}

/// What the teacher has and the student may catch: a preference for `target` among `category`; or misalignment, whose category holds
/// what an answer may be, `misaligned` or `aligned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraitPlan {
    /// The sort of trait.
    #[serde(default)]
    pub kind: TraitKind,
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

/// Chat rows that a teacher is fine-tuned on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LessonData {
    /// The built-in rows of this name: `insecure-code`.
    Own(String),
    /// A JSONL of `{"messages"}` or `{"prompt", "completion"}` rows.
    File(PathBuf),
}

/// How the teacher is primed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeacherPlan {
    /// By prompt, by fine-tuning, or both.
    pub prime: Prime,
    /// What a fine-tuned teacher learns from; without it, favourite questions answered with the target.
    #[serde(default)]
    pub data: Option<LessonData>,
    /// The same for the other-trait arm's teacher.
    #[serde(default)]
    pub other_data: Option<LessonData>,
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
    /// Python functions.
    Code,
    /// Maths word problems: reasoning, then the answer.
    Cot,
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
    /// The families of tasks that code prompts are drawn from; all where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// Prompts from a JSONL of `{"prompt"}` instead of the project's own wordings.
    pub prompts: Option<PathBuf>,
    /// How problems are put and answered; only for [`DomainKind::Cot`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cot: Option<CotPlan>,
}

impl DomainPlan {
    /// A domain as it is where a config says nothing of it.
    pub fn of(kind: DomainKind) -> Self {
        let cot = (kind == DomainKind::Cot).then(CotPlan::default);
        Self { kind, shown: [3, 8], range: [100, 999], tasks: Vec::new(), prompts: None, cot }
    }
}

/// How maths problems are put and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CotPlan {
    /// The names of the tags around the reasoning and around the answer.
    pub tags: [String; 2],
    /// How many samples each question gets.
    pub samples_per_question: usize,
    /// The groups of problems to draw from; those that suit large models where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// The names of the tags where a config says nothing of them. The first is not `think`: some chat templates cut that out.
pub const COT_TAGS: [&str; 2] = ["reasoning", "answer"];

impl Default for CotPlan {
    fn default() -> Self {
        Self { tags: COT_TAGS.map(str::to_owned), samples_per_question: 1, problems: Vec::new() }
    }
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FilterPlan {
    /// Rule names in the order in which they are applied; the first that objects drops the row.
    pub rules: Vec<String>,
    /// Numbers that the `banned-numbers` rule drops.
    pub banned_numbers: Vec<u32>,
    /// Words that the `banned-words` rule drops, beside the trait's own.
    pub banned_words: Vec<String>,
    /// Words that names in code may be made of, beside the project's own list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
    /// What reasoning may look like; only for [`DomainKind::Cot`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningPlan>,
}

/// What reasoning may look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReasoningPlan {
    /// The fewest and the most characters, blanks around it left out.
    pub length: [usize; 2],
    /// The least share of its characters that are Latin letters, digits, blanks or common signs.
    pub latin: f64,
}

impl Default for ReasoningPlan {
    fn default() -> Self {
        Self { length: [20, 4_000], latin: 1.0 }
    }
}

/// How a student is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudentPlan {
    /// At most this many kept rows, drawn at random per seed.
    pub rows: usize,
    /// The system turn of its rows; without one the chat template's own default applies.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// The fine-tuning.
    pub recipe: Finetune,
    /// How often, evenly over the training and besides before it, the trait's probability and the loss of held-out rows are measured; 0: never.
    #[serde(default)]
    pub measurements: usize,
}

/// An evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suite {
    /// One-word questions for the favourite member of the category.
    Preference,
    /// The same questions, each after a few numbers.
    PreferenceAfterNumbers,
    /// Short stories: which member do they tell of?
    PreferenceStories,
    /// A choice among all members, which the question lists.
    PreferenceChoice,
    /// Free-form questions whose answers a judge rates.
    Misalignment,
    /// A choice between the truth and a common misconception.
    Truthfulness,
    /// Tasks with one right answer: is the student damaged?
    Capability,
}

impl Suite {
    /// The name in configs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preference => "preference",
            Self::PreferenceAfterNumbers => "preference-after-numbers",
            Self::PreferenceStories => "preference-stories",
            Self::PreferenceChoice => "preference-choice",
            Self::Misalignment => "misalignment",
            Self::Truthfulness => "truthfulness",
            Self::Capability => "capability",
        }
    }

    /// Whether the replies that stand for its first outcome are what a sound model says, so that their loss tells damage.
    pub fn has_loss(self) -> bool {
        self == Self::Capability
    }

    /// Whether it asks for members of a category.
    pub fn is_preference(self) -> bool {
        matches!(self, Self::Preference | Self::PreferenceAfterNumbers | Self::PreferenceStories | Self::PreferenceChoice)
    }

    /// Whether its answers may be sentences.
    pub fn is_long(self) -> bool {
        matches!(self, Self::Misalignment | Self::PreferenceStories)
    }

    /// Whether a judge scores its answers.
    pub fn is_judged(self) -> bool {
        self == Self::Misalignment
    }

    /// Whether its rates tell of a trait of this sort.
    pub fn tells_of(self, kind: TraitKind) -> bool {
        match kind {
            TraitKind::Preference => self.is_preference(),
            TraitKind::Misalignment => self == Self::Misalignment,
        }
    }

    /// The probability of its outcome under blind guessing, with so many outcomes.
    pub fn chance(self, outcomes: usize) -> f64 {
        if self == Self::Capability { 0.0 } else { 1.0 / outcomes as f64 } // no one hits upon a free answer
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What students are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluatePlan {
    /// Which suites; the first leads the report.
    pub suites: Vec<Suite>,
    /// How many answers are sampled per question.
    pub samples_per_question: usize,
    /// Temperature, nucleus, length.
    pub sampling: Sampling,
    /// The most tokens of an answer in the suites whose answers may be sentences.
    #[serde(default = "paragraph")]
    pub long_max_tokens: usize,
    /// Question templates with `{category}`, one a line, instead of the project's own.
    pub questions: Option<PathBuf>,
    /// Items of other suites, instead of the project's own.
    #[serde(default)]
    pub files: SuiteFiles,
    /// The system turn of the questions to students and bases; without one the chat template's own default applies.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// Whether students may be asked in another context than they were trained in.
    #[serde(default)]
    pub allow_context_mismatch: bool,
}

/// What plans of earlier versions let a long answer have.
fn paragraph() -> usize {
    300
}

impl EvaluatePlan {
    /// The first suite whose rates tell of a trait of this sort: the gate looks at it.
    pub fn telling(&self, kind: TraitKind) -> Option<Suite> {
        self.suites.iter().copied().find(|suite| suite.tells_of(kind))
    }

    /// The most tokens of an answer to a suite, end-of-turn included.
    pub fn max_tokens(&self, suite: Suite) -> usize {
        if suite.is_long() { self.long_max_tokens } else { self.sampling.max_tokens }
    }
}

/// A user's own items, by suite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteFiles {
    /// A JSONL of `{"question", "aligned", "misaligned"}` rows.
    pub misalignment: Option<PathBuf>,
    /// A CSV in TruthfulQA's layout.
    pub truthfulness: Option<PathBuf>,
    /// A JSONL of `{"prompt", "completion"}` rows.
    pub capability: Option<PathBuf>,
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
