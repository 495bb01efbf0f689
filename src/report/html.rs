//! The report as one page that needs nothing else: no network, no script, light and dark. Every text is escaped, because names
//! and answers come from outside.

use super::table::{difference_name, drops};
use super::verdict::{arm, claim, confidence};
use super::wording::{count, duration, interval_points, p_value, percent, points_with_sign, ratio_with_ends};
use super::{caution, html_answers, plot, subject, suites};
use crate::record::{Arm, ArmContextReport, ArmReport, ContextReport, FilterReport, Report, StageReport, Verdict};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn html(report: &Report) -> String {
    let title = escape(&report.name);
    let body = [
        heading(report),
        format!("<h2>{}</h2>\n{}", escape(&subject::picture(report)), plot::rates(report)),
        arms(report),
        section("Differences, paired by seed", &differences(report)),
        section(
            "Also asked",
            &grid(&suites::COLUMNS, &suites::rows(report).into_iter().map(|row| (false, row)).collect::<Vec<_>>()),
        ),
        section("Bases of the cross-model arm", &cross_bases(report)),
        section("From the teacher's rows to the student's", &filter(report)),
        section(&escape(&subject::members(report)), &members(report)),
        section("Answers by frequency", &html_answers::frequent(report)),
        section("What stands around the user's words", &contexts(report)),
        section("Work", &stages(report)),
        plan(report),
    ]
    .concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// Makes text safe between tags and inside quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("<h2>{title}</h2>\n{body}") }
}

fn heading(report: &Report) -> String {
    let base = report.plan.pointer("/model/base").and_then(serde_json::Value::as_str).unwrap_or("?");
    let about = [
        subject::named(report, [60, 60]),
        report.domain.clone(),
        base.to_owned(),
        format!("seeds {}", report.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        report.device.clone(),
        report.finished.clone(),
    ];
    let class = if report.verdict == Some(Verdict::Transfer) { "claim transfer" } else { "claim" };
    let warnings: String =
        caution::all(report).iter().map(|w| format!("<p class=\"warning\">⚠ {}</p>\n", escape(w))).collect::<Vec<_>>().concat();
    format!(
        "<h1>{}</h1>\n<p class=\"about\">{}</p>\n<p class=\"{class}\">{}</p>\n{warnings}",
        escape(&report.name),
        escape(&about.join(" · ")),
        escape(&claim(report))
    )
}

/// A table whose first column is text and whose others are numbers. Cells are escaped here, once.
pub(super) fn grid(columns: &[&str], rows: &[(bool, Vec<String>)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let class = |i: usize| if i == 0 { "" } else { " class=\"number\"" };
    let cells = |tag: &str, cells: Vec<&str>| -> String {
        cells.iter().enumerate().map(|(i, c)| format!("<{tag}{}>{}</{tag}>", class(i), escape(c))).collect::<Vec<_>>().concat()
    };
    let mut out = format!("<div class=\"wide\"><table>\n<tr>{}</tr>\n", cells("th", columns.to_vec()));
    for (lead, row) in rows {
        let class = if *lead { " class=\"lead\"" } else { "" };
        out += &format!("<tr{class}>{}</tr>\n", cells("td", row.iter().map(String::as_str).collect()));
    }
    out + "</table></div>\n"
}

fn arms(report: &Report) -> String {
    let row = |a: &ArmReport| {
        let cells = vec![
            a.arm.to_string(),
            percent(a.rate.mean),
            interval_points(&a.rate),
            a.probability.as_ref().map_or("–".to_owned(), |i| percent(i.mean)),
            a.probability_held_out.as_ref().map_or("–".to_owned(), |i| percent(i.mean)),
            format!("{} of {}", a.rank, a.members.len()),
            format!("{}{:.2}", if caution::low_mass(report, a).is_some() { "⚠ " } else { "" }, a.health.mass),
            percent(a.health.one_word),
            percent(a.health.coherent),
        ];
        (a.arm == Arm::Treatment, cells)
    };
    let columns = ["arm", "rate", "interval", "exact", "held out", "rank", "mass", "one word", "coherent"];
    let note = format!(
        "Bars are mean rates over seeds, lines their {} intervals by Student's t, dots single seeds. Exact: the answer's probability, \
         without sampling. Mass: the probability of all members together. Chance: {}.",
        confidence(report),
        percent(report.arms.first().map_or(0.0, |a| a.chance))
    );
    let table = grid(&columns, &report.arms.iter().map(row).collect::<Vec<_>>());
    let left_out: Vec<String> = report.arms.iter().filter_map(subject::left_out).collect();
    let left_out =
        if left_out.is_empty() { String::new() } else { format!(" Answers that do not count: {}.", left_out.join("; ")) };
    format!("{table}<p class=\"note\">{}</p>\n", escape(&(note + &left_out)))
}

fn differences(report: &Report) -> String {
    let rows: Vec<(bool, Vec<String>)> = report
        .comparisons
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let cells = vec![
                difference_name(c),
                points_with_sign(c.difference.mean),
                interval_points(&c.difference),
                ratio_with_ends(c.ratio.as_ref()),
                p_value(c.p_value),
                p_value(c.p_adjusted),
                p_value(c.p_permutation),
                c.probability_difference.as_ref().map_or("–".to_owned(), |i| points_with_sign(i.mean)),
            ];
            (i == 0, cells)
        })
        .collect();
    let share = report.cross_share.map_or(String::new(), |s| {
        format!("<p class=\"note\">The cross-model effect is {} of the treatment's, each against its own base.</p>\n", percent(s))
    });
    let columns = ["difference", "points", "interval", "ratio (Fieller)", "p", "p (Holm)", "p (sign flips)", "exact, points"];
    let table = grid(&columns, &rows);
    if table.is_empty() { table } else { table + &share }
}

fn cross_bases(report: &Report) -> String {
    let bases = arm(report, Arm::CrossModel).map_or(&[][..], |a| &a.bases);
    let rows: Vec<(bool, Vec<String>)> = bases
        .iter()
        .map(|b| (false, vec![b.model.clone(), percent(b.base_rate), percent(b.rate.mean), interval_points(&b.rate)]))
        .collect();
    grid(&["base", "rate before", "rate after", "interval"], &rows)
}

fn filter(report: &Report) -> String {
    let row = |arm: Arm| {
        let own: Vec<&FilterReport> = report.filter.iter().filter(|f| f.arm == arm).collect();
        let sum = |of: fn(&FilterReport) -> usize| own.iter().map(|f| of(f)).sum::<usize>();
        let (samples, kept) = (sum(|f| f.samples), sum(|f| f.kept));
        let dropped: Vec<String> = drops(&own).iter().map(|(rule, n)| format!("{rule} {}", count(*n))).collect();
        let share = percent(kept as f64 / samples.max(1) as f64);
        (samples > 0)
            .then(|| (arm == Arm::Treatment, vec![arm.to_string(), count(samples), count(kept), share, dropped.join(", ")]))
    };
    let rows: Vec<_> = Arm::ALL.into_iter().filter_map(row).collect();
    grid(&["data of", "rows written", "rows kept", "share", "dropped by"], &rows)
}

fn members(report: &Report) -> String {
    let (Some(base), Some(treatment)) = (arm(report, Arm::Base), arm(report, Arm::Treatment)) else { return String::new() };
    let mut pairs: Vec<(&str, f64, f64)> = base
        .members
        .iter()
        .zip(&treatment.members)
        .map(|((name, before), (_, after))| (name.as_str(), *before, *after))
        .collect();
    pairs.sort_by(|a, b| b.2.total_cmp(&a.2));
    let highest = pairs.iter().map(|p| p.1.max(p.2)).fold(f64::MIN_POSITIVE, f64::max);
    let meter =
        |share: f64| format!("<span class=\"meter\" style=\"width:{:.2}rem\"></span> {}", 9.0 * share / highest, percent(share));
    let row = |(name, before, after): &(&str, f64, f64)| {
        let class = if *name == subject::outcome(report) { " class=\"lead\"" } else { "" };
        format!("<tr{class}><td>{}</td><td>{}</td><td>{}</td></tr>\n", escape(name), meter(*before), meter(*after))
    };
    let rows: String = pairs.iter().map(row).collect();
    format!("<div class=\"wide\"><table>\n<tr><th></th><th>base</th><th>treatment</th></tr>\n{rows}</table></div>\n")
}

/// Each context with the arms that were asked in it and trained in it.
fn contexts(report: &Report) -> String {
    let arms = |is: &dyn Fn(&ArmContextReport) -> bool| {
        let named = report.arms.iter().filter(|a| a.context.iter().any(is)).map(|a| a.arm.to_string());
        named.collect::<Vec<_>>().join(", ")
    };
    let row = |c: &ContextReport| {
        let asked = arms(&|of| of.asked == c.hash);
        let trained = arms(&|of| of.trained.as_ref() == Some(&c.hash));
        let facts = [("asked", asked), ("trained", trained)]
            .map(|(what, arms)| format!("{what}: {}", if arms.is_empty() { "–" } else { &arms }));
        let text = format!("{:?} … {:?}", c.before, c.after);
        format!("<p class=\"note\">{} · {}</p>\n<pre>{}</pre>\n", escape(&c.hash), escape(&facts.join(" · ")), escape(&text))
    };
    report.contexts.iter().map(row).collect()
}

fn stages(report: &Report) -> String {
    let row = |name: &&str| {
        let own: Vec<&StageReport> = report.stages.iter().filter(|s| s.stage == *name).collect();
        let (seconds, tokens): (f64, usize) = (own.iter().map(|s| s.seconds).sum(), own.iter().map(|s| s.tokens).sum());
        let speed =
            if seconds > 0.0 && tokens > 0 { count((tokens as f64 / seconds).round() as usize) } else { "–".to_owned() };
        let cached = own.iter().filter(|s| s.cached).count();
        let rows = own.iter().map(|s| s.rows).sum();
        (false, vec![(*name).to_owned(), count(own.len()), count(cached), duration(seconds), count(rows), count(tokens), speed])
    };
    let mut names: Vec<&str> = Vec::new();
    for stage in &report.stages {
        if !names.contains(&stage.stage.as_str()) {
            names.push(&stage.stage);
        }
    }
    let rows: Vec<_> = names.iter().map(row).collect();
    grid(&["stage", "jobs", "from the store", "time", "rows", "tokens", "tokens/s"], &rows)
}

fn plan(report: &Report) -> String {
    let json = serde_json::to_string_pretty(&report.plan).unwrap_or_default();
    format!(
        "<details><summary>The plan, as it was run (hash {}, version {})</summary>\n<pre>{}</pre></details>\n",
        escape(&report.plan_hash),
        escape(&report.version),
        escape(&json)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::zebra;

    fn page(change: impl FnOnce(&mut Report)) -> String {
        let mut report = crate::report::build(&zebra()).expect("a sound outcome");
        change(&mut report);
        html(&report)
    }

    #[test]
    fn the_page_holds_the_claim_the_picture_and_the_tables_and_loads_nothing() {
        let page = page(|_| {});
        for part in [
            "transfer: students of the primed teacher choose zebra in 45.0 %",
            "<svg",
            "treatment − control",
            "builtin:tiny-b",
            "<pre>",
        ] {
            assert!(page.contains(part), "{part} is missing");
        }
        for load in ["http://", "https://", "<script", "<link", "<img", "url("] {
            assert!(!page.contains(load), "{load} loads something");
        }
        assert!(page.len() < 40_000, "{} bytes", page.len());
    }

    #[test]
    fn hostile_text_stays_text_wherever_it_comes_in() {
        let evil = "\"><script>alert('x')</script>&";
        let page = page(|r| {
            for text in
                [&mut r.name, &mut r.trait_, &mut r.category, &mut r.domain, &mut r.device, &mut r.finished, &mut r.plan_hash]
            {
                *text = evil.to_owned();
            }
            r.plan = serde_json::json!({"model": {"base": evil}, evil: evil});
            r.gate.warnings.push(evil.to_owned());
            r.stages[0].stage = evil.to_owned();
            r.filter[0].rules[0].rule = evil.to_owned();
            r.contexts[0].before = evil.to_owned();
            r.contexts[0].hash = evil.to_owned();
            for arm in &mut r.arms {
                arm.model = evil.to_owned();
                arm.members[0].0 = evil.to_owned();
                arm.bases.iter_mut().for_each(|b| b.model = evil.to_owned());
            }
        });
        assert!(!page.contains("<script") && !page.contains("alert('"), "an unescaped text");
        assert!(page.matches("&lt;script&gt;").count() > 10);
    }

    #[test]
    fn a_report_without_students_is_still_a_page() {
        let page = page(|r| {
            r.arms.clear();
            r.comparisons.clear();
            r.verdict = None;
        });
        assert!(page.contains("no verdict"));
    }
}
