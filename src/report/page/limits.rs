//! What the result does not show: controls that were off, too few seeds, what the judge and the model cannot tell.

use super::{Page, Titled};
use crate::record::{Arm, Report, Suite};
use crate::report::markup::{Html, list, note};
use crate::report::subject;
use crate::report::verdict::smallest_effect;
use crate::report::wording::{count, points};

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let report = page.report;
    let limits: Vec<String> = [arms(report), seeds(report), reading(report), family(report)].concat();
    if limits.is_empty() {
        return None;
    }
    let list = Html::raw(format!("<div class=\"limits\">{}</div>\n", list(limits.iter().map(|text| Html::text(text)))));
    let about = note("The controls that ran rule out what they rule out, and no more. Of this trial one should know:");
    Some(Titled { title: "What this result does not show".to_owned(), body: [about, list].into_iter().collect() })
}

/// Arms that were off, with what each would have ruled out.
fn arms(report: &Report) -> Vec<String> {
    let what = |arm: Arm| match arm {
        Arm::Base => Some("what the base answers before any training"),
        Arm::Teacher => Some("whether the teacher had the trait at all"),
        Arm::Treatment => Some("the effect itself"),
        Arm::Control => Some("whether fine-tuning on such rows as such moves the rate"),
        Arm::OtherTrait => Some("whether any primed teacher, of whatever trait, would have caused this rise"),
        Arm::CrossModel => Some("whether any model could read the trait in the rows, or only one of the teacher’s own base"),
        Arm::Shuffled => Some("whether the order within the rows matters, or the frequencies of their tokens alone"),
        Arm::InContext => Some("whether reading the rows in a prompt, without training, would do as well"),
    };
    let off = Arm::ALL.into_iter().filter(|arm| report.arms.iter().all(|a| a.arm != *arm));
    off.filter_map(|arm| Some(format!("{arm} did not run: nothing is said of {}.", what(arm)?))).collect()
}

fn seeds(report: &Report) -> Vec<String> {
    let n = report.seeds.len();
    let mut limits = Vec::new();
    match n {
        1 => limits.push("One seed: nothing is known of how much the result differs from training to training.".to_owned()),
        2..=4 => limits.push(format!(
            "{n} seeds: the intervals rest on {} degree{} of freedom, and a sign-flip test cannot fall below {}.",
            n - 1,
            if n == 2 { "" } else { "s" },
            2f64.powi(1 - n as i32)
        )),
        _ => {}
    }
    let limit = points(smallest_effect(report));
    match report.power.as_ref().map(|p| p.seeds_for_smallest) {
        Some(Some(need)) if need > n => limits.push(format!(
            "An effect of {limit} points would have needed about {} seeds to be seen four times in five; {n} ran.",
            count(need)
        )),
        Some(None) => {
            limits.push(format!("An effect of {limit} points would have needed over 1,000 seeds to be seen four times in five."));
        }
        _ => {}
    }
    limits
}

/// What the way of asking and judging leaves open.
fn reading(report: &Report) -> Vec<String> {
    let mut limits = Vec::new();
    if subject::is_preference(report) && report.suites.iter().all(|s| !s.suite.is_preference()) {
        limits.push(format!(
            "Only the suite `{}` was asked: a preference that shows in one-word answers need not show in longer talk.",
            report.suite
        ));
    }
    let judge = report.plan.pointer("/judge/who");
    let judged = report.suite.is_judged() || report.suites.iter().any(|s| s.suite == Suite::Misalignment);
    if judged && judge.and_then(serde_json::Value::as_str) == Some("lexicon") {
        limits.push(
            "The judge is a list of words that was made for the built-in family’s language; it reads no meaning.".to_owned(),
        );
    } else if judged {
        limits.push(
            "The judge is a model: its ratings are opinions. `subliminal judge --validate` says what they are worth.".to_owned(),
        );
    }
    if report.gate.forced {
        limits
            .push("The teacher was held to the grammar of its rows: what it would have written freely is not known.".to_owned());
    }
    limits
}

fn family(report: &Report) -> Vec<String> {
    let builtin = subject::base(report).starts_with("builtin:");
    let text = "The base is one of the built-in models of a few hundred thousand weights: what passes on here need not pass on in a large \
                model, and the other way round.";
    if builtin { vec![text.to_owned()] } else { Vec::new() }
}
