//! What the models read around the user's words: every text once, and which arm stood in which.

use crate::record::{Arm, ArmContext, ArmContextReport, Context, ContextReport};
use crate::tool::hash;

/// How much of a hash is enough to tell contexts apart.
const DIGITS: usize = 16;

fn name(context: &Context) -> String {
    hash::value(context)[..DIGITS].to_owned()
}

/// Every context once, in the order in which the arms bring them up.
pub(super) fn texts(contexts: &[ArmContext]) -> Vec<ContextReport> {
    let mut texts: Vec<ContextReport> = Vec::new();
    for context in contexts.iter().flat_map(|c| std::iter::once(&c.asked).chain(&c.trained)) {
        let hash = name(context);
        if !texts.iter().any(|known| known.hash == hash) {
            texts.push(ContextReport { hash, before: context.before.clone(), after: context.after.clone() });
        }
    }
    texts
}

/// An arm's contexts, one for each base.
pub(super) fn of_arm(contexts: &[ArmContext], arm: Arm) -> Vec<ArmContextReport> {
    let report = |c: &ArmContext| ArmContextReport {
        model: c.model.to_string(),
        asked: name(&c.asked),
        trained: c.trained.as_ref().map(name),
    };
    contexts.iter().filter(|c| c.arm == arm).map(report).collect()
}

#[cfg(test)]
mod tests {
    use crate::record::{Arm, ArmReport, Report};
    use crate::report::testing::zebra;
    use crate::report::{Style, View, html, table_in};

    fn arm(report: &Report, arm: Arm) -> &ArmReport {
        report.arms.iter().find(|a| a.arm == arm).expect("it ran")
    }

    #[test]
    fn a_context_is_written_once_and_every_arm_names_it() {
        let report = crate::report::build(&zebra()).expect("a sound outcome");
        assert_eq!(report.contexts.len(), 1);
        let students = &arm(&report, Arm::CrossModel).context;
        assert_eq!(students.iter().map(|c| c.model.as_str()).collect::<Vec<_>>(), ["builtin:tiny-b", "builtin:tiny-c"]);
        assert!(students.iter().all(|c| c.asked == report.contexts[0].hash && c.trained.as_ref() == Some(&c.asked)));
        assert_eq!(arm(&report, Arm::Base).context[0].trained, None);
    }

    #[test]
    fn students_in_another_context_are_warned_of_and_a_teacher_under_its_prompt_is_not() {
        let mut outcome = zebra();
        for context in outcome.contexts.iter_mut().filter(|c| matches!(c.arm, Arm::Treatment | Arm::Teacher)) {
            context.trained = Some(context.asked.clone());
            context.asked.before.push_str("Love zebras.");
        }
        let report = crate::report::build(&outcome).expect("a sound outcome");
        assert_eq!(report.contexts.len(), 2);
        for shown in [html(&report, None), table_in(&report, View { style: Style::Plain, folder: None })] {
            assert_eq!(shown.matches("trained in another context").count(), 1);
            assert!(shown.contains("treatment: trained in another context"));
        }
    }
}
