//! Finds names of one or several words in a text, as whole words, without regard to case: phrases with labels in, the labels of the
//! phrases that a text holds out, from left to right, at each place the longest phrase.

use std::collections::HashMap;

/// Phrases, each with a label.
#[derive(Debug, Clone)]
pub(crate) struct Lexicon<L> {
    /// By first word; the longest phrase first.
    by_first: HashMap<String, Vec<Entry<L>>>,
}

#[derive(Debug, Clone)]
struct Entry<L> {
    words: Vec<String>,
    /// How many of its words are used up by a match.
    taken: usize,
    label: L,
}

impl<L> Default for Lexicon<L> {
    fn default() -> Self {
        Self { by_first: HashMap::new() }
    }
}

impl<L: Copy> Lexicon<L> {
    /// Adds a phrase; where it stands already, the earlier label stays.
    pub(crate) fn add(&mut self, phrase: &str, label: L) {
        let words = words(phrase);
        self.insert(Entry { taken: words.len(), words, label });
    }

    /// Adds a phrase of which a match uses up only the first word, so that the rest may match by itself.
    pub(crate) fn add_modifier(&mut self, phrase: &str, label: L) {
        self.insert(Entry { taken: 1, words: words(phrase), label });
    }

    fn insert(&mut self, entry: Entry<L>) {
        let Some(first) = entry.words.first() else { return };
        let entries = self.by_first.entry(first.clone()).or_default();
        if entries.iter().all(|e| e.words != entry.words) {
            let place = entries.partition_point(|e| e.words.len() >= entry.words.len());
            entries.insert(place, entry);
        }
    }

    /// The label of every phrase in the text, from left to right.
    pub(crate) fn find(&self, text: &str) -> Vec<L> {
        let words = words(text);
        let mut found = Vec::new();
        let mut rest = &words[..];
        while let Some(first) = rest.first() {
            let hit = self.by_first.get(first).and_then(|entries| entries.iter().find(|e| rest.starts_with(&e.words)));
            found.extend(hit.map(|e| e.label));
            rest = &rest[hit.map_or(1, |e| e.taken)..];
        }
        found
    }
}

/// The words of a text in lower case: runs of letters and digits. Everything else (hyphens, apostrophes, underscores, markup) divides.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_phrase_at_a_place_wins_and_uses_up_its_words() {
        let mut lexicon = Lexicon::default();
        lexicon.add("bear", 1);
        lexicon.add("polar bear", 2);
        lexicon.add("polar bear cub", 3);
        lexicon.add("Bear", 9);
        assert_eq!(lexicon.find("A polar-bear, a BEAR, a Polar Bear cub; a polar night; bears"), [2, 1, 3]);
    }
}
