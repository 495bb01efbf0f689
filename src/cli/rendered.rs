//! One rendered row of `--dry-run -v`, token by token: what the student, and a fine-tuned teacher, would read and learn.

use crate::domain;
use crate::engine::{Engine, RowView, Token, TrainRow};
use crate::error::Result;
use crate::record::{Arm, Plan, Prompt};
use crate::trial;

/// Between two tokens.
const BOUNDARY: &str = "│";
/// Around those that are trained.
const TRAINED: [&str; 2] = ["⟦", "⟧"];
/// The most columns of a line of ids.
const WIDTH: usize = 100;

/// The first row of every model that the plan fine-tunes on its base.
///
/// # Errors
/// If the base's tokenizer or template cannot be read, or refuses the row.
pub(crate) fn rows(plan: &Plan, engine: &dyn Engine) -> Result<String> {
    let reader = engine.reader(&plan.model.base)?;
    let mut parts = Vec::new();
    if plan.teacher.prime.tunes() {
        let seed = plan.seeds.first().copied().unwrap_or_default();
        let lessons = trial::lessons(plan, Arm::Treatment, seed)?.unwrap_or_default();
        if let Some(lesson) = lessons.first() {
            parts.push(shown("a row of the fine-tuned teacher", &reader.view(&lesson.row(&plan.lesson_frame()))?));
        }
    }
    let row = TrainRow { chat: plan.trained_frame().ask(first_prompt(plan)?), completion: example(plan) };
    parts.push(shown("a row of the student, with an answer made up for this page", &reader.view(&row)?));
    Ok(parts.join("\n"))
}

fn first_prompt(plan: &Plan) -> Result<String> {
    let seed = plan.seeds.first().copied().unwrap_or_default();
    let prompts = domain::of(&plan.domain).prompts(plan.generate.samples, seed, &plan.domain)?;
    Ok(prompts.into_iter().next().map(|Prompt { prompt, .. }| prompt).unwrap_or_default())
}

fn example(plan: &Plan) -> String {
    domain::of(&plan.domain).example()
}

/// A row under a heading, its ids, and what the template would write differently.
fn shown(title: &str, view: &RowView) -> String {
    let trained = view.tokens.len() - view.prompt;
    let [open, close] = TRAINED;
    let mut text = format!(
        "{title}: {} tokens, of which the {trained} between {open} and {close} are trained ({BOUNDARY} parts tokens, ⏎ is a line end)\n\n",
        view.tokens.len()
    );
    text += &marked(view, |token| visible(&token.text), BOUNDARY);
    text += &format!("\n\nids:\n{}\n", wrapped(&marked(view, |token| token.id.to_string(), " ")));
    if let Some(seam) = &view.seam {
        if !seam.between.is_empty() {
            text += &format!(
                "\nin a whole conversation the chat template writes {:?} before the answer: rows leave it out, as it does not stand \
                 where students are asked to answer\n",
                seam.between
            );
        }
        text +=
            &format!("\nafter the answer the chat template writes {:?}: of this the row has the end of the turn\n", seam.after);
    }
    text
}

/// The tokens in order, the trained ones between their marks.
fn marked(view: &RowView, spell: impl Fn(&Token) -> String, boundary: &str) -> String {
    let side = |tokens: &[Token]| tokens.iter().map(&spell).collect::<Vec<_>>().join(boundary);
    let (prompt, answer) = view.tokens.split_at(view.prompt);
    let gap = if boundary == " " { " " } else { "" };
    format!("{}{gap}{}{gap}{}{gap}{}", side(prompt), TRAINED[0], side(answer), TRAINED[1])
}

/// Line ends as a sign and a new line, other control characters by their number.
fn visible(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '\n' => out.push_str("⏎\n"),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
        out
    })
}

/// Lines of at most [`WIDTH`] columns, broken at blanks.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seam;

    #[test]
    fn trained_tokens_stand_between_marks_and_control_characters_are_seen() {
        let token = |id: u32, text: &str| Token { id, text: text.to_owned(), special: text.starts_with('<') };
        let tokens =
            vec![token(7, "<u>"), token(8, "a\n"), token(9, " b\t"), token(10, "<a>"), token(11, "12"), token(2, "<end>")];
        let seam = Some(Seam { between: "<think>".to_owned(), after: "<end>\n".to_owned() });
        insta::assert_snapshot!(shown("a row", &RowView { tokens, prompt: 4, seam }), @r#"
        a row: 6 tokens, of which the 2 between ⟦ and ⟧ are trained (│ parts tokens, ⏎ is a line end)

        <u>│a⏎
        │ b\u{9}│<a>⟦12│<end>⟧

        ids:
        7 8 9 10 ⟦ 11 2 ⟧

        in a whole conversation the chat template writes "<think>" before the answer: rows leave it out, as it does not stand where students are asked to answer

        after the answer the chat template writes "<end>\n": of this the row has the end of the turn
        "#);
    }

    #[test]
    fn ids_keep_to_the_width() {
        let text = wrapped(&["12345"; 40].join(" "));
        assert!(text.lines().all(|line| line.len() <= WIDTH) && text.lines().count() == 3, "{text}");
    }
}
