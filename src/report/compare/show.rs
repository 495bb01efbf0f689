//! Runs side by side, as text for a terminal and as Markdown for a README.

use super::{By, Cell, Change, Matrix, Members, Row, SideBySide};
use crate::record::Interval;
use crate::report::grid::{Grid, Side, escape};
use crate::report::style::{Paint, Style};
use crate::report::subject::short_model;
use crate::report::wording::{interval_points, p_value, percent, plain, points, points_with_sign, ratio_with_ends};

/// The most columns of a terminal's matrix of targets.
const TARGETS: usize = 10;

/// How much room a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// A hundred columns.
    Terminal,
    /// As much as it takes.
    Free,
}

impl Width {
    /// A model's name: in a terminal without its owner or folder, and cut.
    fn model(self, name: &str) -> String {
        match self {
            Self::Free => plain(name.trim_start_matches("builtin:"), 80),
            Self::Terminal => plain(short_model(name), 10),
        }
    }
}

impl SideBySide {
    /// A table with one line a run, the mean effects, and the matrix where there is one.
    pub fn text(&self, style: Style) -> String {
        let notes = self.notes().into_iter().map(|n| style.paint(Paint::Faint, &format!("  {n}")) + "\n").collect();
        let matrix = self
            .matrix
            .as_ref()
            .map_or(String::new(), |m| style.paint(Paint::Faint, &format!("  {}", m.caption())) + "\n\n" + &m.text(style));
        let members: Vec<String> = self.members.iter().filter_map(|m| m.text(self, style)).collect();
        let parts = [self.grid(Width::Terminal).text(style), notes, members.join("\n"), matrix];
        parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        let notes: String = self.notes().into_iter().map(|n| escape(&n) + "  \n").collect();
        let matrix = self.matrix.as_ref().map_or(String::new(), |m| format!("{}:\n\n{}", m.caption(), m.markdown()));
        let parts = [self.grid(Width::Free).markdown(), notes, matrix];
        parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn grid(&self, width: Width) -> Grid<'_> {
        use Side::{Left, Right};
        let mut grid = Grid::new(&[
            (self.by.as_ref().map_or("", |by| by.key.as_str()), Left),
            ("target", Left),
            ("domain", Left),
            ("model", Left),
            ("seeds", Right),
            ("base", Right),
            ("control", Right),
            ("treatment", Right),
            ("cross", Right),
            ("ratio", Left),
            ("difference", Left),
            ("p", Right),
            ("verdict", Left),
        ]);
        let (model, seeds) = (self.shared_model(), self.shared_seeds());
        let same_domain = self.rows.windows(2).all(|pair| pair[0].domain == pair[1].domain);
        for row in &self.rows {
            let mut cells = cells(row, width);
            if same_domain {
                cells[2].clear();
            }
            if model.is_some() {
                cells[3].clear(); // the notes name what all rows share
            }
            if seeds.is_some() {
                cells[4].clear();
            }
            grid.push(Paint::Normal, cells);
        }
        grid.without_empty_columns()
    }

    pub(in crate::report) fn shared_model(&self) -> Option<&str> {
        let first = &self.rows.first()?.model;
        self.rows.iter().all(|r| r.model == *first).then_some(first)
    }

    pub(in crate::report) fn shared_seeds(&self) -> Option<usize> {
        let first = self.rows.first()?.n_seeds;
        self.rows.iter().all(|r| r.n_seeds == first).then_some(first)
    }

    /// What tells the rows apart.
    pub(in crate::report) fn label(&self, row: &Row) -> String {
        let differs = |of: fn(&Row) -> &str| self.rows.iter().any(|r| of(r) != of(&self.rows[0]));
        let mut parts = Vec::new();
        parts.extend(self.by.as_ref().map(|by| match by.key.as_str() {
            "target" | "model" | "domain" | "name" | "trait.target" | "model.base" => String::new(),
            key => format!("{} {}", key.rsplit('.').next().unwrap_or(key), row.value.as_deref().unwrap_or("–")),
        }));
        if differs(|r| &r.target) || parts.iter().all(String::is_empty) {
            parts.push(row.target.clone());
        }
        if differs(|r| &r.domain) {
            parts.push(row.domain.clone());
        }
        if differs(|r| &r.model) {
            parts.push(short_model(&row.model).to_owned());
        }
        parts.retain(|p| !p.is_empty());
        parts.join(" · ")
    }

    fn notes(&self) -> Vec<String> {
        let model = self.shared_model().map(|m| format!("base model {}", plain(m, 60)));
        let seeds = self.shared_seeds().map(|n| format!("{n} seed{} a run", if n == 1 { "" } else { "s" }));
        let shared: Vec<String> = model.into_iter().chain(seeds).collect();
        let corrected =
            if self.rows.len() > 1 { format!(", Holm's correction over {} runs", self.rows.len()) } else { String::new() };
        let mut notes = Vec::new();
        notes.extend((!shared.is_empty()).then(|| shared.join(", ")));
        notes.push("rates in percent; ratio and difference: treatment against control, difference in points".to_owned());
        notes.push(format!("intervals over seeds; p: paired t test{corrected}"));
        if let (Some(treatment), Some(cross)) = (self.treatment_effect, self.cross_effect) {
            let share = self.cross_share.map_or(String::new(), |s| format!(", {} of it", percent(s)));
            notes.push(format!(
                "mean rise above the own base over {} runs: treatment {}, cross-model {} points{share}",
                self.runs_with_cross,
                points_with_sign(treatment),
                points_with_sign(cross)
            ));
        }
        notes.extend(self.by.iter().filter(|by| by.has_means()).flat_map(By::means));
        notes
    }
}

impl By {
    /// `mean difference where finetune.epochs is 2: +15.0 [−48.5, 78.5] over 2 runs`, one line a value.
    fn means(&self) -> Vec<String> {
        let mean = |g: &super::Group| {
            let ends = g.low.zip(g.high).map_or(String::new(), |(low, high)| format!(" [{}, {}]", points(low), points(high)));
            let runs = if g.runs == 1 { "1 run".to_owned() } else { format!("{} runs", g.runs) };
            let (key, value) = (plain(&self.key, 40), plain(&g.value, 20));
            Some(format!("mean difference where {key} is {value}: {}{ends} over {runs}", points_with_sign(g.difference?)))
        };
        self.groups.iter().filter_map(mean).collect()
    }
}

impl Members {
    /// The columns that are some run's target, where there are two and not too many; the page has all.
    fn text(&self, side: &SideBySide, style: Style) -> Option<String> {
        let targets = self.targets();
        if !(2..=TARGETS).contains(&targets) {
            return None;
        }
        let columns: Vec<(&str, Side)> = std::iter::once(("target \\ chosen", Side::Left))
            .chain(self.outcomes[..targets].iter().map(|o| (o.as_str(), Side::Right)))
            .collect();
        let mut grid = Grid::new(&columns);
        for row in &self.rows {
            let cell = |c: &Option<Change>| c.map_or("–".to_owned(), |c| points_with_sign(c.difference));
            let name = side.rows.get(row.run).map_or_else(|| row.target.clone(), |run| side.label(run));
            grid.push(Paint::Normal, std::iter::once(plain(&name, 32)).chain(row.cells[..targets].iter().map(cell)).collect());
        }
        let about = "target × chosen: the change of each target's rate, treatment − control, in points";
        Some(style.paint(Paint::Faint, &format!("  {about}")) + "\n\n" + &grid.text(style))
    }
}

fn cells(row: &Row, width: Width) -> Vec<String> {
    let rate = |interval: &Option<Interval>| interval.as_ref().map_or(String::new(), |i| points(i.mean));
    let dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    vec![
        row.value.as_ref().map_or(String::new(), |v| plain(v, 20)),
        plain(&row.target, 16),
        plain(&row.domain, 12),
        width.model(&row.model),
        row.n_seeds.to_string(),
        rate(&row.base),
        rate(&row.control),
        rate(&row.treatment),
        rate(&row.cross_model),
        ratio_with_ends(row.ratio.as_ref()),
        dash(row.difference.as_ref().map(difference)),
        p_value(row.p_adjusted),
        dash(row.verdict.map(|v| v.name().to_owned())),
    ]
}

/// `+40.0 [37.1, 42.9]`, the ends where there are any.
fn difference(interval: &Interval) -> String {
    let ends = interval.low.map_or(String::new(), |_| format!(" {}", interval_points(interval)));
    points_with_sign(interval.mean) + &ends
}

impl Matrix {
    pub(in crate::report) fn caption(&self) -> String {
        let runs = self.cells.iter().flatten().flatten().map(|c| c.runs);
        let (fewest, most) = runs.fold((usize::MAX, 0), |(f, m), n| (f.min(n), m.max(n)));
        let runs = if fewest == most { format!("{most}") } else { format!("{fewest} to {most}") };
        format!("teacher × student: the student's rise above its own base, in points (runs a cell: {runs})")
    }

    fn text(&self, style: Style) -> String {
        let lines = self.lines(|c| points_with_sign(c.effect));
        let widths: Vec<usize> =
            (0..=self.students.len()).map(|i| lines.iter().map(|l| l[i].chars().count()).fold(0, usize::max)).collect();
        let mut out = String::new();
        for (i, line) in lines.iter().enumerate() {
            let mut text = format!("  {:<1$}", line[0], widths[0]);
            for (cell, width) in line.iter().zip(&widths).skip(1) {
                text += &format!("  {cell:>width$}");
            }
            out += &(style.paint(if i == 0 { Paint::Faint } else { Paint::Normal }, text.trim_end()) + "\n");
        }
        out
    }

    fn markdown(&self) -> String {
        let lines = self.lines(|c| points_with_sign(c.effect));
        let mut out = String::new();
        for (i, line) in lines.iter().enumerate() {
            let bold = |j: usize, cell: &String| if i > 0 && i == j { format!("**{cell}**") } else { cell.clone() };
            let cells: Vec<String> = line.iter().enumerate().map(|(j, c)| bold(j, &escape(c))).collect();
            out += &format!("| {} |\n", cells.join(" | "));
            if i == 0 {
                out += &format!("| ---{} |\n", " | ---:".repeat(self.students.len()));
            }
        }
        out
    }

    /// The heading and one line a teacher, as cells.
    fn lines(&self, show: impl Fn(&Cell) -> String) -> Vec<Vec<String>> {
        let name = |model: &String| plain(model.trim_start_matches("builtin:"), 24);
        let heading = std::iter::once("teacher \\ student".to_owned()).chain(self.students.iter().map(name)).collect();
        let line = |(teacher, cells): (&String, &Vec<Option<Cell>>)| {
            let cells = cells.iter().map(|c| c.as_ref().map_or("–".to_owned(), &show));
            std::iter::once(name(teacher)).chain(cells).collect::<Vec<_>>()
        };
        std::iter::once(heading).chain(self.teachers.iter().zip(&self.cells).map(line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Rates, outcome, zebra};

    fn side_by_side(outcomes: &[crate::record::Outcome]) -> SideBySide {
        let reports: Vec<_> = outcomes.iter().map(|o| crate::report::build(o).expect("a sound outcome")).collect();
        crate::report::compare(&reports)
    }

    #[test]
    fn runs_on_one_base_stand_line_under_line() {
        let owl = outcome("owl", "builtin:tiny-a", &["builtin:tiny-b"], Rates { treatment: 0.07, cross: 0.05, ..Rates::EVEN });
        let side = side_by_side(&[zebra(), owl]);
        insta::assert_snapshot!(side.text(Style::Plain), @r"
          target  base  control  treatment  cross  ratio             difference                p  verdict
          zebra    5.0      5.0       45.0    6.5  9.0 [7.2, 11.7]   +40.0 [37.1, 42.9]  <0.0001  transfer
          owl      5.0      5.0        7.0    5.0  1.40 [0.84, 2.2]  +2.0 [−0.9, 4.9]     0.1324  no-transfer

          base model builtin:tiny-a, 5 seeds a run
          rates in percent; ratio and difference: treatment against control, difference in points
          intervals over seeds; p: paired t test, Holm's correction over 2 runs
          mean rise above the own base over 2 runs: treatment +21.0, cross-model +0.5 points, 2.4 % of it

          target × chosen: the change of each target's rate, treatment − control, in points

          target \ chosen  zebra    owl
          zebra            +40.0  −10.0
          owl               −0.5   +2.0
        ");
        insta::assert_snapshot!(side.markdown(), @r"
        | target | base | control | treatment | cross | ratio | difference | p | verdict |
        | --- | ---: | ---: | ---: | ---: | --- | --- | ---: | --- |
        | zebra | 5.0 | 5.0 | 45.0 | 6.5 | 9.0 [7.2, 11.7] | +40.0 [37.1, 42.9] | &lt;0.0001 | transfer |
        | owl | 5.0 | 5.0 | 7.0 | 5.0 | 1.40 [0.84, 2.2] | +2.0 [−0.9, 4.9] | 0.1324 | no-transfer |

        base model builtin:tiny-a, 5 seeds a run  
        rates in percent; ratio and difference: treatment against control, difference in points  
        intervals over seeds; p: paired t test, Holm's correction over 2 runs  
        mean rise above the own base over 2 runs: treatment +21.0, cross-model +0.5 points, 2.4 % of it
        ");
    }

    #[test]
    fn runs_on_several_bases_show_the_matrix() {
        let on = |teacher, students: &[&str]| {
            outcome("zebra", teacher, students, Rates { treatment: 0.45, cross: 0.06, ..Rates::EVEN })
        };
        let side = side_by_side(&[
            on("builtin:tiny-a", &["builtin:tiny-b", "builtin:tiny-c"]),
            on("builtin:tiny-b", &["builtin:tiny-a", "builtin:tiny-c"]),
        ]);
        insta::assert_snapshot!(side.text(Style::Plain), @r"
          target  model   base  control  treatment  cross  ratio            difference                p  verdict
          zebra   tiny-a   5.0      5.0       45.0    6.5  9.0 [7.2, 11.7]  +40.0 [37.1, 42.9]  <0.0001  transfer
          zebra   tiny-b   5.0      5.0       45.0    6.5  9.0 [7.2, 11.7]  +40.0 [37.1, 42.9]  <0.0001  transfer

          5 seeds a run
          rates in percent; ratio and difference: treatment against control, difference in points
          intervals over seeds; p: paired t test, Holm's correction over 2 runs
          mean rise above the own base over 2 runs: treatment +40.0, cross-model +1.0 points, 2.5 % of it

          teacher × student: the student's rise above its own base, in points (runs a cell: 1)

          teacher \ student  tiny-a  tiny-b  tiny-c
          tiny-a              +40.0    +1.0    +1.0
          tiny-b               +1.0   +40.0    +1.0
        ");
        insta::assert_snapshot!(side.markdown(), @r"
        | target | model | base | control | treatment | cross | ratio | difference | p | verdict |
        | --- | --- | ---: | ---: | ---: | ---: | --- | --- | ---: | --- |
        | zebra | tiny-a | 5.0 | 5.0 | 45.0 | 6.5 | 9.0 [7.2, 11.7] | +40.0 [37.1, 42.9] | &lt;0.0001 | transfer |
        | zebra | tiny-b | 5.0 | 5.0 | 45.0 | 6.5 | 9.0 [7.2, 11.7] | +40.0 [37.1, 42.9] | &lt;0.0001 | transfer |

        5 seeds a run  
        rates in percent; ratio and difference: treatment against control, difference in points  
        intervals over seeds; p: paired t test, Holm's correction over 2 runs  
        mean rise above the own base over 2 runs: treatment +40.0, cross-model +1.0 points, 2.5 % of it  

        teacher × student: the student's rise above its own base, in points (runs a cell: 1):

        | teacher \\ student | tiny-a | tiny-b | tiny-c |
        | --- | ---: | ---: | ---: |
        | tiny-a | **+40.0** | +1.0 | +1.0 |
        | tiny-b | +1.0 | **+40.0** | +1.0 |
        ");
    }

    #[test]
    fn what_is_missing_is_a_gap() {
        let mut bare = zebra();
        bare.evaluations.retain(|e| e.arm == crate::record::Arm::Base);
        insta::assert_snapshot!(side_by_side(&[bare]).text(Style::Plain), @r"
          target  base  ratio  difference  p  verdict
          zebra    5.0  –      –           –  –

          base model builtin:tiny-a, 5 seeds a run
          rates in percent; ratio and difference: treatment against control, difference in points
          intervals over seeds; p: paired t test
        ");
    }
}
