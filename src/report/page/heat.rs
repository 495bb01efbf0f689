//! Matrices of several runs as coloured tables: targets × what students came to choose, teachers × students.

use super::sheet::Part;
use crate::report::compare::{Change, Matrix, Members, MembersRow, SideBySide};
use crate::report::markup::{Html, datum, escape, note};
use crate::report::subject::short_model;
use crate::report::wording::points_with_sign;

/// A cell is marked where its corrected p value is below this.
const LEVEL: f64 = 0.05;

impl SideBySide {
    /// Target × member.
    pub(super) fn members(&self) -> Option<Part> {
        let body: Html = self.members.iter().enumerate().map(|(i, m)| self.member_matrix(i, m)).collect();
        let about = note(
            "Each line is a run, each column a member: the change of the member’s rate, treatment − control, in points. Framed: the run’s \
             own target. What one member gains the others lose; a rise beside the frame is something else that passed on. Bold: below 5 % \
             after Holm’s correction over all cells.",
        );
        let title = "What students came to choose".to_owned();
        (!body.is_empty()).then(|| Part {
            id: "members",
            name: "Target × chosen",
            title,
            body: [about, body].into_iter().collect(),
        })
    }

    fn member_matrix(&self, place: usize, members: &Members) -> Html {
        let heading = |name: &String| format!("<th scope=\"col\"><span>{}</span></th>", escape(name));
        let headings: String = members.outcomes.iter().map(heading).collect();
        let line = |(r, row): (usize, &MembersRow)| {
            let cell = |(c, cell): (usize, &Option<Change>)| {
                member_cell(
                    &format!("/members/{place}/rows/{r}/cells/{c}/difference"),
                    cell.as_ref(),
                    members.outcomes[c] == row.target,
                )
            };
            let cells: String = row.cells.iter().enumerate().map(cell).collect();
            let name = self.rows.get(row.run).map_or_else(|| row.target.clone(), |run| self.label(run));
            format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escape(&name))
        };
        let lines: String = members.rows.iter().enumerate().map(line).collect();
        let caption = escape(&format!("Change of every {}'s rate in points, by run", members.category));
        Html::raw(format!(
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table class=\"heat\">\n\
             <caption class=\"unseen\">{caption}</caption>\n<thead><tr><th scope=\"col\">run</th>{headings}</tr></thead>\n<tbody>\n{lines}</tbody></table></div>\n"
        ))
    }

    /// Teacher × student.
    pub(super) fn teachers(&self) -> Option<Part> {
        let matrix = self.matrix.as_ref()?;
        let body = [note(&matrix.caption()), teacher_matrix(matrix)].into_iter().collect();
        Some(Part { id: "teachers", name: "Teacher × student", title: "Which teacher moves which student".to_owned(), body })
    }
}

fn member_cell(pointer: &str, change: Option<&Change>, own: bool) -> String {
    let Some(change) = change else { return "<td>–</td>".to_owned() };
    let text = datum(pointer, change.difference, &whole(change.difference));
    let text = if change.p_adjusted.is_some_and(|p| p < LEVEL) { format!("<b>{text}</b>") } else { text.to_string() };
    format!("<td class=\"{}{}\">{text}</td>", heat(change.difference), if own { " own" } else { "" })
}

/// Points without decimals: a matrix is read by its pattern.
fn whole(difference: f64) -> String {
    let points = (difference * 100.0).round() as i64;
    match points {
        0 => "0".to_owned(),
        p if p < 0 => format!("−{}", -p),
        p => format!("+{p}"),
    }
}

/// The class that gives a change its colour.
fn heat(difference: f64) -> &'static str {
    match difference {
        d if d >= 0.5 => "h5",
        d if d >= 0.25 => "h4",
        d if d >= 0.1 => "h3",
        d if d >= 0.03 => "h2",
        d if d >= 0.01 => "h1",
        d if d <= -0.1 => "c3",
        d if d <= -0.03 => "c2",
        d if d <= -0.01 => "c1",
        _ => "h0",
    }
}

fn teacher_matrix(matrix: &Matrix) -> Html {
    let heading = |name: &String| format!("<th scope=\"col\">{}</th>", escape(short_model(name)));
    let headings: String = matrix.students.iter().map(heading).collect();
    let line = |(t, teacher): (usize, &String)| {
        let cell = |(s, student): (usize, &String)| match &matrix.cells[t][s] {
            None => "<td>–</td>".to_owned(),
            Some(cell) => {
                let text = datum(&format!("/matrix/cells/{t}/{s}/effect"), cell.effect, &points_with_sign(cell.effect));
                format!("<td class=\"{}{}\">{text}</td>", heat(cell.effect), if teacher == student { " own" } else { "" })
            }
        };
        let cells: String = matrix.students.iter().enumerate().map(cell).collect();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escape(short_model(teacher)))
    };
    let lines: String = matrix.teachers.iter().enumerate().map(line).collect();
    Html::raw(format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Teacher by student\"><table class=\"heat few\">\n\
         <caption class=\"unseen\">Mean rise of the student's rate by teacher and student, in points</caption>\n\
         <thead><tr><th scope=\"col\">teacher</th>{headings}</tr></thead>\n<tbody>\n{lines}</tbody></table></div>\n"
    ))
}
