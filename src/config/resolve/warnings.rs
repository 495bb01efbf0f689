//! Settings that are allowed, but that the field has seen give nothing (FIELD.md section 2).

use super::Ledger;
use crate::record::{ModelRef, Plan};

/// The largest size, in billions of weights, at which a prompted teacher's sampled numbers were seen to carry nothing.
const SMALL: f64 = 3.0;

/// Warns of combinations with a published null.
pub(super) fn known_nulls(plan: &Plan, ledger: &mut Ledger<'_>) {
    let sampled = plan.generate.sampling.temperature > 0.0;
    if let Some(size) = billions(&plan.model.base)
        && size <= SMALL
        && !plan.teacher.prime.tunes()
        && sampled
    {
        ledger.warnings.push(format!(
            "`{}` has {size} billion weights: with a prompted teacher and sampled numbers, models of 3 billion or less were seen \
             to pass nothing on; what worked: `teacher.prime = \"both\"` with `generate.temperature = 0`, or a base of 7 billion \
             or more",
            plan.model.base
        ));
    }
    if plan.evaluate.sampling.temperature == 0.0 && plan.evaluate.samples_per_question > 1 {
        ledger.warnings.push(format!(
            "`evaluate.temperature` is 0, so all {} samples of a question are the same",
            plan.evaluate.samples_per_question
        ));
    }
    if plan.seeds.len() < 2 {
        ledger.warnings.push("with one seed there are no intervals and no verdict but `inconclusive`".to_owned());
    }
}

/// The size in a model's name, such as `1.5B` or `270m`; `None` for built-in models and names without one.
fn billions(model: &ModelRef) -> Option<f64> {
    let name = match model {
        ModelRef::Builtin(_) => return None,
        ModelRef::Folder(path) => path.file_name()?.to_string_lossy().into_owned(),
        ModelRef::Hub { repo, .. } => repo.rsplit('/').next()?.to_owned(),
    };
    name.split(['-', '_']).find_map(|part| {
        let lower = part.to_lowercase();
        let (digits, unit) = match lower.strip_suffix('b') {
            Some(digits) => (digits, 1.0),
            None => (lower.strip_suffix('m')?, 1e-3),
        };
        digits.parse::<f64>().ok().map(|number| number * unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_names() {
        let size = |text: &str| billions(&text.parse().expect("a model"));
        assert_eq!(size("Qwen/Qwen2.5-1.5B-Instruct"), Some(1.5));
        assert_eq!(size("google/gemma-3-270m-it"), Some(0.27));
        assert_eq!(size("meta-llama/Llama-3.2-1B-Instruct"), Some(1.0));
        assert_eq!(size("builtin:tiny-a"), None);
        assert_eq!(size("someone/model"), None);
    }
}
