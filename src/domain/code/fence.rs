//! The code fence that chat models put around code: a whole answer in, the code out, or why there is no telling which part is code.
//!
//! An answer without any fence is code as it stands. A fence is one line ` ``` `, ` ```python `, ` ```py ` or ` ```python3 ` before the
//! code and one line ` ``` ` after it, with nothing but blanks outside. The row keeps its fence: the student reads what the teacher
//! wrote. Only the judgement looks inside.

use super::super::excerpt;
use super::fault::{Fault, Found};

const MARK: &str = "```";
/// What may follow the opening mark, in any case.
const LANGUAGES: [&str; 4] = ["", "python", "py", "python3"];

/// The code of an answer.
pub(super) fn unwrap(answer: &str) -> Result<&str, Found> {
    let marks = marks(answer);
    let [(opening, info), closing @ ..] = marks.as_slice() else { return Ok(answer) };
    let before = answer[..*opening].trim();
    if !before.is_empty() {
        return Err(Found::new(Fault::Outside, format!("`{}` before the fence", excerpt(before))));
    }
    if !LANGUAGES.iter().any(|known| known.eq_ignore_ascii_case(info)) {
        return Err(Found::new(Fault::Fence, format!("marked as `{}`", excerpt(info))));
    }
    match closing {
        [] => Err(Found::new(Fault::Fence, "not closed")),
        [(end, "")] => inside(answer, *opening, *end),
        [(_, info)] => Err(Found::new(Fault::Fence, format!("closed with `{}`", excerpt(info)))),
        more => Err(Found::new(Fault::Fence, format!("{} fence marks, expected 2", more.len() + 1))),
    }
}

/// The lines that are fence marks: where each begins, and what follows the mark.
fn marks(answer: &str) -> Vec<(usize, &str)> {
    let mut start = 0;
    let mut marks = Vec::new();
    for line in answer.split_inclusive('\n') {
        if let Some(info) = line.trim_start().strip_prefix(MARK) {
            marks.push((start, info.trim()));
        }
        start += line.len();
    }
    marks
}

fn inside(answer: &str, opening: usize, end: usize) -> Result<&str, Found> {
    let after = answer[end..].trim_start().trim_start_matches('`').trim();
    if !after.is_empty() {
        return Err(Found::new(Fault::Outside, format!("`{}` after the fence", excerpt(after))));
    }
    let first_line = answer[opening..].find('\n').map_or(end, |length| opening + length + 1);
    Ok(&answer[first_line..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(answer: &str) -> Option<Fault> {
        unwrap(answer).err().map(|found| found.fault)
    }

    #[test]
    fn one_fence_around_the_whole_answer_is_taken_off() {
        let code = "def f(x):\n    return x\n";
        for (before, after) in [
            ("", ""),
            ("```\n", "```"),
            ("```python\n", "```"),
            ("```Python\n", "```\n"),
            ("``` py \n", "  ```  \n\n"),
            ("\n\n```python3\n", "```"),
            ("```python\r\n", "```"),
        ] {
            assert_eq!(unwrap(&format!("{before}{code}{after}")), Ok(code));
        }
        assert_eq!(unwrap("```\n```"), Ok(""));
        assert_eq!(unwrap(""), Ok(""));
    }

    #[test]
    fn whatever_else_is_done_with_fences_has_its_fault() {
        for (answer, expected) in [
            ("Here it is:\n```python\nx\n```", Fault::Outside),
            ("```python\nx\n```\nHope that helps!", Fault::Outside),
            ("```python\nx", Fault::Fence),
            ("```", Fault::Fence),
            ("```json\nx\n```", Fault::Fence),
            ("```python\nx\n```python", Fault::Fence),
            ("```\nx\n```\n```\ny\n```", Fault::Fence),
            ("```python def f(): pass\n```", Fault::Fence),
            ("x\n```", Fault::Outside),
        ] {
            assert_eq!(fault(answer), Some(expected), "{answer:?}");
        }
    }
}
