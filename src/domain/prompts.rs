//! A user's own prompts: a JSON Lines file of `{"prompt"}` rows (with `id`, or without) in, a seeded choice of them out.

use std::path::Path;

use rand::seq::index;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::record::{Expected, Prompt, RowId};
use crate::tool::{jsonl, streams};

#[derive(Deserialize)]
struct Row {
    id: Option<RowId>,
    prompt: String,
    expected: Option<Expected>,
}

/// `n` prompts of the file, in the file's order; where it holds more, the seed draws which. Ids default to the row's place, from 0.
pub(super) fn from_file(path: &Path, n: usize, seed: u64) -> Result<Vec<Prompt>> {
    let rows: Vec<Row> = jsonl::read(path)?;
    if rows.len() < n {
        return Err(Error::input(format!("{} prompts here, but `generate.samples` is {n}", rows.len()))
            .at(path, None)
            .hint("each prompt is answered once: add prompts, or ask for fewer samples"));
    }
    Ok(draw(rows.into_iter().enumerate().map(named).collect(), n, seed))
}

/// `n` of the prompts, in their order; where there are more, the seed draws which.
pub(super) fn draw(prompts: Vec<Prompt>, n: usize, seed: u64) -> Vec<Prompt> {
    let mut chosen = index::sample(&mut streams::named(seed, "prompts", 0), prompts.len(), n).into_vec();
    chosen.sort_unstable();
    prompts.into_iter().enumerate().filter(|(place, _)| chosen.binary_search(place).is_ok()).map(|(_, prompt)| prompt).collect()
}

fn named((place, row): (usize, Row)) -> Prompt {
    Prompt { id: row.id.unwrap_or(RowId::Number(place as u64)), prompt: row.prompt, expected: row.expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prompts.jsonl");
        std::fs::write(&path, rows).unwrap();
        (dir, path)
    }

    #[test]
    fn a_file_of_just_enough_prompts_is_used_as_it_is() {
        let (_dir, path) = file("{\"prompt\":\"a\"}\n{\"id\":\"x\",\"prompt\":\"b\",\"more\":1}\n");
        let prompts = from_file(&path, 2, 7).unwrap();
        let ids: Vec<String> = prompts.iter().map(|p| p.id.to_string()).collect();
        assert_eq!(ids, ["0", "x"]);
        assert_eq!(prompts[1].prompt, "b");
    }

    #[test]
    fn more_prompts_than_needed_are_drawn_by_the_seed_in_file_order() {
        let rows: Vec<String> = (0..100).map(|i| format!("{{\"prompt\":\"{i:03}\"}}")).collect();
        let (_dir, path) = file(&rows.join("\n"));
        let draw = |seed| from_file(&path, 10, seed).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).is_sorted_by(|a, b| a.prompt < b.prompt));
    }

    #[test]
    fn too_few_prompts_are_an_error_that_says_so() {
        let (_dir, path) = file("{\"prompt\":\"a\"}\n");
        let error = from_file(&path, 2, 7).unwrap_err().render();
        assert!(error.contains("1 prompts here, but `generate.samples` is 2"), "{error}");
    }
}
