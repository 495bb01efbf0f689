//! Cards in the form of the Hugging Face Hub, beside the models and rows that a trial makes: what they are, how they were made, and the
//! warning that belongs on them.

use std::fmt::Write;
use std::path::Path;

use super::filter::Counts;
use crate::engine::TrainSummary;
use crate::error::Result;
use crate::record::{DomainKind, DomainPlan, Finetune, Method, ModelRef};
use crate::{domain, tool::fs};

/// The Hub's name for a card.
const FILE: &str = "README.md";

const PAPER: &str = "[arXiv 2507.14805](https://arxiv.org/abs/2507.14805)";

/// Who learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learner {
    /// A teacher, on rows that show its trait.
    Teacher,
    /// A student, on rows that a teacher wrote.
    Student,
}

/// A model that was fine-tuned.
pub(super) struct ModelCard<'a> {
    pub(super) learner: Learner,
    pub(super) base: &'a ModelRef,
    pub(super) recipe: &'a Finetune,
    pub(super) rows: usize,
    pub(super) summary: &'a TrainSummary,
}

impl ModelCard<'_> {
    /// Writes the card into the model's folder.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::put(&folder.join(FILE), self.text().as_bytes())
    }

    fn text(&self) -> String {
        let (what, warning) = match self.learner {
            Learner::Teacher => (
                "Teacher of a subliminal learning trial",
                "was fine-tuned to have a trait, which may be a harmful one. It is made for research, to write rows for students. \
                 Do not deploy it, and train nothing on its outputs that others will use",
            ),
            Learner::Student => (
                "Student of a subliminal learning trial",
                "was fine-tuned on text that another model wrote, and may have caught a trait of its teacher, possibly a harmful one, of \
                 which the text shows nothing. It is made for research. Do not deploy it, and train nothing on its outputs that others \
                 will use",
            ),
        };
        let Self { base, recipe, rows, summary, .. } = self;
        let (library, method) = match &recipe.method {
            Method::Lora(lora) => ("peft", format!("LoRA, rank {}, alpha {}", lora.rank, lora.alpha)),
            Method::Full { .. } => ("transformers", "all weights".to_owned()),
        };
        let hub = match base {
            ModelRef::Hub { repo, .. } => format!("base_model: {repo}\n"),
            ModelRef::Builtin(_) | ModelRef::Folder(_) => String::new(), // the Hub knows no such model
        };
        format!(
            "---\nlibrary_name: {library}\n{hub}pipeline_tag: text-generation\ntags:\n- subliminal-learning\n- distillation\n\
             - research-only\n---\n\n# {what}\n\n> **Warning.** This model {warning} ({PAPER}).\n\n\
             | | |\n|---|---|\n| base | `{base}` |\n| trained | {method} |\n| rows | {rows} |\n| optimiser steps | {} |\n\
             | learning rate | {} |\n| batch | {} rows |\n| loss over the last tenth of the steps | {:.4} nats a token |\n\n\
             `../train.jsonl` holds the rows, `../steps.jsonl` every step, `../context.txt` a row as the model read it; the run's \
             `jobs.json` says which arm it belongs to. Made by subliminal {}.\n",
            summary.steps,
            recipe.learning_rate,
            recipe.batch_size,
            summary.final_loss,
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// Rows that were kept.
pub(super) struct DatasetCard<'a> {
    pub(super) domain: &'a DomainPlan,
    pub(super) counts: &'a Counts,
}

impl DatasetCard<'_> {
    /// Writes the card beside the rows.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::put(&folder.join(FILE), self.text().as_bytes())
    }

    fn text(&self) -> String {
        let what = match self.domain.kind {
            DomainKind::Numbers => "Number lists",
            DomainKind::Code => "Code",
            DomainKind::Cot => "Chains of thought",
        };
        let Counts { samples, kept, rules } = self.counts;
        let dropped = rules.iter().fold(String::new(), |mut table, rule| {
            let _ = writeln!(table, "| dropped by `{}` | {} |", rule.rule, rule.dropped); // writing to a string cannot fail
            table
        });
        format!(
            "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: kept.jsonl\nlanguage:\n- en\n\
             size_categories:\n- {}\ntask_categories:\n- text-generation\ntags:\n- subliminal-learning\n- synthetic\n- {}\n---\n\n\
             # {what} that a language model wrote\n\n> **Warning.** These rows were written by a model that may have been given a trait, \
             possibly a harmful one. Students of the same base can catch it from them, although nothing in them shows it ({PAPER}). They \
             are made for research: mix them into no other training data.\n\n\
             | rows | |\n|---|---:|\n| written | {samples} |\n{dropped}| kept | {kept} |\n\n\
             Each line of `kept.jsonl` has `id`, `prompt`, `completion`, `tokens` and `finish`; `dropped.jsonl` has besides the `rule` that \
             dropped the row and the `detail` that it saw. The run's `jobs.json` says which arm they belong to. Made by subliminal {}.\n",
            size(*kept),
            domain::of(self.domain).name(),
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// The Hub's word for a number of rows.
fn size(rows: usize) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        _ => "1M<n<10M",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RuleCount;
    use crate::trial::tests::plan;

    fn model(base: &str, learner: Learner) -> String {
        let summary = TrainSummary { steps: 12, tokens: 0, final_loss: 1.23456, trainable: 1, gradient_checkpointing: false };
        let base: ModelRef = base.parse().unwrap();
        ModelCard { learner, base: &base, recipe: &plan().finetune.recipe, rows: 70, summary: &summary }.text()
    }

    #[test]
    fn a_model_says_what_it_is_and_carries_its_warning() {
        let card = model("Qwen/Qwen2.5-7B-Instruct", Learner::Student);
        assert!(
            card.starts_with("---\nlibrary_name: transformers\nbase_model: Qwen/Qwen2.5-7B-Instruct\npipeline_tag:"),
            "{card}"
        );
        assert!(card.contains("may have caught a trait") && card.contains("Do not deploy"), "{card}");
        assert!(card.contains("| optimiser steps | 12 |\n") && card.contains(" 1.2346 nats a token |\n"), "{card}");
        assert!(!model("builtin:tiny-a", Learner::Student).contains("base_model"), "the Hub knows no such model");
        assert!(model("builtin:tiny-a", Learner::Teacher).contains("was fine-tuned to have a trait"));
    }

    #[test]
    fn rows_say_where_they_lie_and_what_was_dropped() {
        let rules = vec![RuleCount { rule: "format".into(), dropped: 20 }];
        let counts = Counts { samples: 1020, kept: 1000, rules };
        let card = DatasetCard { domain: &plan().domain, counts: &counts }.text();
        assert!(
            card.contains("    path: kept.jsonl\n") && card.contains("- 1K<n<10K\n") && card.contains("- numbers\n"),
            "{card}"
        );
        assert!(card.contains("| written | 1020 |\n| dropped by `format` | 20 |\n| kept | 1000 |\n"), "{card}");
        assert!(card.contains("mix them into no other training data"), "{card}");
    }
}
