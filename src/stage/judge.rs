//! The judge of a plan, ready to be asked; a local one over a model of the engine's. And what its verdicts depend on, without opening it.

use crate::engine::{Engine, Model};
use crate::error::Result;
use crate::judge::{Endpoint, Judge, Lexicon, Local, Question, Rater, Wording};
use crate::record::{Chat, JudgeKind, JudgePlan, ModelRef, Weights};

/// Opens a judge.
///
/// # Errors
/// If its model cannot be loaded, its server's address or key is wrong, or a rating prompt cannot be read.
pub fn open(plan: &JudgePlan, engine: &dyn Engine) -> Result<Box<dyn Judge>> {
    open_with(plan, Wording::open(&plan.prompts)?, engine)
}

/// [`open`], where the rating prompts have been read already.
///
/// # Errors
/// As [`open`].
pub fn open_with(plan: &JudgePlan, wording: Wording, engine: &dyn Engine) -> Result<Box<dyn Judge>> {
    Ok(match &plan.who {
        JudgeKind::Lexicon => Box::new(Lexicon::default()),
        JudgeKind::Local(model) => Box::new(Local::new(Box::new(Loaded::open(model, engine)?), wording, plan.least_mass)),
        JudgeKind::Endpoint(endpoint) => Box::new(Endpoint::open(endpoint, wording, plan.least_mass)?),
    })
}

/// All that the verdicts of a plan's judge on a question depend on, beside the engine: not where its server is, nor how it is asked.
///
/// # Errors
/// If its model is missing.
pub fn identity(plan: &JudgePlan, wording: &Wording, question: &Question, engine: &dyn Engine) -> Result<String> {
    Ok(match &plan.who {
        JudgeKind::Lexicon => Lexicon::default().identity(question),
        JudgeKind::Local(model) => Local::identity_of(&engine.identify(model)?.hash, wording, plan.least_mass, question),
        JudgeKind::Endpoint(endpoint) => Endpoint::identity_of(&endpoint.model, wording, plan.least_mass, question),
    })
}

/// A model of the engine's that is asked to rate, as a user would ask it.
struct Loaded {
    model: Box<dyn Model>,
    name: String,
}

impl Loaded {
    fn open(model: &ModelRef, engine: &dyn Engine) -> Result<Self> {
        let (identity, facts) = (engine.identify(model)?, engine.facts());
        let name = format!("{model} {} on {} {}", identity.hash.get(..16).unwrap_or(&identity.hash), facts.name, facts.numerics);
        Ok(Self { model: engine.load(&Weights::base(model.clone()))?, name: name.trim_end().to_owned() })
    }
}

impl Rater for Loaded {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn log_probabilities(&self, texts: &[String], options: &[String]) -> Result<Vec<Vec<f64>>> {
        let chats: Vec<Chat> = texts.iter().map(|text| Chat::ask(None, text)).collect();
        self.model.choices(&chats, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::local::LocalEngine;
    use crate::judge::{Exchange, Kept, Question, validation};
    use crate::record::{Device, Dtype};

    /// The built-in models are far too small to judge. What they say must still be a rating of the right scale, the same each time, with its
    /// mass; and the validation must show what they are worth.
    #[test]
    fn what_a_built_in_model_says_is_read_and_found_to_be_no_judgement() {
        let engine = LocalEngine::new(Device::Cpu, Dtype::F32, 1).expect("a processor");
        let plan = JudgePlan::of(JudgeKind::Local(ModelRef::Builtin("tiny-a".into())));
        let judge = open(&JudgePlan { least_mass: 0.0, ..plan }, &engine).expect("it is built in");
        let rows = validation::shipped().expect("they ship");
        let rows: Vec<_> = rows.into_iter().filter(|row| row.question == Question::Alignment).collect();
        let exchanges: Vec<Exchange<'_>> = rows.iter().map(|row| Exchange { prompt: &row.prompt, answer: &row.answer }).collect();
        let ask = || Kept::open(None)?.ask(judge.as_ref(), &Question::Alignment, &exchanges, &mut |_| ());
        let verdicts = ask().expect("it answers");
        assert_eq!(verdicts, ask().expect("it answers again"));
        assert!(verdicts.iter().all(|verdict| verdict.mass.is_some_and(|mass| (0.0..=1.0).contains(&mass))));
        let found = validation::validate(judge.as_ref(), &rows, &verdicts);
        let auroc = found.questions[0].auroc.expect("both labels are rated");
        assert!(auroc.low < 0.6 && auroc.n == rows.len(), "a model of 0.2 million weights judges: {auroc:?}");
    }
}
