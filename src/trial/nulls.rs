//! Known nulls: bases with which others saw nothing pass on from a prompted teacher that samples, and what worked instead.
//!
//! A base is judged by the number of its weights and, for families of any size, by its family and name. The built-in family is made
//! for such teachers.

use crate::engine::ModelIdentity;
use crate::record::{ModelRef, Plan, Prime, in_words};

/// The size up to which nulls were reported whatever the family: "3B" models have up to 3.3 billion weights.
const SMALL: u64 = 3_500_000_000;

/// What worked where these did not.
const CURE: &str = "what worked: a teacher that is fine-tuned and prompted and writes greedily (`teacher.prime = \"both\"`, \
    `generate.temperature = 0`; Llama-3.2-1B-Instruct, 15 to 65 %), or Qwen2.5-7B-Instruct as base (1 to 48 %)";

/// A family with which nothing was seen at any size that was tried.
struct Family {
    /// As people call it.
    name: &'static str,
    /// Its `model_type`, where that is its own.
    model_type: Option<&'static str>,
    /// How the names of its checkpoints begin, in lower case.
    prefix: &'static str,
}

const FAMILIES: [Family; 3] = [
    Family { name: "Gemma 2", model_type: Some("gemma2"), prefix: "gemma-2-" },
    Family { name: "Ministral", model_type: None, prefix: "ministral-" },
    Family { name: "Qwen3.5 (0.8 and 4 billion weights)", model_type: None, prefix: "qwen3.5-" },
];

/// What to know before hours are spent on this plan, where its base is one with which others saw nothing.
pub fn known_null(plan: &Plan, base: &ModelIdentity) -> Option<String> {
    let sampled = plan.generate.sampling.temperature > 0.0;
    if plan.teacher.prime != Prime::SystemPrompt || !sampled || matches!(base.model, ModelRef::Builtin(_)) {
        return None;
    }
    let seen = "others saw nothing pass on from a prompted teacher's sampled numbers";
    if base.parameters < SMALL {
        let size = in_words(base.parameters);
        return Some(format!("`{}` has {size} weights: with 3 billion or less {seen}; {CURE}", base.model));
    }
    let family = FAMILIES.iter().find(|family| family.holds(base))?;
    Some(format!("`{}`: with {} {seen}; {CURE}", base.model, family.name))
}

impl Family {
    fn holds(&self, base: &ModelIdentity) -> bool {
        self.model_type == Some(base.family.as_str())
            || base.model.short_name().is_some_and(|name| name.to_lowercase().starts_with(self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    fn identity(model: &str, family: &str, billions: f64) -> ModelIdentity {
        let model = model.parse().expect("a model");
        ModelIdentity { model, hash: String::new(), family: family.into(), parameters: (billions * 1e9) as u64, commit: None }
    }

    fn warned(plan: &Plan, base: &ModelIdentity) -> bool {
        known_null(plan, base).is_some()
    }

    #[test]
    fn three_billion_weights_or_less_are_told_by_their_count_whatever_the_name() {
        let plan = plan();
        for (model, billions, shown) in [
            ("Qwen/Qwen2.5-0.5B-Instruct", 0.494, "494 million weights"),
            ("Qwen/Qwen2.5-3B-Instruct", 3.086, "3.1 billion weights"),
            ("meta-llama/Llama-3.2-3B-Instruct", 3.213, "3.2 billion weights"),
            ("someone/a-name-without-a-size", 1.2, "1.2 billion weights"),
            ("./models/mine", 0.000_24, "0.2 million weights"),
        ] {
            let text = known_null(&plan, &identity(model, "qwen2", billions)).expect("a known null");
            assert!(text.contains(shown) && text.contains("what worked"), "{text}");
        }
        for (model, billions) in
            [("google/gemma-3-4b-it", 3.88), ("Qwen/Qwen2.5-7B-Instruct", 7.6), ("./qwen2.5-3b-stretched", 7.0)]
        {
            assert!(!warned(&plan, &identity(model, "other", billions)), "{model}");
        }
        assert!(!warned(&plan, &identity("builtin:tiny-a", "qwen2", 0.00024)));
    }

    #[test]
    fn families_reported_null_are_told_by_family_or_name() {
        let plan = plan();
        for (model, family, billions) in [
            ("google/gemma-2-9b-it", "gemma2", 9.2),
            ("./models/renamed", "gemma2", 9.2),
            ("mistralai/Ministral-8B-Instruct-2410", "mistral", 8.0),
            ("Qwen/Qwen3.5-4B", "qwen3_5", 4.2),
        ] {
            assert!(warned(&plan, &identity(model, family, billions)), "{model}");
        }
        for (model, family) in [("mistralai/Mistral-7B-Instruct-v0.3", "mistral"), ("Qwen/Qwen3-8B", "qwen3")] {
            assert!(!warned(&plan, &identity(model, family, 7.2)), "{model}");
        }
    }

    #[test]
    fn a_fine_tuned_or_greedy_teacher_is_no_known_null() {
        let small = identity("Qwen/Qwen2.5-0.5B-Instruct", "qwen2", 0.494);
        let mut tuned = plan();
        tuned.teacher.prime = Prime::Both;
        let mut greedy = plan();
        greedy.generate.sampling.temperature = 0.0;
        assert!(warned(&plan(), &small) && !warned(&tuned, &small) && !warned(&greedy, &small));
    }
}
