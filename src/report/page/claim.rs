//! The top of the page: the verdict, the claim in a sentence, the numbers that it stands on, what was done, what to be careful with.

use super::Page;
use super::figure::{capital, difference, ends, share, unbroken};
use crate::record::{Arm, Interval, Report, Verdict};
use crate::report::markup::{Html, datum, escape, list};
use crate::report::verdict::{sentence, word};
use crate::report::wording::{count, p_value, ratio};
use crate::report::{caution, subject};

pub(super) fn header(page: &Page<'_>) -> Html {
    let report = page.report;
    let class = if report.verdict == Some(Verdict::Transfer) { "verdict transfer" } else { "verdict" };
    let word = word(report);
    let warnings = caution::all(report);
    let warnings = if warnings.is_empty() {
        String::new()
    } else {
        let warnings = list(warnings.iter().map(|w| Html::text(w)));
        format!("<div class=\"cautions\"><p>Read with care</p>\n{warnings}</div>\n")
    };
    Html::raw(format!(
        "<p class=\"kicker\"><span class=\"{class}\">{word}</span> <span class=\"name\">{}</span></p>\n<h1>{}</h1>\n{}\
         <p class=\"lede\">{}</p>\n{warnings}",
        escape(&about(report)),
        escape(&unbroken(&format!("{}.", capital(&sentence(report))))),
        facts(page),
        escape(&done(report)),
    ))
}

/// `zebra-numbers · zebra (animal) · numbers · builtin:tiny-a · 5 seeds`.
fn about(report: &Report) -> String {
    let seeds = if report.seeds.len() == 1 { "1 seed".to_owned() } else { format!("{} seeds", report.seeds.len()) };
    let trait_ = subject::named(report, [60, 60]);
    [report.name.as_str(), &trait_, &report.domain, subject::base(report), &seeds].join(" · ")
}

/// The numbers that the claim stands on.
fn facts(page: &Page<'_>) -> Html {
    let report = page.report;
    let mut facts = Vec::new();
    for arm in [Arm::Treatment, Arm::Control] {
        if let Some((i, found)) = page.arm(arm) {
            let at = format!("/arms/{i}/rate");
            facts.push(fact(arm.name(), &share(&format!("{at}/mean"), found.rate.mean), &ends(&at, &found.rate)));
        }
    }
    if let Some(seen) = &report.verdict_difference {
        let at = "/verdict_difference";
        let value = Html::raw(format!("{} <small>points</small>", difference(&format!("{at}/mean"), seen.mean)));
        facts.push(fact("difference", &value, &ends(at, seen)));
    }
    if let Some((i, main)) =
        report.comparisons.iter().enumerate().find(|(_, c)| (c.arm, c.against) == (Arm::Treatment, Arm::Control))
    {
        if let Some(found) = &main.ratio {
            let at = format!("/comparisons/{i}/ratio");
            let value = Html::raw(format!("{}<small> ×</small>", datum(&format!("{at}/mean"), found.mean, &ratio(found.mean))));
            facts.push(fact("ratio", &value, &ratio_ends(&at, found)));
        }
        if let Some(p) = main.p_adjusted {
            let value = datum(&format!("/comparisons/{i}/p_adjusted"), p, &p_value(Some(p)));
            facts.push(fact("p, Holm", &value, &Html::text(&format!("{} seeds, paired", main.n_seeds))));
        }
    }
    if facts.is_empty() { Html::default() } else { Html::raw(format!("<dl class=\"facts\">\n{}</dl>\n", facts.concat())) }
}

fn fact(name: &str, value: &Html, below: &Html) -> String {
    format!("<div><dt>{}</dt><dd><b>{value}</b> <span>{below}</span></dd></div>\n", escape(name))
}

pub(super) fn ratio_ends(pointer: &str, interval: &Interval) -> Html {
    let end = |name: &str, value: f64| datum(&format!("{pointer}/{name}"), value, &ratio(value));
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => Html::raw(format!("[{}, {}]", end("low", low), end("high", high))),
        (Some(low), None) => Html::raw(format!("[{}, ∞)", end("low", low))),
        _ => Html::text("–"),
    }
}

/// What was done, in two sentences.
fn done(report: &Report) -> String {
    let number = |pointer: &str| report.plan.pointer(pointer).and_then(serde_json::Value::as_u64).map(|n| count(n as usize));
    let text = |pointer: &str| report.plan.pointer(pointer).and_then(serde_json::Value::as_str);
    let primed = match text("/teacher/prime") {
        Some("fine-tune") => "fine-tuned",
        Some("both") => "prompted and fine-tuned",
        _ => "prompted",
    };
    let wrote = match report.domain.as_str() {
        "numbers" => "lists of numbers",
        "code" => "Python functions",
        "cot" => "worked word problems",
        other => other,
    };
    let trait_ = subject::named(report, [60, 60]);
    let rows = number("/generate/samples").unwrap_or_else(|| "?".to_owned());
    let learnt = number("/finetune/rows").unwrap_or_else(|| "?".to_owned());
    let seeds = match report.seeds.len() {
        1 => "once".to_owned(),
        n => format!("{n} times, with a seed of its own each"),
    };
    format!(
        "A teacher on {base}, {primed} towards {trait_}, wrote {rows} {wrote}. Students of the same base learnt from at most {learnt} of \
         the rows that passed the filter, without the teacher’s prompt, and were asked. The control’s teacher is the same base, left \
         as it is. All of it was done {seeds}.",
        base = subject::base(report),
    )
}
