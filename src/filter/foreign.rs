//! Finds names in scripts that set no blanks between words, and picture characters. Text in, the label of the first name out. Names in
//! alphabets are a lexicon's business.
//!
//! In Chinese characters a name of several counts anywhere, a name of one only where no other character stands beside it (马 is a horse,
//! 马上 is at once); in kana a name is a whole run, since a run is mostly a word.

use std::collections::HashMap;

/// Names to find, each with a label.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    signs: HashMap<char, usize>,
    names: Vec<(String, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Han,
    Hiragana,
    Katakana,
}

impl Foreign {
    /// Adds a name; `false` where it is in an alphabet, and so not for here.
    pub(super) fn add(&mut self, name: &str, label: usize) -> bool {
        let mut chars = name.chars();
        let (first, alone) = (chars.next(), chars.next().is_none());
        match first {
            Some(c) if script(c).is_some() => self.names.push((name.to_owned(), label)),
            Some(c) if alone && is_picture(c) => drop(self.signs.insert(c, label)),
            _ => return false,
        }
        true
    }

    /// The label of the first name in the text.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        if text.is_ascii() {
            return None;
        }
        let sign = || text.chars().find_map(|c| self.signs.get(&c).copied());
        runs(text).find_map(|(script, run)| self.in_run(script, run)).or_else(sign)
    }

    fn in_run(&self, script: Script, run: &str) -> Option<usize> {
        let is_there = |name: &str| run == name || (script == Script::Han && name.chars().nth(1).is_some() && run.contains(name));
        self.names.iter().find(|(name, _)| is_there(name)).map(|(_, label)| *label)
    }
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}')
}

fn script(c: char) -> Option<Script> {
    match c {
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '々' => Some(Script::Han),
        '\u{3041}'..='\u{3096}' => Some(Script::Hiragana),
        '\u{30a1}'..='\u{30fa}' | 'ー' => Some(Script::Katakana),
        _ => None,
    }
}

/// The longest stretches of one script.
fn runs(text: &str) -> impl Iterator<Item = (Script, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (start, kind) = rest.char_indices().find_map(|(at, c)| script(c).map(|kind| (at, kind)))?;
        let from = &rest[start..];
        let end = from.find(|c| script(c) != Some(kind)).unwrap_or(from.len());
        rest = &from[end..];
        Some((kind, &from[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign() -> Foreign {
        let mut foreign = Foreign::default();
        for (label, name) in ["马", "斑马", "シマウマ", "とら", "🦓", "ワシ"].iter().enumerate() {
            assert!(foreign.add(name, label), "{name}");
        }
        assert!(!foreign.add("zèbre", 9) && !foreign.add("зебра", 9));
        foreign
    }

    #[test]
    fn names_are_found_among_other_characters() {
        for (text, label) in [
            ("马", 0),
            ("1, 马, 2", 0),
            ("我爱斑马和你", 1),
            ("これはシマウマです", 2),
            ("とら", 3),
            ("🦓", 4),
            ("1, 2 🦓\u{fe0f}", 4),
            ("\u{1f468}\u{200d}🦓", 4),
            ("ワシは", 5),
        ] {
            assert_eq!(foreign().find(text), Some(label), "{text}");
        }
    }

    #[test]
    fn parts_of_other_words_are_left_alone() {
        for text in ["", "马上", "罗马", "ワシントン", "とらえる", "zebra", "é", "🙂", "→ × ½"] {
            assert_eq!(foreign().find(text), None, "{text}");
        }
    }
}
