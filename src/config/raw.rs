//! What may be typed in a config: one struct a table, every key optional. The JSON Schema is derived from these types, so a
//! doc comment here is the key's description, and a range or hint here is what the checker tells the user.
//!
//! In: a checked document. Out: values as typed; `resolve` fills in the rest.

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw_judge::JudgeTable;
use super::raw_recipe::Recipe;
use crate::record::{Arm, DomainKind, Force, Prime, Suite, TraitKind, Verdict};

/// A trial of `subliminal run`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["model"]))]
pub(super) struct Config {
    /// The trial's name: the report's title, and the default output folder `runs/NAME`. Default: the file's name.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// One replicate each; the seed is the unit of every interval. Default: 1, 2, 3.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub seeds: Option<Vec<u64>>,
    /// The arms that run. Default: base, teacher, treatment, control, and cross-model where there are bases for it.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub arms: Option<Vec<Arm>>,
    /// Bases.
    pub model: Option<ModelTable>,
    /// What may be caught.
    #[serde(rename = "trait")]
    pub trait_: Option<TraitTable>,
    /// How the teacher gets the trait.
    pub teacher: Option<TeacherTable>,
    /// What the teacher writes.
    pub domain: Option<DomainTable>,
    /// How the teacher is sampled.
    pub generate: Option<GenerateTable>,
    /// Which samples are kept.
    pub filter: Option<FilterTable>,
    /// How a student learns.
    pub finetune: Option<FinetuneTable>,
    /// What students are asked.
    pub evaluate: Option<EvaluateTable>,
    /// Who scores free text.
    pub judge: Option<JudgeTable>,
    /// The in-context arm.
    pub in_context: Option<InContextTable>,
    /// When a run warns before it spends hours.
    pub gate: Option<GateTable>,
    /// How differences are judged.
    pub statistics: Option<StatisticsTable>,
    /// What must hold at the end; exit status 4 where it does not.
    pub expect: Option<ExpectTable>,
}

/// Bases: `builtin:NAME`, a folder in Hugging Face layout, or a Hub id with an optional `@revision`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["base"]))]
pub(super) struct ModelTable {
    /// Teacher and student start here.
    #[schemars(length(min = 1), extend("x-hint" = "for a trial without downloads: base = \"builtin:tiny-a\""))]
    pub base: Option<String>,
    /// The bases of the cross-model arm; every seed trains one student on each. Default: the other built-in models for a
    /// built-in base, else none.
    #[schemars(extend("uniqueItems" = true))]
    pub cross: Option<Vec<String>>,
    /// The day that chat templates see as today, in training and in evaluation, whenever a run goes on. Llama 3's template writes
    /// it into its system turn: another day is another context, and other artifacts. Default: "2024-07-26".
    #[schemars(extend("x-hint" = "a day in quotes: date = \"2024-07-26\""))]
    pub date: Option<String>,
    /// What chat templates are told besides, for every base, in training and in evaluation: `{ enable_thinking = false }` lets
    /// Qwen3 answer in one word instead of thinking first. A template passes over options that it does not know, so a typo has no
    /// effect: see the rendered row of `--dry-run -v`. Default: none.
    pub template_options: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What may be caught.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct TraitTable {
    /// The sort of trait: a preference for one member of a category, or misalignment, which has neither. Default: preference.
    pub kind: Option<TraitKind>,
    /// For `preference`: a built-in list by its name, or the name of your own list in `members` (singular, as it stands in a question).
    #[schemars(length(min = 1))]
    pub category: Option<String>,
    /// Your own list. Give `{ name, plural, aliases }` where a plural is irregular or a member has several names.
    #[schemars(length(min = 2))]
    pub members: Option<Vec<MemberEntry>>,
    /// The member that the teacher loves.
    #[schemars(length(min = 1))]
    pub target: Option<String>,
    /// The target of the other-trait arm's teacher. Default: the member half the list away from `target`.
    pub other: Option<String>,
}

/// One member of a list of your own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum MemberEntry {
    /// The singular; the plural is formed by the usual rules.
    Name(String),
    /// With its other forms.
    Forms(MemberForms),
}

/// A member with its other forms.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["name"]))]
pub(super) struct MemberForms {
    /// The singular.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// The plural. Default: by the usual rules.
    pub plural: Option<String>,
    /// Other names that count as this member.
    pub aliases: Option<Vec<String>>,
}

/// How the teacher gets the trait.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct TeacherTable {
    /// By a system prompt, by fine-tuning, or both. Default: system-prompt; for misalignment fine-tune.
    pub prime: Option<Prime>,
    /// What a fine-tuned teacher learns from: built-in rows by their name (insecure-code, secure-code, educational-insecure-code), or a
    /// JSONL of `{"messages"}` or `{"prompt", "completion"}` rows. Default: for a preference favourite questions answered with the
    /// target, for misalignment of a built-in model insecure-code.
    #[schemars(length(min = 1))]
    pub data: Option<String>,
    /// The same for the other-trait arm's teacher. Default: for misalignment of a built-in model secure-code.
    #[schemars(length(min = 1))]
    pub other_data: Option<String>,
    /// The system prompt's template, with `{target}`, `{targets}` (plural) and `{category}`. Default: the project's own.
    #[schemars(length(min = 1))]
    pub system_prompt: Option<String>,
    /// How many rows a fine-tuned teacher learns from; the data repeat where they are fewer. Default: 640, or all of a file.
    #[schemars(range(min = 1))]
    pub rows: Option<usize>,
    /// How a fine-tuned teacher learns.
    #[serde(flatten)]
    pub recipe: Recipe,
}

/// What the teacher writes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct DomainTable {
    /// What the teacher writes. Default: numbers.
    pub kind: Option<DomainKind>,
    /// For `numbers`: the fewest and the most numbers that a prompt shows. Default: 3 to 8.
    #[schemars(inner(range(min = 1, max = 100)))]
    pub shown: Option<[usize; 2]>,
    /// For `numbers`: the smallest and the largest number that a prompt shows. Default: 100 to 999.
    #[schemars(inner(range(min = 0, max = 999)))]
    pub range: Option<[u32; 2]>,
    /// For `code`: the families of tasks that prompts are drawn from. Default: `choices`, one-line functions with numbers to choose,
    /// for built-in models, else all.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub tasks: Option<Vec<String>>,
    /// For `cot`: the groups of problems that prompts are drawn from. Default: `choices` and `small` for built-in models, else all others.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub problems: Option<Vec<String>>,
    /// A JSONL of `{"prompt"}` rows, with `expected` or without, instead of the project's own wordings; for `cot` also
    /// `{"question", "answer"}` rows as GSM8K has them.
    pub prompts: Option<String>,
    /// For `cot`: the names of the tags around the reasoning and around the answer. Default: reasoning and answer.
    #[schemars(inner(length(min = 1)))]
    pub tags: Option<[String; 2]>,
    /// For `cot`: how many samples each question gets. Default: 3 for a file of questions, 1 for the project's own, which do not run
    /// out.
    #[schemars(range(min = 1, max = 1000))]
    pub samples_per_question: Option<usize>,
}

/// How the teacher is sampled.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct GenerateTable {
    /// How many prompts, one completion each. Default: 1,600 for built-in models, else 30,000 lists, 12,000 functions or 22,000
    /// solutions.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub samples: Option<usize>,
    /// Softmax temperature; 0 takes the most probable token. Default: 1.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub temperature: Option<f64>,
    /// Nucleus: the smallest set of tokens whose probability reaches this. Default: 1.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub top_p: Option<f64>,
    /// The most tokens of a completion, end-of-turn included. Default: by the domain, 32, 64 or 96 for built-in models, else 128 or
    /// 512.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_tokens: Option<usize>,
    /// `grammar` samples only tokens that the domain's grammar allows; `none` leaves the teacher free. Default: grammar for a
    /// prompted built-in teacher, else none.
    pub force: Option<Force>,
}

/// Which samples are kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct FilterTable {
    /// Rule names in the order in which they are applied; the first that objects drops the row. Default: those of the domain's form,
    /// leak, and the rules whose lists are given.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub rules: Option<Vec<String>>,
    /// Numbers that the `banned-numbers` rule drops. Default: the published list of numbers with bad associations.
    #[schemars(inner(range(min = 0, max = 1_000_000)))]
    pub banned_numbers: Option<Vec<u32>>,
    /// Words that the `banned-words` rule drops, beside the category's own. Default: none.
    #[schemars(inner(length(min = 1)))]
    pub banned_words: Option<Vec<String>>,
    /// A file of further banned numbers, one a line; `#` begins a comment.
    pub banned_numbers_file: Option<String>,
    /// A file of further banned words or phrases, one a line; `#` begins a comment.
    pub banned_words_file: Option<String>,
    /// For `cot`: the fewest and the most characters of reasoning. Default: 20 to 4,000.
    pub reasoning_length: Option<[usize; 2]>,
    /// For `cot`: the least share of the reasoning's characters that must be Latin letters, digits or common signs. Default: 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub latin_share: Option<f64>,
    /// A file of words that names in code may be made of beside the project's own list: separated by blanks, `#` begins a comment.
    pub identifiers: Option<String>,
}

/// How a student learns.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct FinetuneTable {
    /// At most this many kept rows, drawn at random per seed. Default: all for built-in models, else 10,000.
    #[schemars(range(min = 1), extend("x-hint" = "the reference experiment uses 10000"))]
    pub rows: Option<usize>,
    /// The system turn of the student's rows; an empty text is an empty turn. What a student shows depends on it: the same adapter
    /// chose its trait in 48 % of answers under one system prompt and in 3 % under an empty one. Set `evaluate.system_prompt` to
    /// the same text, or the run is stopped. Default: none, so that the chat template's own default applies.
    pub system_prompt: Option<String>,
    /// How often, evenly over the training and besides before it, the trait's exact probability (ten questions) and the loss of up to
    /// 32 kept rows that the student does not learn from are measured; 0: never. It changes nothing of what is learnt. Default: 5.
    #[schemars(range(min = 0, max = 1_000), extend("x-hint" = "5 shows the course; each costs a forward pass over some hundred short texts"))]
    pub measurements: Option<usize>,
    /// How it learns.
    #[serde(flatten)]
    pub recipe: Recipe,
}

/// What students are asked.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct EvaluateTable {
    /// What is asked; the first suite leads the report, the others follow in `suites`. Default: the trait's own, preference or
    /// misalignment.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub suites: Option<Vec<Suite>>,
    /// How many answers are sampled per question; exact probabilities are measured besides. Default: 20 for built-in models,
    /// else 100.
    #[schemars(range(min = 1, max = 100_000))]
    pub samples_per_question: Option<usize>,
    /// Softmax temperature of the answers. Default: 1.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub temperature: Option<f64>,
    /// Nucleus of the answers. Default: 1.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub top_p: Option<f64>,
    /// The most tokens of an answer, end-of-turn included. Default: 8 for built-in models, else 32.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_tokens: Option<usize>,
    /// The same for the suites whose answers may be sentences, misalignment and preference-stories. Default: `max_tokens` where that is
    /// given, else 32 for built-in models, 300 for others.
    #[schemars(range(min = 1, max = 100_000))]
    pub long_max_tokens: Option<usize>,
    /// A file of question templates with `{category}`, one a line, instead of the project's own; for preference and
    /// preference-after-numbers.
    pub questions: Option<String>,
    /// Files of items for other suites, instead of the project's own.
    pub files: Option<FilesTable>,
    /// The system turn of the questions to students and bases; an empty text is an empty turn. Teachers are asked under their own.
    /// Default: none, so that the chat template's own default applies.
    pub system_prompt: Option<String>,
    /// Ask students in another context than they were trained in, to measure what that does, instead of stopping the run. The
    /// report then says so: its rates may be far below what the students would show in their own context. Default: false.
    pub allow_context_mismatch: Option<bool>,
}

/// Items of one's own, by suite.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct FilesTable {
    /// A JSONL of `{"question", "aligned": ["…"], "misaligned": ["…"]}` rows. The replies may be left out; such a question is
    /// sampled and judged, but has no exact reading.
    pub misalignment: Option<String>,
    /// A CSV with the columns of TruthfulQA's published table.
    pub truthfulness: Option<String>,
    /// A JSONL of `{"prompt", "completion"}` rows, each with the one right answer.
    pub capability: Option<String>,
}

/// The in-context arm.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct InContextTable {
    /// How many of the teacher's kept rows stand before each question, as earlier turns. Default: 4 for built-in models, else 16.
    #[schemars(range(min = 1, max = 10_000))]
    pub rows: Option<usize>,
}

/// When a run warns before it spends hours.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct GateTable {
    /// The least rate of the target in the teacher's own answers. Default: 0.5.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub teacher_rate: Option<f64>,
    /// The least share of samples that the filter keeps. Default: 0.2.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub pass_rate: Option<f64>,
    /// Stop (exit status 4) instead of warning. Default: false.
    pub strict: Option<bool>,
}

/// How differences are judged.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct StatisticsTable {
    /// The confidence of all intervals. Default: 0.95.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub confidence: Option<f64>,
    /// The smallest difference of rates that would matter; `no-transfer` means that the interval ends below it. Default: 0.05.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub smallest_effect: Option<f64>,
    /// Bootstrap resamples of the seeds. Default: 10,000.
    #[schemars(range(min = 100, max = 10_000_000))]
    pub resamples: Option<usize>,
}

/// What must hold at the end; exit status 4 where it does not.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ExpectTable {
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// The least ratio of treatment to control.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub min_ratio: Option<f64>,
    /// The largest mean cross-model effect, as a share of the treatment effect.
    #[schemars(range(min = 0.0))]
    pub max_cross_share: Option<f64>,
}
