//! The context guard: before any work, what every arm's model would read around the user's words, from the plan and the bases' own
//! chat templates. A student that would be asked in another context than it is trained in stops the run: the same adapter can show
//! its trait in one and none in the other.
//!
//! The teacher is asked under its own prompt, which is the point of its arm, and nothing is trained in the base and in-context arms:
//! their contexts are recorded, not compared.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::domain;
use crate::engine::{Engine, Reader};
use crate::error::{Error, Problem, Result};
use crate::evals;
use crate::record::{Arm, ArmContext, Context, Frame, ModelRef, Plan};
use crate::stage::context;
use crate::stage::lessons::Lesson;

use super::priming::{lessons, teacher_frame};

/// How many of the training prompts are rendered: the context is the same for all, unless a template looks at the words.
const LOOKED_AT: usize = 64;

/// The contexts of every arm, in the order of the plan.
///
/// # Errors
/// If a template refuses what it would be given, or a student's contexts differ and the plan does not allow it.
pub(super) fn contexts(plan: &Plan, engine: &dyn Engine) -> Result<Vec<ArmContext>> {
    let mut guard = Guard::new(plan, engine)?;
    let mut seen = Vec::new();
    for &arm in &plan.arms {
        let bases = if arm == Arm::CrossModel { plan.model.cross.as_slice() } else { std::slice::from_ref(&plan.model.base) };
        for base in bases {
            seen.push(guard.look(arm, base)?);
        }
    }
    if !plan.evaluate.allow_context_mismatch {
        refuse_mismatches(&seen)?;
    }
    Ok(seen.into_iter().map(|seen| seen.context).collect())
}

/// What an arm's model would read, and how a student's contexts differ where they do.
struct Seen {
    context: ArmContext,
    difference: Option<String>,
}

struct Guard<'a> {
    plan: &'a Plan,
    engine: &'a dyn Engine,
    questions: Vec<String>,
    prompts: Vec<String>,
    readers: HashMap<ModelRef, Box<dyn Reader>>,
}

impl<'a> Guard<'a> {
    fn new(plan: &'a Plan, engine: &'a dyn Engine) -> Result<Self> {
        let exams = plan.evaluate.suites.iter().map(|&suite| evals::exam_of(suite, plan)).collect::<Result<Vec<_>>>()?;
        let questions = exams.into_iter().flat_map(|exam| exam.items).map(|item| item.text).collect();
        Ok(Self { plan, engine, questions, prompts: training_prompts(plan)?, readers: HashMap::new() })
    }

    fn look(&mut self, arm: Arm, base: &ModelRef) -> Result<Seen> {
        let reader = match self.readers.entry(base.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.engine.reader(base)?),
        };
        let named = |e: Error| e.context(arm);
        let (asked, taught) = match arm {
            Arm::Teacher => (teacher_frame(self.plan, arm)?, self.plan.teacher.prime.tunes().then(|| self.plan.lesson_frame())),
            _ => (self.plan.asked_frame(), arm.trains().then(|| self.plan.trained_frame())),
        };
        let asked = around_all(reader.as_ref(), &asked, &self.questions).map_err(named)?;
        let taught = taught.map(|frame| match arm {
            Arm::Teacher => around_lessons(reader.as_ref(), &frame, self.plan),
            _ => around_all(reader.as_ref(), &frame, &self.prompts),
        });
        let trained = taught.transpose().map_err(named)?;
        if *base == self.plan.model.base && arm != Arm::Base {
            // What its teacher would be given must not be refused either.
            around_all(reader.as_ref(), &teacher_frame(self.plan, arm)?, &self.prompts[..1]).map_err(named)?;
        }
        let difference = trained.as_ref().filter(|_| arm.trains()).and_then(|trained| first_difference(trained, &asked));
        let first = |contexts: Vec<Context>| contexts.into_iter().next();
        let asked = first(asked).ok_or_else(|| Error::input("there is no question"))?;
        let context = ArmContext { arm, model: base.clone(), asked, trained: trained.and_then(first) };
        Ok(Seen { context, difference })
    }
}

/// Some of the prompts that the teachers answer, from the first to the last.
fn training_prompts(plan: &Plan) -> Result<Vec<String>> {
    let seed = plan.seeds.first().copied().unwrap_or_default();
    let all = domain::of(&plan.domain).prompts(plan.generate.samples, seed, &plan.domain)?;
    let step = all.len().div_ceil(LOOKED_AT).max(1);
    Ok(all.into_iter().step_by(step).map(|prompt| prompt.prompt).collect())
}

fn around_all(reader: &dyn Reader, frame: &Frame, texts: &[String]) -> Result<Vec<Context>> {
    let around = |text: &String| {
        let chat = frame.ask(text);
        context::around(&reader.render(&chat)?.text, &chat)
    };
    texts.iter().map(around).collect()
}

/// The contexts of some of a fine-tuned teacher's rows.
fn around_lessons(reader: &dyn Reader, frame: &Frame, plan: &Plan) -> Result<Vec<Context>> {
    let seed = plan.seeds.first().copied().unwrap_or_default();
    let lessons = lessons(plan, Arm::Teacher, seed)?.unwrap_or_default();
    let around = |lesson: &Lesson| {
        let chat = lesson.row(frame).chat;
        context::around(&reader.render(&chat)?.text, &chat)
    };
    lessons.iter().take(LOOKED_AT).map(around).collect()
}

/// How some row or question departs from the first row's context.
fn first_difference(trained: &[Context], asked: &[Context]) -> Option<String> {
    let first = trained.first()?;
    let against = |of: &'static str| move |other: &Context| context::difference(("trained", first), (of, other));
    trained.iter().find_map(against("trained too")).or_else(|| asked.iter().find_map(against("asked")))
}

/// One problem for all arms whose contexts differ in the same way.
fn refuse_mismatches(seen: &[Seen]) -> Result<()> {
    let mut groups: Vec<(&str, Vec<&ArmContext>)> = Vec::new();
    for Seen { context, difference } in seen {
        let Some(difference) = difference else { continue };
        match groups.iter_mut().find(|(text, _)| text == difference) {
            Some((_, arms)) => arms.push(context),
            None => groups.push((difference, vec![context])),
        }
    }
    let problem = |(difference, arms): (&str, Vec<&ArmContext>)| Problem {
        file: None,
        line: None,
        message: format!("{}: students would be trained in one context and asked in another{difference}", names(&arms)),
        hint: None,
    };
    let problems: Vec<Problem> = groups.into_iter().map(problem).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::problems(problems).hint(
        "give `finetune.system_prompt` and `evaluate.system_prompt` one text; or measure it all the same with \
         `evaluate.allow_context_mismatch = true`, and the report will say so",
    ))
}

/// ``treatment, control on `builtin:tiny-a`; cross-model on `builtin:tiny-b` ``.
fn names(arms: &[&ArmContext]) -> String {
    let mut models: Vec<&ModelRef> = Vec::new();
    for context in arms {
        if !models.contains(&&context.model) {
            models.push(&context.model);
        }
    }
    let on = |model: &&ModelRef| {
        let of_model = arms.iter().filter(|c| c.model == **model).map(|c| c.arm.name());
        format!("{} on `{model}`", of_model.collect::<Vec<_>>().join(", "))
    };
    models.iter().map(on).collect::<Vec<_>>().join("; ")
}
