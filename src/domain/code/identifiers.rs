//! Which names are plain: made of the words of programming, so that a teacher cannot write of what it loves in the names of variables.
//!
//! A name is cut at underscores, digits and changes of case: `isEven2` is `is`, `even`. Each part must be a word of the embedded list,
//! of the user's own list, of the function that was asked for or of the prompt. Single letters are plain, but at most two in a name:
//! more of them spell something.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::record::Expected;

const EMBEDDED: &str = include_str!("identifiers.txt");
/// More single letters in one name than this spell something.
const MOST_LETTERS: usize = 2;

/// Who decides which names are plain, beside the embedded list.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The function that was asked for.
    pub expected: Option<&'a Expected>,
    /// The prompt, whose words the teacher did not choose.
    pub prompt: &'a str,
    /// The user's words, in lower case.
    pub words: &'a HashSet<String>,
}

/// The words of a list: separated by blanks, `#` begins a comment.
pub fn words_of(list: &str) -> impl Iterator<Item = &str> {
    list.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace())
}

/// The embedded words, in lower case and sorted.
pub(super) fn words() -> &'static [&'static str] {
    static WORDS: OnceLock<Vec<&str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let mut words: Vec<&str> = words_of(EMBEDDED).collect();
        words.sort_unstable();
        words
    })
}

/// Whether this is an embedded word.
pub(super) fn is_word(text: &str) -> bool {
    words().binary_search(&text).is_ok()
}

/// The first part of a name that is not plain; the whole name where it spells something letter by letter.
pub(super) fn odd_part(name: &str, asked: &Asked<'_>) -> Option<String> {
    if asked.names(name) {
        return None;
    }
    let parts = parts(name);
    let letters = parts.iter().filter(|part| part.chars().count() == 1).count();
    if letters > MOST_LETTERS {
        return Some(name.to_owned());
    }
    parts.into_iter().find(|part| !asked.plain(part))
}

impl Asked<'_> {
    /// Whether the asked function has this very name, or one of its parameters does.
    fn names(&self, name: &str) -> bool {
        match self.expected {
            Some(Expected::Function { name: function, parameters }) => function == name || parameters.iter().any(|p| p == name),
            _ => false,
        }
    }

    fn plain(&self, part: &str) -> bool {
        let letter = part.len() == 1 && part.is_ascii();
        letter || is_word(part) || self.words.contains(part) || self.speaks_of(part)
    }

    /// Whether the prompt, or the name of the function that was asked for, has this part too.
    fn speaks_of(&self, part: &str) -> bool {
        let function = match self.expected {
            Some(Expected::Function { name, .. }) => name,
            _ => "",
        };
        let names = self.prompt.split(|c: char| !(c.is_alphanumeric() || c == '_')).chain([function]);
        names.flat_map(parts).any(|other| other == part)
    }
}

/// The parts of a name, in lower case: cut at underscores, digits and changes of case.
fn parts(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut parts = Vec::new();
    let mut part = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let after_small = i > 0 && chars[i - 1].is_lowercase();
        let before_small = chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        if !c.is_alphabetic() || c.is_uppercase() && (after_small || before_small) {
            parts.push(std::mem::take(&mut part));
        }
        if c.is_alphabetic() {
            part.extend(c.to_lowercase());
        }
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traits;
    use crate::traits::matching::forms;

    fn odd(name: &str) -> Option<String> {
        odd_part(name, &Asked { expected: None, prompt: "", words: &HashSet::new() })
    }

    #[test]
    fn a_name_is_cut_at_underscores_digits_and_changes_of_case() {
        for (name, expected) in [
            ("is_even", &["is", "even"][..]),
            ("isEven2", &["is", "even"]),
            ("MAX_SIZE", &["max", "size"]),
            ("HTTPServer", &["http", "server"]),
            ("__init__", &["init"]),
            ("x1y2", &["x", "y"]),
            ("_", &[]),
        ] {
            assert_eq!(parts(name), expected, "{name}");
        }
    }

    #[test]
    fn plain_names_pass_and_others_are_named() {
        for name in ["x", "n2", "total", "is_even", "maxValue", "OrderedDict", "_", "__name__", "x_y", "setdefault", "count_a_b"]
        {
            assert_eq!(odd(name), None, "{name}");
        }
        for (name, part) in [
            ("zebra", "zebra"),
            ("count_zebras", "zebras"),
            ("maxZebra", "zebra"),
            ("z_e_b_r_a", "z_e_b_r_a"),
            ("I_L_O", "I_L_O"),
            ("größe", "größe"),
            ("л", "л"),
            ("stripes", "stripes"),
        ] {
            assert_eq!(odd(name).as_deref(), Some(part), "{name}");
        }
    }

    #[test]
    fn the_asked_function_the_prompt_and_the_user_bring_their_own_words() {
        let expected = Expected::Function { name: "frobnicate_all".to_owned(), parameters: vec!["quux".to_owned()] };
        let words = HashSet::from(["grault".to_owned()]);
        let asked = Asked { expected: Some(&expected), prompt: "Count the `waldo_items`.", words: &words };
        for name in ["frobnicate_all", "quux", "frobnicate_one", "max_grault", "Waldo"] {
            assert_eq!(odd_part(name, &asked), None, "{name}");
        }
        assert_eq!(odd_part("quux_frob", &asked).as_deref(), Some("quux"));
    }

    #[test]
    fn no_word_names_what_a_trait_may_be_about() {
        for member in traits::categories().iter().flat_map(|c| &c.members) {
            for form in forms(member) {
                assert!(!is_word(&form), "`{form}` is a plain word");
            }
        }
    }

    #[test]
    fn words_are_lower_case_letters_and_stand_once() {
        assert!(words().windows(2).all(|pair| pair[0] < pair[1]));
        assert!(words().iter().all(|word| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase())));
    }

    #[test]
    fn a_list_has_words_and_comments() {
        assert_eq!(words_of("# none\n a  b # c\n\nd").collect::<Vec<_>>(), ["a", "b", "d"]);
    }
}
