//! The page of several runs: the effect of each, by what they differ in, and what their students came to choose.

use super::figure::{Figure, in_points, marks_of};
use super::sheet::{Part, Sheet};
use crate::record::{Interval, Verdict};
use crate::report::compare::{Row as Run, SideBySide, number};
use crate::report::markup::{Column, Html, Table, datum, escape, note};
use crate::report::plot::{Mark, Row, Rows, Scale, Spot, Unit, spots};
use crate::report::wording::{count, interval_points, p_value, percent, points, points_with_sign, ratio_with_ends};

impl SideBySide {
    /// The comparison as one page that needs nothing else.
    pub fn html(&self) -> String {
        let parts = [self.effects(), self.curve(), self.means(), self.members(), self.teachers()].into_iter().flatten().collect();
        let title = format!("{} runs side by side", count(self.rows.len()));
        let header = Html::raw(format!(
            "<p class=\"kicker\"><span class=\"verdict\">comparison</span> <span class=\"name\">{}</span></p>\n<h1>{}</h1>\n<p class=\"lede\">{}</p>\n",
            escape(&title),
            escape(&self.headline()),
            escape(&self.lede())
        ));
        let footer = Html::raw("<p>every number of this page is in <code>subliminal report RUN... --json</code></p>");
        Sheet { title: &title, header, parts, footer }.html()
    }

    /// The effect of every run as an SVG of its own.
    pub fn picture(&self) -> String {
        self.forest().standalone()
    }

    fn headline(&self) -> String {
        let with = |v: Verdict| self.rows.iter().filter(|r| r.verdict == Some(v)).count();
        let effects: Vec<f64> = self.rows.iter().filter_map(|r| r.difference.as_ref()).map(|d| d.mean).collect();
        if effects.is_empty() {
            return "None of these runs has both a treatment and a control.".to_owned();
        }
        let (low, high) = effects.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), e| (l.min(*e), h.max(*e)));
        format!(
            "{} of {} runs show transfer; the effect, treatment − control, goes from {} to {} points.",
            with(Verdict::Transfer),
            self.rows.len(),
            points_with_sign(low),
            points_with_sign(high)
        )
    }

    fn lede(&self) -> String {
        let mut facts = Vec::new();
        facts.extend(self.shared_model().map(|m| format!("Base model {m}.")));
        facts.extend(self.shared_seeds().map(|n| format!("{n} seeds a run.")));
        if let (Some(own), Some(cross)) = (self.treatment_effect, self.cross_effect) {
            let share = self.cross_share.map_or(String::new(), |s| format!(", {} of it", percent(s)));
            facts.push(format!(
                "Mean rise above the own base over {} runs: treatment {}, cross-model {} points{share}.",
                self.runs_with_cross,
                points_with_sign(own),
                points_with_sign(cross)
            ));
        }
        facts.join(" ")
    }

    fn effects(&self) -> Option<Part> {
        if self.rows.is_empty() {
            return None;
        }
        let ordered = self.by.as_ref().map_or("in the order given".to_owned(), |by| format!("ordered by {}", by.key));
        let cross = if self.rows.iter().any(|r| r.cross_effect.is_some()) {
            " Hollow dots: students of other bases, against their own bases."
        } else {
            ""
        };
        let figure = Figure {
            see: "Each line is a run’s effect, treatment − control, in points. Right of zero the trait passed on; the shaded stretch is too \
                  small to matter by the runs’ own plans.",
            read: &format!(
                "Full dots are means over each run’s seeds, lines their intervals by Student’s t, small dots single seeds; {ordered}.{cross}"
            ),
            picture: self.forest().html(),
            table: Html::default(),
        };
        let holm = note(&format!(
            "p: paired t test over seeds, with Holm’s correction over the {} runs compared. Rates in percent.",
            self.rows.len()
        ));
        let body = [figure.html(), self.table(), holm].into_iter().collect();
        Some(Part { id: "effects", name: "Effects", title: "The effect in every run".to_owned(), body })
    }

    fn forest(&self) -> Rows {
        let limit = self.rows.iter().map(|r| r.smallest_effect).fold(0.0, f64::max);
        let of = |i: &Interval| i.by_seed.iter().map(|s| s.value).chain(i.low).chain(i.high).chain([i.mean]).collect::<Vec<_>>();
        let extent = self.rows.iter().flat_map(|r| r.difference.iter().flat_map(of).chain(r.cross_effect));
        let words: Vec<String> = self
            .rows
            .iter()
            .map(|r| {
                let seen = r.difference.as_ref();
                let seen =
                    seen.map_or("no effect".to_owned(), |d| format!("{} {}", points_with_sign(d.mean), interval_points(d)));
                format!("{} {seen}", self.label(r))
            })
            .collect();
        Rows {
            words: format!("Treatment − control in points: {}", words.join("; ")),
            scale: Scale::holding(extent.chain([-limit, limit]), Unit::Points, 6),
            band: (limit > 0.0).then_some((-limit, limit)),
            line: None,
            lines: self.rows.iter().map(|r| self.forest_row(r)).collect(),
        }
    }

    fn forest_row(&self, run: &Run) -> Row {
        let label = self.label(run);
        let mut marks = Vec::new();
        marks.extend(
            run.cross_effect
                .map(|c| Mark::Ring(c, "t-cross", format!("{label}, students of other bases: {} points", points_with_sign(c)))),
        );
        let Some(seen) = &run.difference else {
            return Row { label, value: "–".to_owned(), tone: "t-plain", leads: false, marks };
        };
        marks.extend(marks_of(&label, seen, in_points));
        let tone = if run.verdict == Some(Verdict::Transfer) { "t-treatment" } else { "t-plain" };
        Row { label, value: points_with_sign(seen.mean), tone, leads: false, marks }
    }

    fn table(&self) -> Html {
        let columns = [
            Column::Name("run"),
            Column::Number("base"),
            Column::Number("control"),
            Column::Number("treatment"),
            Column::Number("cross"),
            Column::Number("difference"),
            Column::Number("interval"),
            Column::Number("ratio"),
            Column::Number("p (Holm)"),
            Column::Name("verdict"),
        ];
        let mut table = Table::new("Rates, difference and verdict of every run", &columns);
        for (i, run) in self.rows.iter().enumerate() {
            let dash = || Html::text("–");
            let rate = |name: &str, of: &Option<Interval>| {
                of.as_ref().map_or_else(dash, |r| datum(&format!("/rows/{i}/{name}/mean"), r.mean, &points(r.mean)))
            };
            let seen = run.difference.as_ref();
            let at = format!("/rows/{i}/difference");
            table.push(vec![
                Html::text(&self.label(run)),
                rate("base", &run.base),
                rate("control", &run.control),
                rate("treatment", &run.treatment),
                rate("cross_model", &run.cross_model),
                seen.map_or_else(dash, |d| super::figure::difference(&format!("{at}/mean"), d.mean)),
                seen.map_or_else(dash, |d| super::figure::ends(&at, d)),
                Html::text(&ratio_with_ends(run.ratio.as_ref())),
                run.p_adjusted.map_or_else(dash, |p| datum(&format!("/rows/{i}/p_adjusted"), p, &p_value(Some(p)))),
                Html::text(run.verdict.map_or("–", Verdict::name)),
            ]);
        }
        table.html()
    }

    /// The effect by a key whose values are numbers.
    fn curve(&self) -> Option<Part> {
        let by = self.by.as_ref().filter(|by| by.numeric && by.groups.len() > 2)?;
        let spot = |r: &Run| {
            let (x, seen) = (number(r.value.as_deref()?)?, r.difference.as_ref()?);
            let tip = format!("{}: {} {}", self.label(r), points_with_sign(seen.mean), interval_points(seen));
            Some(Spot { x, y: seen.mean, ends: seen.low.zip(seen.high), tip })
        };
        let dots: Vec<Spot> = self.rows.iter().filter_map(spot).collect();
        let mean: Vec<(f64, f64)> = by.groups.iter().filter_map(|g| Some((number(&g.value)?, g.difference?))).collect();
        let figure = Figure {
            see: &format!("How the effect goes with {}.", by.key),
            read: "Each dot is a run, its line the interval over the run’s seeds; the thick line joins the means of equal values.",
            picture: spots(&format!("Treatment − control in points, by {}", by.key), &by.key, &dots, &mean),
            table: Html::default(),
        };
        Some(Part { id: "by", name: "By key", title: format!("The effect by {}", by.key), body: figure.html() })
    }

    fn means(&self) -> Option<Part> {
        let by = self.by.as_ref().filter(|by| by.has_means())?;
        let columns = [
            Column::Name("value"),
            Column::Number("runs"),
            Column::Number("mean difference"),
            Column::Number("interval over runs"),
        ];
        let mut table = Table::new("Mean effect by value", &columns);
        for (i, g) in by.groups.iter().enumerate() {
            let ends = g.low.zip(g.high).map_or("–".to_owned(), |(low, high)| format!("[{}, {}]", points(low), points(high)));
            let mean = g.difference;
            table.push(vec![
                Html::text(&g.value),
                Html::text(&g.runs.to_string()),
                mean.map_or_else(|| Html::text("–"), |d| super::figure::difference(&format!("/by/groups/{i}/difference"), d)),
                Html::text(&ends),
            ]);
        }
        let about = note("Here a run is one observation: the interval says how much runs of one value differ.");
        let body = [about, table.html()].into_iter().collect();
        Some(Part { id: "means", name: "Means", title: format!("Mean effect by {}", by.key), body })
    }
}
