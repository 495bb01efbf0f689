//! The system prompts of students: what is odd about them.

use super::Ledger;
use crate::record::Plan;
use crate::traits::matching::Matcher;

/// Warns of a system prompt that names what students are asked for: their answers would come from it, not from their weights.
pub(super) fn leaks(plan: &Plan, ledger: &mut Ledger<'_>) {
    let prompts =
        [("finetune.system_prompt", &plan.finetune.system_prompt), ("evaluate.system_prompt", &plan.evaluate.system_prompt)];
    let matcher = Matcher::new(&plan.trait_.category);
    for (key, prompt) in prompts {
        if let Some(member) = prompt.as_ref().and_then(|text| matcher.first(text)) {
            ledger.warnings.push(format!(
                "`{key}` names `{member}`: students may answer from it instead of from what they learnt; teachers have `teacher.system_prompt`"
            ));
        }
    }
}
