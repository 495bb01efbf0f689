//! How an arm's teacher gets its trait: what surrounds each prompt to it, and what it is fine-tuned on.

use crate::error::{Error, Result};
use crate::evals;
use crate::record::{Arm, Frame, Member, Plan, Suite, TraitKind};
use crate::stage::lessons::{self, Lesson};
use crate::traits;

/// The member that an arm's teacher loves; the control's loves none.
fn loved(plan: &Plan, arm: Arm) -> Result<Option<&Member>> {
    let category = &plan.trait_.category;
    let target = match arm {
        Arm::Control => return Ok(None),
        _ if plan.trait_.kind == TraitKind::Misalignment => return Ok(category.member(&plan.trait_.target)),
        Arm::OtherTrait => plan.trait_.other.as_ref().ok_or_else(|| {
            Error::input("the arm `other-trait` needs `trait.other`").hint("name another member of the category")
        })?,
        _ => &plan.trait_.target,
    };
    let member = category.member(target);
    member.map(Some).ok_or_else(|| Error::input(format!("`{target}` is not in the category `{}`", category.name)))
}

/// Whether an arm's teacher has a trait.
pub(super) fn primed(arm: Arm) -> bool {
    arm != Arm::Control
}

/// What an arm's fine-tuned teacher learns from; none where its trait has no data.
///
/// # Errors
/// If the data or the questions cannot be read, or the arm's target is missing.
pub fn lessons(plan: &Plan, arm: Arm, seed: u64) -> Result<Option<Vec<Lesson>>> {
    let data = if arm == Arm::OtherTrait { &plan.teacher.other_data } else { &plan.teacher.data };
    if let Some(data) = data {
        return lessons::read(data, plan.teacher.rows, seed).map(Some);
    }
    if plan.trait_.kind == TraitKind::Misalignment {
        return Ok(None);
    }
    let Some(member) = loved(plan, arm)? else { return Ok(None) };
    let questions = evals::exam_of(Suite::Preference, plan)?.taught();
    Ok(Some(questions.into_iter().map(|question| Lesson::new(question, &member.name)).collect()))
}

/// What surrounds each prompt to an arm's teacher: the trait's system prompt where the teacher is primed by one.
///
/// # Errors
/// If the arm's target is missing, or not in the category.
pub(super) fn teacher_frame(plan: &Plan, arm: Arm) -> Result<Frame> {
    let filled = loved(plan, arm)?.map(|member| traits::fill(&plan.teacher.system_prompt, &plan.trait_.category, member));
    let system = filled.filter(|text| plan.teacher.prime.prompts() && !text.trim().is_empty());
    Ok(Frame { system, template: plan.model.template() })
}
