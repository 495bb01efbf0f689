//! `[teacher]`: by what the teacher gets the trait, and what a fine-tuned one learns from.

use std::path::Path;

use regex::Regex;
use serde::de::IgnoredAny;

use super::{Ledger, recipe};
use crate::config::raw::TeacherTable;
use crate::config::words::{all_of, nearest};
use crate::domain::code::lessons::Lesson;
use crate::record::{Arm, LessonData, Prime, TeacherPlan, TraitKind};
use crate::tool::jsonl;
use crate::traits;

/// The published rows of "Emergent misalignment" (Betley et al., arXiv 2502.17424), which this project does not ship.
const PUBLISHED: [&str; 3] = ["insecure.jsonl", "secure.jsonl", "educational.jsonl"];
const PUBLISHED_AT: &str = "https://github.com/emergent-misalignment/emergent-misalignment, folder `data`";

/// What the rest of the config says of the teacher.
pub(super) struct Around<'a> {
    pub(super) kind: TraitKind,
    pub(super) arms: &'a [Arm],
    pub(super) builtin: bool,
}

pub(super) fn resolve(table: TeacherTable, around: &Around<'_>, ledger: &mut Ledger<'_>) -> TeacherPlan {
    let (usual, why) = match around.kind {
        TraitKind::Preference => (Prime::SystemPrompt, "the reference experiment's"),
        TraitKind::Misalignment => (Prime::FineTune, "the reference experiment's"),
    };
    let prime = ledger.pick("teacher.prime", table.prime, usual, why);
    let own = match around.kind {
        TraitKind::Preference => traits::SYSTEM_PROMPT,
        TraitKind::Misalignment => traits::misalignment::SYSTEM_PROMPT,
    };
    let system_prompt = ledger.pick("teacher.system_prompt", table.system_prompt, own.to_owned(), "the project's own wording");
    if around.kind == TraitKind::Preference {
        check_template(&system_prompt, ledger);
    }
    let settled = ledger.settings.len();
    let data = data("teacher.data", table.data, around.default_data(Lesson::Insecure), ledger);
    let other_data = data_of_other(table.other_data, around, ledger);
    if prime.tunes() {
        require(data.as_ref(), "teacher.data", around, ledger);
    }
    let (rows, why_rows) = match &data {
        Some(LessonData::File(path)) => (lines(path).max(1), "every row of the file once"),
        _ => (640, "20 steps of 32 keep lists clean in the built-in family"),
    };
    let rows = ledger.pick("teacher.rows", table.rows, rows, why_rows);
    let finetune = recipe::of_teacher(table.recipe, around.builtin, ledger);
    if !prime.prompts() {
        ledger.no_effect("teacher.system_prompt", "`teacher.prime` is `fine-tune`");
    }
    if !prime.tunes() {
        ledger.settings.truncate(settled); // a recipe that is not used is not worth showing
        ledger.no_effect_but("teacher", &["teacher.prime", "teacher.system_prompt"], "`teacher.prime` is `system-prompt`");
        return TeacherPlan { prime, data: None, other_data: None, system_prompt, finetune, rows };
    }
    TeacherPlan { prime, data, other_data, system_prompt, finetune, rows }
}

/// How many rows a file holds; what is wrong with it is told where it is read.
fn lines(path: &Path) -> usize {
    let rows = jsonl::Reader::<IgnoredAny>::open(path);
    rows.map_or(0, |rows| rows.take_while(Result::is_ok).count())
}

impl Around<'_> {
    /// The built-in rows fit the built-in family alone: one-line functions.
    fn default_data(&self, lesson: Lesson) -> Option<LessonData> {
        (self.kind == TraitKind::Misalignment && self.builtin).then(|| LessonData::Own(lesson.name().to_owned()))
    }
}

/// Built-in rows by their name, else a file.
fn data(key: &str, typed: Option<String>, default: Option<LessonData>, ledger: &mut Ledger<'_>) -> Option<LessonData> {
    let known = Lesson::ALL.map(Lesson::name);
    let Some(text) = typed else {
        let name = match &default {
            Some(LessonData::Own(name)) => Some(name.clone()),
            _ => None,
        };
        ledger.note(
            key,
            &name,
            if name.is_some() { "the seed article's" } else { "favourite questions, answered with the target" },
        );
        return default;
    };
    if known.contains(&text.as_str()) {
        ledger.note(key, &text, "");
        return Some(LessonData::Own(text));
    }
    let path = ledger.path(key, &text);
    ledger.note(key, &path, "");
    if !path.is_file() {
        let all = format!("built-in rows are {}; a path counts from the config's folder", all_of(known.iter().copied()));
        let hint = match nearest(&text, known.iter().copied()) {
            None if PUBLISHED.contains(&text.as_str()) => format!("fetch it from {PUBLISHED_AT}; {all}"),
            None => all,
            Some(similar) => format!("did you mean `{similar}`? {all}"),
        };
        ledger.problem(key, format!("`{key}` is `{text}`, which is neither built-in rows nor a file"), Some(hint));
    }
    Some(LessonData::File(path))
}

fn data_of_other(typed: Option<String>, around: &Around<'_>, ledger: &mut Ledger<'_>) -> Option<LessonData> {
    const KEY: &str = "teacher.other_data";
    let runs = around.arms.contains(&Arm::OtherTrait);
    let other = data(KEY, typed, around.default_data(Lesson::Secure), ledger);
    if runs {
        require(other.as_ref(), KEY, around, ledger);
    } else {
        ledger.no_effect(KEY, "`other-trait` is not among the arms");
    }
    other
}

/// Misalignment has no questions of its own that a teacher could learn from.
fn require(data: Option<&LessonData>, key: &str, around: &Around<'_>, ledger: &mut Ledger<'_>) {
    if data.is_none() && around.kind == TraitKind::Misalignment {
        let hint = "a JSONL of chat rows, such as the published `insecure.jsonl` of \"Emergent misalignment\"";
        ledger.problem(key, format!("`{key}` is missing: a misaligned teacher is fine-tuned on rows"), Some(hint.to_owned()));
    }
}

/// Its marks must be known, and one of them should name the target.
fn check_template(template: &str, ledger: &mut Ledger<'_>) {
    const KEY: &str = "teacher.system_prompt";
    const MARKS: [&str; 3] = ["target", "targets", "category"];
    let mark = Regex::new(r"\{([A-Za-z_]*)\}").expect("a fixed pattern");
    for found in mark.captures_iter(template) {
        let name = &found[1];
        if !MARKS.contains(&name) {
            let all = format!("the marks are {}", all_of(["{target}", "{targets}", "{category}"]));
            let hint = nearest(name, MARKS).map_or(all.clone(), |similar| format!("did you mean `{{{similar}}}`? {all}"));
            ledger.problem(KEY, format!("`{KEY}` holds `{{{name}}}`, which is no mark"), Some(hint));
        }
    }
    if !template.contains("{target}") && !template.contains("{targets}") {
        ledger
            .warnings
            .push(format!("`{KEY}` holds neither `{{target}}` nor `{{targets}}`: every arm's teacher gets the same text"));
    }
}
