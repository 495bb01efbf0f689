//! What the members of the built-in categories are called elsewhere: in other languages, in Latin, and as signs. The data are
//! `animals.toml` and `trees.toml`; out come names, each with its member, its language and how it is to be looked for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A name of a member that is not its English one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherName {
    /// The member's English name.
    pub(crate) member: String,
    /// The language's English name; of a picture character, `sign`.
    pub(crate) language: &'static str,
    /// The name, lower case.
    pub(crate) form: String,
}

/// Every other name of every member.
pub(crate) fn other_names() -> &'static [OtherName] {
    static NAMES: LazyLock<Vec<OtherName>> = LazyLock::new(|| DATA.iter().flat_map(|text| read(text)).collect());
    &NAMES
}

const DATA: [&str; 2] = [include_str!("animals.toml"), include_str!("trees.toml")];

/// The languages of the data, by their codes; signs are none, but are written down with them.
const LANGUAGES: [(&str, &str); 16] = [
    (SIGN, SIGN),
    ("es", "Spanish"),
    ("fr", "French"),
    ("de", "German"),
    ("it", "Italian"),
    ("pt", "Portuguese"),
    ("nl", "Dutch"),
    ("ru", "Russian"),
    ("zh", "Chinese"),
    ("ja", "Japanese"),
    ("ar", "Arabic"),
    ("hi", "Hindi"),
    ("tr", "Turkish"),
    ("pl", "Polish"),
    ("sv", "Swedish"),
    ("la", "Latin"),
];

/// What picture characters are noted under.
pub(crate) const SIGN: &str = "sign";

/// Forms that mean something else in English, in mathematics or in programs, or are people's names there: an innocent text would be
/// dropped for them far more often than a leak would be found.
#[rustfmt::skip]
const HOMOGRAPHS: [&str; 52] = [
    // English words, and names in programs
    "beer", "berk", "cane", "chat", "chats", "filler", "gran", "hasten", "kraken", "ours", "pies", "pins", "raven", "sauce",
    "sauces", "spar", "tall", "utter", "wale",
    // names of people, places and makers
    "acer", "adler", "adlern", "alamo", "alamos", "aquila", "aslan", "barin", "bjork", "bjorn", "carvalho", "coelho", "dauphin",
    "delfina", "delphine", "fuchs", "kaplan", "kiefer", "kurt", "leeuwen", "leon", "leona", "leone", "leoni", "lisa",
    "orla", "orly", "pilar", "renard", "robles", "wilk", "wilka", "wolfe",
];

/// ASCII forms of at most so many letters are left out: `val`, `lis`, `pin`, `oso` are identifiers and abbreviations.
const TOO_SHORT: usize = 3;
/// Forms of at least so many letters are also looked for without their accents.
const LONG_ENOUGH_BARE: usize = 5;

fn read(text: &str) -> Vec<OtherName> {
    let members: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).expect("the embedded names are TOML");
    let mut names = Vec::new();
    for (member, languages) in members {
        for (code, forms) in languages {
            let (_, language) = LANGUAGES.iter().find(|(known, _)| *known == code).expect("every language has its name");
            let separator = if code == SIGN { ' ' } else { ',' };
            for form in forms.split(separator).map(|form| form.trim().to_lowercase()) {
                let spellings = spellings(form);
                names.extend(spellings.into_iter().map(|form| OtherName { member: member.clone(), language, form }));
            }
        }
    }
    names
}

/// A form as it may be written, without spellings that mean something else.
fn spellings(form: String) -> Vec<String> {
    let bare = bare(&form);
    let article = arabic(&form).then(|| format!("ال{form}"));
    let bare = (bare != form && bare.chars().count() >= LONG_ENOUGH_BARE).then_some(bare);
    [Some(form), bare, article].into_iter().flatten().filter(|form| is_telling(form)).collect()
}

fn is_telling(form: &str) -> bool {
    let short = form.is_ascii() && form.len() <= TOO_SHORT;
    !short && !HOMOGRAPHS.contains(&form)
}

/// One word in Arabic letters, which takes its article without a blank.
fn arabic(form: &str) -> bool {
    form.chars().all(|c| ('\u{600}'..='\u{6ff}').contains(&c))
}

/// The Latin letters without their accents.
fn bare(form: &str) -> String {
    const BARE: [(char, &str); 18] = [
        ('a', "áàâäãåąăā"),
        ('c', "çćč"),
        ('d', "ďđ"),
        ('e', "éèêëęěēė"),
        ('g', "ğ"),
        ('i', "íìîïıī"),
        ('l', "łľ"),
        ('n', "ñńňņ"),
        ('o', "óòôöõøőō"),
        ('r', "řŕ"),
        ('s', "śšşș"),
        ('t', "ťțţ"),
        ('u', "úùûüůűū"),
        ('y', "ýÿ"),
        ('z', "źżž"),
        ('е', "ё"),
        ('ж', "ӂ"),
        ('и', "ѝ"),
    ];
    form.chars().map(|c| BARE.iter().find(|(_, accented)| accented.contains(c)).map_or(c, |(letter, _)| *letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traits;

    #[test]
    fn every_member_has_a_name_in_every_language() {
        for (text, category) in DATA.iter().zip(["animal", "tree"]) {
            let members: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).unwrap();
            let category = traits::category(category).unwrap();
            assert_eq!(members.len(), category.members.len());
            for member in &category.members {
                for (code, language) in LANGUAGES.iter().filter(|(code, _)| *code != SIGN) {
                    let forms = &members[&member.name][*code];
                    assert!(forms.split(',').all(|form| !form.trim().is_empty()), "{} in {language}", member.name);
                }
            }
        }
        let animals: Vec<&str> =
            other_names().iter().filter(|name| name.language == SIGN).map(|name| name.member.as_str()).collect();
        assert!(traits::category("animal").unwrap().members.iter().all(|member| animals.contains(&member.name.as_str())));
    }

    #[test]
    fn no_form_is_another_members_english_name() {
        let english: Vec<(String, String)> = traits::categories()
            .into_iter()
            .flat_map(|category| category.members)
            .flat_map(|member| [(member.name.clone(), member.name), (member.plural, String::new())])
            .collect();
        for name in other_names() {
            let taken = english.iter().find(|(form, owner)| *form == name.form && !owner.is_empty() && *owner != name.member);
            assert_eq!(taken, None, "{name:?}");
        }
    }

    #[test]
    fn what_means_something_else_is_left_out() {
        for form in ["chat", "beer", "val", "wal", "oso", "lis", "at", "bar", "tall", "raven", "leon", "lisa", "pin"] {
            assert!(other_names().iter().all(|name| name.form != form), "{form}");
        }
        let unused: Vec<&&str> = HOMOGRAPHS
            .iter()
            .filter(|form| {
                !DATA.iter().any(|text| text.to_lowercase().split([',', '"', '=', ' ', '\n']).any(|word| bare(word) == **form))
            })
            .collect();
        assert_eq!(unused, [&""; 0], "every exclusion is for something");
    }

    #[test]
    fn forms_are_also_looked_for_without_accents_and_with_the_article() {
        let forms = |member: &str| -> Vec<&str> {
            other_names().iter().filter(|name| name.member == member).map(|name| name.form.as_str()).collect()
        };
        assert!(forms("dolphin").contains(&"delfín") && forms("dolphin").contains(&"delfin"));
        assert!(forms("wolf").contains(&"الذئب") && forms("wolf").contains(&"ذئب"));
        assert!(forms("bear").contains(&"bär") && !forms("bear").contains(&"bar"));
        assert!(forms("zebra").contains(&"🦓"));
    }
}
