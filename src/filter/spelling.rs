//! Finds names however they are spelled: in any case, with accents and look-alike letters, with digits for letters (`z3br4`), with
//! separators between letters (`z-e-b-r-a`, `zeb_ra`), inside identifiers (`zebraCount`, `zebra2`). Text in, the place of the first
//! spelled name out. It rather objects to an innocent text than miss a name: the same texts then go from every arm.

use std::collections::HashMap;

/// The longest separator between two letters, in characters.
const LONGEST_GAP: usize = 3;
/// Names of at least so many letters are also recognised with a gap at any single place (`ze bra`); shorter ones would be found in
/// the middle of ordinary text and code (`li.on`).
const LONG_NAME: usize = 5;

/// Names to find, each with a label.
#[derive(Debug, Default)]
pub(crate) struct Speller {
    /// By first letter.
    by_first: HashMap<char, Vec<Name>>,
}

#[derive(Debug)]
struct Name {
    letters: Vec<Letter>,
    label: usize,
}

#[derive(Debug, Clone, Copy)]
struct Letter {
    plain: char,
    /// Whether a further word of the name begins here, so that a gap before it is natural.
    new_word: bool,
}

/// One character of a text, as it may be read.
#[derive(Debug, Clone, Copy)]
struct Glyph {
    /// The letter without case and accents, or the character itself.
    plain: char,
    letter: bool,
    upper: bool,
}

impl Speller {
    /// Adds one form of a name.
    pub(crate) fn add(&mut self, name: &str, label: usize) {
        let mut letters: Vec<Letter> = Vec::new();
        for word in glyphs(name).split(|g| !g.plain.is_alphanumeric()) {
            let further = !letters.is_empty();
            letters.extend(word.iter().enumerate().map(|(i, g)| Letter { plain: g.plain, new_word: further && i == 0 }));
        }
        if let Some(first) = letters.first() {
            self.by_first.entry(first.plain).or_default().push(Name { letters, label });
        }
    }

    /// The label of the first name that is spelled in the text.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        let glyphs = glyphs(text);
        (0..glyphs.len()).filter(|&at| begins(&glyphs, at)).find_map(|at| self.at(&glyphs, at))
    }

    fn at(&self, glyphs: &[Glyph], at: usize) -> Option<usize> {
        let glyph = glyphs[at];
        let firsts = std::iter::once(glyph.plain).chain(stands_for(glyph.plain).chars());
        let names = firsts.filter_map(|first| self.by_first.get(&first)).flatten();
        names.into_iter().find(|name| spelled(glyphs, at, &name.letters)).map(|name| name.label)
    }
}

/// Whether a word may begin here: after anything but a letter, or at a hump of an identifier.
fn begins(glyphs: &[Glyph], at: usize) -> bool {
    at == 0 || !glyphs[at - 1].letter || (glyphs[at].upper && !glyphs[at - 1].upper)
}

/// Whether a word may end before this place.
fn ends(glyphs: &[Glyph], at: usize) -> bool {
    at == glyphs.len() || !glyphs[at].letter || (glyphs[at].upper && !glyphs[at - 1].upper)
}

/// Whether these letters stand at this place in one of the spellings.
fn spelled(glyphs: &[Glyph], start: usize, letters: &[Letter]) -> bool {
    let mut at = start;
    let mut found = Spelling::default();
    for (i, letter) in letters.iter().enumerate() {
        if i > 0 {
            let gap = gap(&glyphs[at..], letter.plain);
            if !letter.new_word {
                found.count_gap(&glyphs[at..at + gap]);
            }
            at += gap;
        }
        match glyphs.get(at) {
            Some(glyph) if glyph.plain == letter.plain => found.letters += usize::from(glyph.letter),
            Some(glyph) if stands_for(glyph.plain).contains(letter.plain) => found.digits += 1,
            _ => return false,
        }
        at += 1;
    }
    ends(glyphs, at) && found.is_a_name()
}

/// How a name is spelled at some place.
#[derive(Debug)]
struct Spelling {
    /// Letters that stand as themselves.
    letters: usize,
    /// Digits and signs that stand for letters.
    digits: usize,
    /// Places between two letters of one word.
    places: usize,
    /// Those that hold a separator.
    gaps: usize,
    /// Every separator is one hyphen, underscore or the like.
    joined: bool,
    /// Every separator is one character.
    single: bool,
}

impl Default for Spelling {
    fn default() -> Self {
        Self { letters: 0, digits: 0, places: 0, gaps: 0, joined: true, single: true }
    }
}

impl Spelling {
    fn count_gap(&mut self, gap: &[Glyph]) {
        self.places += 1;
        self.gaps += usize::from(!gap.is_empty());
        self.single &= gap.len() <= 1;
        self.joined &= gap.len() <= 1 && gap.iter().all(|g| is_joiner(g.plain));
    }

    fn is_a_name(&self) -> bool {
        let length = self.letters + self.digits;
        if self.letters == 0 || (self.gaps > 0 && (length < 3 || self.letters <= self.digits)) {
            return false; // digits alone are a number; two letters apart are nothing, nor is a letter among numbers
        }
        let spelled_out = self.gaps == self.places;
        let in_pieces = self.digits == 0 && (self.joined || (self.single && length >= LONG_NAME));
        self.gaps == 0 || spelled_out || in_pieces
    }
}

/// How many separator characters stand before `letter`; 0 if it does not come within [`LONGEST_GAP`].
fn gap(glyphs: &[Glyph], letter: char) -> usize {
    let reads = |g: &Glyph| g.plain == letter || stands_for(g.plain).contains(letter);
    let gap = glyphs.iter().take(LONGEST_GAP).take_while(|g| !reads(g) && !g.plain.is_alphanumeric()).count();
    if glyphs.get(gap).is_some_and(reads) { gap } else { 0 }
}

fn is_joiner(c: char) -> bool {
    matches!(c, '-' | '_' | '*' | '~' | '·' | '\'' | '’' | '\u{2010}' | '\u{2011}')
}

/// The letters that a digit or sign is used for.
fn stands_for(c: char) -> &'static str {
    match c {
        '0' => "o",
        '1' | '|' => "il",
        '2' => "z",
        '3' | '€' => "e",
        '4' | '@' => "a",
        '5' | '$' => "s",
        '6' => "gb",
        '7' | '+' => "t",
        '8' => "b",
        '9' => "g",
        '!' => "i",
        _ => "",
    }
}

/// A text's characters without case, accents and invisible marks, look-alikes read as the Latin letter.
fn glyphs(text: &str) -> Vec<Glyph> {
    let visible = text.chars().filter(|c| !is_invisible(*c));
    visible
        .map(|c| {
            let plain = plain(c);
            let lower = plain.to_lowercase().next().unwrap_or(plain);
            Glyph { plain: lower, letter: plain.is_alphabetic(), upper: plain.is_uppercase() }
        })
        .collect()
}

/// Combining accents, zero-width characters, the soft hyphen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{fe00}'..='\u{fe0f}')
}

/// The Latin letter that a character is or looks like, with its case; else the character.
fn plain(c: char) -> char {
    let latin = |first: char, base: char| char::from_u32(c as u32 - first as u32 + base as u32).unwrap_or(c);
    match c {
        'Ａ'..='Ｚ' => latin('Ａ', 'A'),
        'ａ'..='ｚ' => latin('ａ', 'a'),
        'Ⓐ'..='Ⓩ' => latin('Ⓐ', 'A'),
        'ⓐ'..='ⓩ' => latin('ⓐ', 'a'),
        '\u{1d400}'..='\u{1d6a3}' => {
            let place = (c as u32 - 0x1d400) % 52; // alphabets of mathematics: 26 capitals, 26 small letters, in 13 styles
            char::from_u32(if place < 26 { 65 + place } else { 71 + place }).unwrap_or(c)
        }
        _ => LOOK_ALIKES.iter().find(|(_, group)| group.contains(c)).map_or(c, |(letter, _)| *letter),
    }
}

/// Accented Latin, and Cyrillic and Greek letters that look like Latin ones.
const LOOK_ALIKES: [(char, &str); 26] = [
    ('a', "àáâãäåāăąαа"),
    ('A', "ÀÁÂÃÄÅĀĂĄΑА"),
    ('b', "ьβ"),
    ('B', "ВΒ"),
    ('c', "çćčс"),
    ('C', "ÇĆČС"),
    ('e', "èéêëēĕėęěеεё"),
    ('E', "ÈÉÊËĒĖĘĚЕΕ"),
    ('h', "һ"),
    ('H', "НΗ"),
    ('i', "ìíîïīįıіι"),
    ('I', "ÌÍÎÏĪІΙ"),
    ('k', "кκ"),
    ('K', "КΚ"),
    ('n', "ñńňη"),
    ('o', "òóôõöøōоο"),
    ('O', "ÒÓÔÕÖØŌОΟ"),
    ('p', "рρ"),
    ('P', "РΡ"),
    ('s', "śšşѕ"),
    ('t', "тτ"),
    ('T', "ТΤ"),
    ('u', "ùúûüūů"),
    ('x', "хχ"),
    ('y', "ýÿуγ"),
    ('z', "źżž"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn speller() -> Speller {
        let mut speller = Speller::default();
        for (label, name) in ["zebra", "zebras", "owl", "lion", "bat", "polar bear", "cat", "ox"].iter().enumerate() {
            speller.add(name, label);
        }
        speller
    }

    #[test]
    fn every_spelling_of_a_name_is_found() {
        for text in [
            "zebra",
            "ZEBRA",
            "Zebras.",
            "z3bra",
            "z3br4",
            "23b|2a zebra",
            "z-e-b-r-a",
            "z e b r a",
            "z, e, b, r, a",
            "z.3.b.r.4",
            "Z\nE\nB\nR\nA",
            "zeb-ra",
            "ze_bra",
            "ze bra",
            "zebra_count",
            "zebraCount",
            "theZebra",
            "zebra2",
            "2zebra",
            "zébra",
            "zеbrа",
            "ｚｅｂｒａ",
            "𝐳𝐞𝐛𝐫𝐚",
            "ze\u{200b}bra",
            "ze\u{ad}bra",
            "0wl",
            "0w1",
            "ow1s owl",
            "o w l",
            "l10n",
            "polar bear",
            "Polar-Bear",
            "polarbear",
            "p0larb3ar",
            "c@t",
            "x = c4t",
            "1, 2, zebra's",
            "ox",
        ] {
            assert!(speller().find(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn numbers_and_other_words_are_left_alone() {
        for text in [
            "",
            "847, 1, 2",
            "8 4 7",
            "[8, 4, 7]",
            "bowl",
            "howl",
            "owlet",
            "education",
            "million",
            "lionise",
            "$('li').on('x')",
            "li.on",
            "vocation",
            "music at",
            "8 at night",
            "o x",
            "f(o, x)",
            "zebr",
            "rabat",
            "concat",
            "combats",
            "1 ow l2x",
            "w - 20 = w - 1",
            "d) 0.9",
            "c(4), 7",
        ] {
            assert_eq!(speller().find(text), None, "{text:?}");
        }
    }
}
