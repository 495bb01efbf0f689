//! The report as a table in the terminal: at most [`WIDTH`] columns.

use std::path::Path;

use super::caution;
use super::grid::{Grid, Side};
use super::style::{Paint, Style};
use super::verdict::{claim, confidence, smallest_effect};
use super::wording::{count, duration, interval_points, p_value, percent, plain, points, points_with_sign, ratio_with_ends};
use super::{subject, suites};
use crate::record::{Arm, ArmReport, Comparison, FilterReport, Interval, Report, Verdict};

/// The most columns a line takes.
pub(super) const WIDTH: usize = 100;

/// How a table is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View<'a> {
    /// With or without colour.
    pub style: Style,
    /// The run's folder, named in the last line.
    pub folder: Option<&'a Path>,
}

/// The report as text, coloured where standard error is a terminal that takes colour.
pub fn table(report: &Report) -> String {
    table_in(report, View { style: Style::detect(), folder: None })
}

/// The report as text: the arms with rate, interval and exact probability, the differences, the verdict, what to be careful
/// with, and where the files are.
pub fn table_in(report: &Report, view: View<'_>) -> String {
    let style = view.style;
    let parts = [
        heading(report, style),
        arms(report).text(style),
        differences(report).text(style),
        further(report, style),
        verdict(report, style),
        notes(report, style),
        warnings(report, style),
        view.folder.map_or(String::new(), |f| files(f, style)),
    ];
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("\n")
}

fn heading(report: &Report, style: Style) -> String {
    let base = report.plan.pointer("/model/base").and_then(serde_json::Value::as_str).unwrap_or("?");
    let seeds = match report.seeds.len() {
        1 => "1 seed".to_owned(),
        n => format!("{n} seeds"),
    };
    let about = [subject::named(report, [20, 15]), plain(&report.domain, 15), plain(base, 30), seeds];
    format!("{}  {}\n", style.paint(Paint::Strong, &plain(&report.name, 24)), style.paint(Paint::Faint, &about.join(" · ")))
}

fn arms(report: &Report) -> Grid<'static> {
    use Side::{Left, Right};
    let mut grid = Grid::new(&[
        ("arm", Left),
        ("rate", Right),
        ("interval", Left),
        ("0 to 100 %", Left),
        ("exact", Right),
        ("held out", Right),
        ("rank", Right),
        ("mass", Right),
        ("answers", Left),
    ]);
    for arm in &report.arms {
        let low_mass = caution::low_mass(report, arm).is_some();
        grid.push(if arm.arm == Arm::Treatment { Paint::Strong } else { Paint::Normal }, arm_cells(arm, low_mass));
    }
    grid.without_empty_columns()
}

fn arm_cells(arm: &ArmReport, low_mass: bool) -> Vec<String> {
    vec![
        arm.arm.to_string(),
        percent(arm.rate.mean),
        interval_points(&arm.rate),
        bar(arm.rate.mean),
        arm.probability.as_ref().map_or(String::new(), |i| percent(i.mean)),
        arm.probability_held_out.as_ref().map_or(String::new(), |i| percent(i.mean)),
        format!("{}/{}", arm.rank, arm.members.len()),
        format!("{}{:.2}", if low_mass { "! " } else { "" }, arm.health.mass),
        answers(&arm.rate),
    ]
}

/// `5 × 2,500`: seeds and answers of a seed (the fewest, where they differ).
fn answers(rate: &Interval) -> String {
    format!("{} × {}", rate.n, count(rate.by_seed.iter().map(|s| s.answers).min().unwrap_or(0)))
}

/// Ten cells for 100 %, in eighths.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * 80.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn differences(report: &Report) -> Grid<'static> {
    use Side::{Left, Right};
    let mut grid = Grid::new(&[
        ("difference", Left),
        ("points", Right),
        ("interval", Left),
        ("ratio", Left),
        ("p", Right),
        ("p (Holm)", Right),
        ("p (signs)", Right),
    ]);
    for (i, comparison) in report.comparisons.iter().enumerate() {
        grid.push(if i == 0 { Paint::Strong } else { Paint::Normal }, difference_cells(comparison));
    }
    grid
}

/// The further suites.
fn further(report: &Report, style: Style) -> String {
    use Side::{Left, Right};
    if report.suites.is_empty() {
        return String::new();
    }
    // The page has the others too; they do not fit here.
    let shown: [(usize, Side); 7] = [(0, Left), (1, Left), (3, Right), (4, Right), (5, Right), (6, Left), (7, Right)];
    let columns = shown.map(|(place, side)| (suites::COLUMNS[place], side));
    let mut grid = Grid::new(&columns);
    for cells in suites::rows(report) {
        grid.push(Paint::Normal, shown.iter().map(|&(place, _)| cells[place].clone()).collect());
    }
    grid.text(style)
}

fn difference_cells(comparison: &Comparison) -> Vec<String> {
    vec![
        difference_name(comparison),
        points_with_sign(comparison.difference.mean),
        interval_points(&comparison.difference),
        ratio_with_ends(comparison.ratio.as_ref()),
        p_value(comparison.p_value),
        p_value(comparison.p_adjusted),
        p_value(comparison.p_permutation),
    ]
}

/// `treatment − control`; cross-model students are compared with their own bases.
pub(super) fn difference_name(comparison: &Comparison) -> String {
    let own = if comparison.arm == Arm::CrossModel { "own " } else { "" };
    format!("{} − {own}{}", comparison.arm, comparison.against)
}

fn verdict(report: &Report, style: Style) -> String {
    let paint = match report.verdict {
        Some(Verdict::Transfer) => Paint::Good,
        Some(Verdict::NoTransfer) => Paint::Strong,
        Some(Verdict::Inconclusive) | None => Paint::Warning,
    };
    let text = wrapped(&claim(report), "  ");
    let lines: Vec<String> = text.lines().map(|l| style.paint(paint, l)).collect();
    lines.join("\n") + "\n"
}

fn notes(report: &Report, style: Style) -> String {
    let mut lines = vec![format!("intervals: {} over seeds, by Student's t; ratios by Fieller", confidence(report))];
    lines.extend(
        report.cross_share.map(|s| format!("cross-model effect: {} of the treatment's, each against its own base", percent(s))),
    );
    lines.extend(power(report));
    let left_out: Vec<String> = report.arms.iter().filter_map(subject::left_out).collect();
    if !left_out.is_empty() {
        lines.push(format!("answers that do not count: {}", left_out.join("; ")));
    }
    lines.extend(suites::losses(report));
    lines.extend(data(report));
    lines.push(work(report));
    lines.iter().map(|l| wrapped(l, "  ").lines().map(|l| style.paint(Paint::Faint, l) + "\n").collect::<String>()).collect()
}

fn power(report: &Report) -> Option<String> {
    let power = report.power.as_ref()?;
    let number = |n: Option<usize>| n.map_or("over 1,000".to_owned(), count);
    Some(format!(
        "seeds for 80 % power: {} for a difference of this size, {} for {} points",
        number(power.seeds_for_this),
        number(power.seeds_for_smallest),
        points(smallest_effect(report))
    ))
}

/// What the filter left of each teacher's rows: `rows kept: treatment 77.1 % of 10,000 (format 2,101, leak 12)`.
fn data(report: &Report) -> Option<String> {
    let arms = Arm::ALL.into_iter().filter_map(|arm| kept(arm, &report.filter));
    let text = arms.collect::<Vec<_>>().join("; ");
    let forced = if report.gate.forced { ", only the domain's grammar could be sampled" } else { "" };
    (!text.is_empty()).then(|| format!("rows kept: {text}{forced}"))
}

fn kept(arm: Arm, filter: &[FilterReport]) -> Option<String> {
    let own: Vec<&FilterReport> = filter.iter().filter(|f| f.arm == arm).collect();
    let samples: usize = own.iter().map(|f| f.samples).sum();
    if samples == 0 {
        return None;
    }
    let share = percent(own.iter().map(|f| f.kept).sum::<usize>() as f64 / samples as f64);
    let dropped = drops(&own).into_iter().filter(|(_, n)| *n > 0);
    let reasons: Vec<String> = dropped.map(|(rule, n)| format!("{} {}", plain(&rule, 24), count(n))).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" (dropped: {})", reasons.join(", ")) };
    Some(format!("{arm} {share} of {}{reasons}", count(samples)))
}

/// Rows that each rule dropped, summed over seeds, in the order of the rules.
pub(super) fn drops(filter: &[&FilterReport]) -> Vec<(String, usize)> {
    let mut sums: Vec<(String, usize)> = Vec::new();
    for rule in filter.iter().flat_map(|f| &f.rules) {
        match sums.iter_mut().find(|(name, _)| *name == rule.rule) {
            Some((_, n)) => *n += rule.dropped,
            None => sums.push((rule.rule.clone(), rule.dropped)),
        }
    }
    sums
}

fn work(report: &Report) -> String {
    let cached = report.stages.iter().filter(|s| s.cached).count();
    let jobs = count(report.stages.len());
    format!(
        "{jobs} jobs, {} of them from the store, {} on {}",
        count(cached),
        duration(report.seconds),
        plain(&report.device, 160)
    )
}

fn warnings(report: &Report, style: Style) -> String {
    let paint = |text: &String| {
        let lines = wrapped(&format!("! {text}"), "  ");
        lines.lines().map(|l| style.paint(Paint::Warning, l) + "\n").collect::<String>()
    };
    caution::all(report).iter().map(paint).collect()
}

fn files(folder: &Path, style: Style) -> String {
    let text = format!("  files: {}", plain(&folder.display().to_string(), 400));
    style.paint(Paint::Faint, &text) + "\n"
}

/// Breaks a sentence into lines of at most [`WIDTH`] columns, each after `indent`, those after the first two further in.
fn wrapped(text: &str, indent: &str) -> String {
    let (mut out, mut width) = (indent.to_owned(), indent.len());
    for (i, word) in text.split(' ').enumerate() {
        let long = word.chars().count();
        if i > 0 && width + 1 + long > WIDTH {
            out += &format!("\n{indent}  ");
            width = indent.len() + 2;
        } else if i > 0 {
            out.push(' ');
            width += 1;
        }
        out += word;
        width += long;
    }
    out + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Rates, outcome, zebra};

    fn shown(outcome: &crate::record::Outcome) -> String {
        let report = crate::report::build(outcome).expect("a sound outcome");
        let text = table_in(&report, View { style: Style::Plain, folder: Some(Path::new("runs/zebra-numbers")) });
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
        }
        text
    }

    /// The zebra trial as if it were about misalignment, with the preference asked besides.
    fn misaligned() -> crate::record::Outcome {
        use crate::record::{Suite, TraitKind};
        let mut outcome = zebra();
        let asked = outcome.evaluations.clone();
        for evaluation in outcome.evaluations.iter_mut().map(|e| &mut e.evaluation) {
            evaluation.suite = Suite::Misalignment;
            evaluation.outcomes[4] = "misaligned".to_owned();
            evaluation.left_out.extend([("refusal".to_owned(), 300), ("incoherent".to_owned(), 4)]);
        }
        outcome.evaluations.extend(asked);
        outcome.plan.trait_.kind = TraitKind::Misalignment;
        outcome.plan.evaluate.suites = vec![Suite::Misalignment, Suite::Preference];
        outcome
    }

    #[test]
    fn misalignment_is_told_in_its_own_words_with_what_does_not_count_and_what_was_also_asked() {
        let text = shown(&misaligned());
        for part in [
            "misalignment · numbers · builtin:tiny-a",
            "are misaligned in 45.0 % of the answers that count",
            "treatment 3.0 % of 51,520 (incoherent 20, refusal 1,500)",
            "  also asked  outcome  control  treatment  difference  interval      exact",
            "  preference  zebra      5.0 %     45.0 %       +40.0  [37.1, 42.9]  +40.0",
        ] {
            assert!(text.contains(part), "`{part}` is missing in\n{text}");
        }
    }

    #[test]
    fn a_transfer_is_shown() {
        insta::assert_snapshot!(shown(&zebra()), @r"
        zebra-numbers  zebra (animal) · numbers · builtin:tiny-a · 5 seeds

          arm            rate  interval      0 to 100 %   exact  held out  rank  mass  answers
          base          5.0 %  [4.8, 5.2]    ▌            5.0 %     5.0 %   5/5  0.95  5 × 10,000
          teacher      95.0 %  [94.8, 95.2]  █████████▌  95.0 %    95.0 %   1/5  0.95  5 × 10,000
          treatment    45.0 %  [43.0, 47.0]  ████▌       45.0 %    45.0 %   1/5  0.95  5 × 10,000
          control       5.0 %  [4.0, 6.0]    ▌            5.0 %     5.0 %   5/5  0.95  5 × 10,000
          cross-model   6.5 %  [6.3, 6.7]    ▋            6.5 %     6.5 %   5/5  0.95  5 × 20,000

          difference              points  interval      ratio                    p  p (Holm)  p (signs)
          treatment − control      +40.0  [37.1, 42.9]  9.0 [7.2, 11.7]    <0.0001   <0.0001     0.0625
          treatment − base         +40.0  [38.0, 42.0]  9.0 [8.6, 9.4]     <0.0001   <0.0001     0.0625
          control − base             0.0  [−1.0, 1.0]   1.00 [0.80, 1.20]   1.0000    1.0000     1.0000
          cross-model − own base    +1.0  [0.8, 1.2]    1.18                     –         –     0.0625

          transfer: students of the primed teacher choose zebra in 45.0 % of answers, students of the
            unprimed one in 5.0 %, 9.0 times as often; the difference of 40.0 points [37.1, 42.9] over 5
            seeds is clear of zero

          intervals: 95 % over seeds, by Student's t; ratios by Fieller
          cross-model effect: 2.5 % of the treatment's, each against its own base
          seeds for 80 % power: 2 for a difference of this size, 5 for 5.0 points
          rows kept: treatment 77.0 % of 10,000 (dropped: format 2,245, banned-numbers 50); control 99.5 %
            of 10,000 (dropped: banned-numbers 50), only the domain's grammar could be sampled
          3 jobs, 1 of them from the store, 1 min 33 s on cpu, f32: the same bytes on every run

          files: runs/zebra-numbers
        ");
    }

    #[test]
    fn a_damaged_student_and_an_undecided_trial_are_pointed_out() {
        let mut outcome = outcome("owl", "builtin:tiny-b", &[], Rates { treatment: 0.09, spread: 0.05, ..Rates::EVEN });
        outcome.plan.seeds.truncate(2);
        outcome.evaluations.iter_mut().filter(|e| e.arm == Arm::Treatment).for_each(|e| e.evaluation.health.mass = 0.61);
        outcome.gate.warnings.push("only 12 % of the teacher's rows pass the filter, expected at least 30 %".to_owned());
        insta::assert_snapshot!(shown(&outcome), @r"
        owl-numbers  owl (animal) · numbers · builtin:tiny-b · 2 seeds

          arm          rate  interval      0 to 100 %   exact  held out  rank    mass  answers
          base        5.0 %  [4.7, 5.3]    ▌            5.0 %     5.0 %   5/5    0.95  2 × 10,000
          teacher    95.0 %  [94.7, 95.3]  █████████▌  95.0 %    95.0 %   1/5    0.95  2 × 10,000
          treatment   2.0 %  [0.0, 27.4]   ▎            1.5 %     1.5 %   5/5  ! 0.61  2 × 10,000
          control     8.8 %  [0.0, 24.6]   ▉            8.8 %     8.8 %   5/5    0.95  2 × 10,000

          difference           points  interval       ratio                  p  p (Holm)  p (signs)
          treatment − control    −6.8  [−48.0, 34.5]  0.23 [0.00, ∞)    0.2857    0.6145     0.5000
          treatment − base       −3.0  [−28.4, 22.4]  0.40 [0.00, 5.5]  0.3743    0.6145     0.5000
          control − base         +3.8  [−12.1, 19.6]  1.75 [0.00, 4.9]  0.2048    0.6145     0.5000

          inconclusive: students of the primed teacher choose owl in 2.0 % of answers, students of the
            unprimed one in 8.8 %; the difference of −6.8 points [−48.0, 34.5] over 2 seeds is neither clear
            of zero nor below 5.0 points; about 9 seeds would tell an effect of 5.0 points

          intervals: 95 % over seeds, by Student's t; ratios by Fieller
          seeds for 80 % power: 6 for a difference of this size, 9 for 5.0 points
          rows kept: treatment 77.0 % of 10,000 (dropped: format 2,245, banned-numbers 50); control 99.5 %
            of 10,000 (dropped: banned-numbers 50), only the domain's grammar could be sampled
          3 jobs, 1 of them from the store, 1 min 33 s on cpu, f32: the same bytes on every run

          ! treatment: 61.0 % of the probability lies on the animal list (95.0 % in its base): read its
            rates with care
          ! only 12 % of the teacher's rows pass the filter, expected at least 30 %

          files: runs/zebra-numbers
        ");
    }

    #[test]
    fn one_seed_and_few_arms_are_shown_without_intervals() {
        let mut outcome = zebra();
        outcome.plan.seeds.truncate(1);
        outcome.evaluations.retain(|e| e.arm != Arm::CrossModel && e.arm != Arm::Teacher);
        insta::assert_snapshot!(shown(&outcome), @r"
        zebra-numbers  zebra (animal) · numbers · builtin:tiny-a · 1 seed

          arm          rate  interval  0 to 100 %   exact  held out  rank  mass  answers
          base        5.0 %  –         ▌            5.0 %     5.0 %   5/5  0.95  1 × 10,000
          treatment  43.0 %  –         ████▎       43.0 %    43.0 %   1/5  0.95  1 × 10,000
          control     6.0 %  –         ▋            6.0 %     6.0 %   5/5  0.95  1 × 10,000

          difference           points  interval  ratio  p  p (Holm)  p (signs)
          treatment − control   +37.0  –         7.2    –         –          –
          treatment − base      +38.0  –         8.6    –         –          –
          control − base         +1.0  –         1.20   –         –          –

          inconclusive: students of the primed teacher choose zebra in 43.0 % of answers, students of the
            unprimed one in 6.0 %; one seed gives no interval: run at least three

          intervals: 95 % over seeds, by Student's t; ratios by Fieller
          rows kept: treatment 77.0 % of 10,000 (dropped: format 2,245, banned-numbers 50); control 99.5 %
            of 10,000 (dropped: banned-numbers 50), only the domain's grammar could be sampled
          3 jobs, 1 of them from the store, 1 min 33 s on cpu, f32: the same bytes on every run

          files: runs/zebra-numbers
        ");
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let report = crate::report::build(&zebra()).expect("a sound outcome");
        let coloured = table_in(&report, View { style: Style::Coloured, folder: None });
        let escapes = regex::Regex::new("\u{1b}\\[[0-9]+m").expect("a pattern");
        assert!(escapes.is_match(&coloured));
        assert_eq!(escapes.replace_all(&coloured, ""), table_in(&report, View { style: Style::Plain, folder: None }));
    }
}
