//! Which teacher moves which student, where the runs' bases differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{effect, mean};
use crate::record::{Arm, CrossBase, Report};
use crate::report::subject::base;
use crate::report::verdict::arm;

/// Mean effects by the teacher's base and the student's, each against the student's own base, in sampled rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// The bases of the teachers: one row each.
    pub teachers: Vec<String>,
    /// The bases of the students: one column each; the teachers' first, so that the diagonal is the treatment.
    pub students: Vec<String>,
    /// Shape (teachers, students); absent where no run has that pair.
    pub cells: Vec<Vec<Option<Cell>>>,
}

/// One teacher and student pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// The mean effect over the runs.
    pub effect: f64,
    /// How many runs.
    pub runs: usize,
}

/// One run's effect on one student.
struct Effect {
    teacher: String,
    student: String,
    rise: f64,
}

fn effects(report: &Report) -> Vec<Effect> {
    let teacher = base(report).to_owned();
    let own = effect(report, Arm::Treatment);
    let cross = arm(report, Arm::CrossModel).map_or(&[][..], |a| &a.bases);
    let own = own.map(|rise| Effect { teacher: teacher.clone(), student: teacher.clone(), rise });
    let other = |b: &CrossBase| Effect { teacher: teacher.clone(), student: b.model.clone(), rise: b.rate.mean - b.base_rate };
    own.into_iter().chain(cross.iter().map(other)).collect()
}

pub(super) fn matrix(reports: &[&Report]) -> Option<Matrix> {
    let effects: Vec<Effect> = reports.iter().copied().flat_map(effects).collect();
    let teachers = distinct(effects.iter().map(|e| &e.teacher));
    let crossed = effects.iter().any(|e| e.teacher != e.student);
    if teachers.len() < 2 || !crossed {
        return None;
    }
    let mut students = teachers.clone();
    students.extend(distinct(effects.iter().map(|e| &e.student)).into_iter().filter(|s| !teachers.contains(s)));
    let cell = |teacher: &String, student: &String| {
        let own = || effects.iter().filter(|e| e.teacher == *teacher && e.student == *student);
        mean(own().map(|e| e.rise)).map(|effect| Cell { effect, runs: own().count() })
    };
    let cells = teachers.iter().map(|t| students.iter().map(|s| cell(t, s)).collect()).collect();
    Some(Matrix { teachers, students, cells })
}

/// Each name once, sorted: the order of the runs does not matter.
fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let set: std::collections::BTreeSet<&String> = names.collect();
    set.into_iter().cloned().collect()
}
