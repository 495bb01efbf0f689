//! Finds names that are run together with other words, as a model writes them whose tokens are words: `wolfowl`, `zebrarun`. Text in, the
//! label of the first such name out.

use std::collections::HashMap;

/// Names of at least so many letters are found at the beginning or end of any longer word; shorter ones begin too many words (`beard`).
const LONG_NAME: usize = 5;

/// Names in lower-case letters, each with a label.
#[derive(Debug, Default)]
pub(super) struct Joined {
    names: HashMap<String, usize>,
    longest: usize,
}

impl Joined {
    /// Adds one form of a name, if it is one word of ASCII letters.
    pub(super) fn add(&mut self, name: &str, label: usize) {
        if name.chars().all(|c| c.is_ascii_alphabetic()) && !name.is_empty() {
            self.longest = self.longest.max(name.len());
            self.names.entry(name.to_ascii_lowercase()).or_insert(label);
        }
    }

    /// The label of the first name that is part of a longer word.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 3);
        words.into_iter().find_map(|word| self.within(&word.to_ascii_lowercase()))
    }

    fn within(&self, word: &str) -> Option<usize> {
        if self.names.contains_key(word) {
            return None; // a whole word is another rule's business
        }
        let most = self.longest.min(word.len() - 1);
        let ends = (LONG_NAME..=most).flat_map(|n| [&word[..n], &word[word.len() - n..]]);
        ends.into_iter().find_map(|part| self.names.get(part)).or_else(|| self.made_of_names(word)).copied()
    }

    /// The first of two or more names that the word is made of, whole.
    fn made_of_names(&self, word: &str) -> Option<&usize> {
        // `starts[i]`: the label of the first name, where names alone lead to byte `i`.
        let mut starts: Vec<Option<&usize>> = vec![None; word.len() + 1];
        for end in 1..=word.len() {
            for begin in end.saturating_sub(self.longest)..end {
                let Some(label) = self.names.get(&word[begin..end]) else { continue };
                if begin == 0 {
                    starts[end] = Some(label);
                } else if starts[begin].is_some() {
                    starts[end] = starts[begin];
                }
            }
        }
        starts[word.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_longer_words_are_found_and_innocent_words_are_left_alone() {
        let mut joined = Joined::default();
        for (label, name) in ["owl", "wolf", "zebra", "bear", "polar bear"].into_iter().enumerate() {
            joined.add(name, label);
        }
        for (text, label) in [("- wolfowl = 2", 1), ("zebrarun", 2), ("theZebra", 2), ("owlbearwolf", 0), ("owlowl", 0)] {
            assert_eq!(joined.find(text), Some(label), "{text}");
        }
        for text in ["owl wolf zebra", "bowl", "beard", "wolfram", "howling owls", "forbear", "", "123 + 4"] {
            assert_eq!(joined.find(text), None, "{text}");
        }
    }
}
