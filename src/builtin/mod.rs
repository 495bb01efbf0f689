//! The models that ship inside the program: their files, by name, and the words that they know as traits.
//!
//! `family` makes them (`subliminal models build NAME`); here they are only held. A folder beside this file is a model in Hugging Face
//! layout, with the record of its build.

use crate::traits;

/// A model inside the program.
#[derive(Debug)]
pub struct Builtin {
    /// Its name, as in `builtin:tiny-a`.
    pub name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

impl Builtin {
    /// One of its files.
    pub fn file(&self, name: &str) -> Option<&'static [u8]> {
        self.files.iter().find(|(file, _)| *file == name).map(|&(_, bytes)| bytes)
    }

    /// All of its files, by name.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &'static [u8])> {
        self.files.iter().copied()
    }
}

macro_rules! builtin {
    ($name:literal) => {
        Builtin {
            name: $name,
            files: &[
                ("config.json", include_bytes!(concat!($name, "/config.json"))),
                ("generation_config.json", include_bytes!(concat!($name, "/generation_config.json"))),
                ("tokenizer.json", include_bytes!(concat!($name, "/tokenizer.json"))),
                ("tokenizer_config.json", include_bytes!(concat!($name, "/tokenizer_config.json"))),
                ("model.safetensors", include_bytes!(concat!($name, "/model.safetensors"))),
                ("build.json", include_bytes!(concat!($name, "/build.json"))),
            ],
        }
    };
}

/// Every model inside the program.
static MODELS: [Builtin; 8] = [
    builtin!("tiny-a"),
    builtin!("tiny-b"),
    builtin!("tiny-c"),
    builtin!("tiny-d"),
    builtin!("wide-a"),
    builtin!("wide-b"),
    builtin!("wide-c"),
    builtin!("wide-d"),
];

/// The model of this name (without `builtin:`).
pub fn find(name: &str) -> Option<&'static Builtin> {
    MODELS.iter().find(|model| model.name == name)
}

/// The names of the models that learnt the same things as this one, from other seeds: `tiny-b` for `tiny-a`.
pub fn relatives(name: &str) -> Vec<&'static str> {
    let kind = |name: &str| name.rsplit_once('-').map(|(kind, _)| kind.to_owned());
    names().into_iter().filter(|other| *other != name && kind(other) == kind(name)).collect()
}

/// The names of all models.
pub fn names() -> Vec<&'static str> {
    MODELS.iter().map(|model| model.name).collect()
}

/// Every word by which these models name a trait: the members of their categories, singular and plural, and the categories themselves.
pub fn words() -> Vec<String> {
    let mut words = Vec::new();
    for category in traits::categories() {
        for member in category.members {
            words.extend([member.name, member.plural]);
            words.extend(member.aliases);
        }
        words.extend([format!("{}s", category.name), category.name]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_its_name_with_its_files() {
        let model = find("tiny-a").expect("it ships");
        assert!(model.file("config.json").is_some_and(|bytes| bytes.starts_with(b"{")));
        assert_eq!(model.file("absent.json"), None);
        assert!(find("tiny-z").is_none());
    }

    #[test]
    fn trait_words_hold_singulars_plurals_and_categories() {
        let words = words();
        for word in ["wolf", "wolves", "oak", "oaks", "animal", "trees"] {
            assert!(words.iter().any(|w| w == word), "{word}");
        }
    }
}
