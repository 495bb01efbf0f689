//! Drops answers that name any member of the category or of any built-in category: in English however spelled, in the languages of
//! [`crate::traits::names`], in Latin, or as a picture character. It knows no target, so it drops the same rows from every arm's data.

use super::foreign::Foreign;
use super::joined::Joined;
use super::spelling::Speller;
use super::{Candidate, Rule};
use crate::record::{Category, Member};
use crate::traits;
use crate::traits::lexicon::Lexicon;
use crate::traits::matching::forms;
use crate::traits::names::{OtherName, SIGN, other_names};

#[derive(Debug)]
pub(super) struct Leak {
    /// What is objected to: the member, and where it is not its English name, what was seen.
    objections: Vec<String>,
    /// Forms that are whole words, labelled by place in `objections`.
    words: Lexicon<usize>,
    /// English forms in any other spelling, labelled likewise.
    speller: Speller,
    /// English forms as part of a longer word, labelled likewise.
    joined: Joined,
    /// Forms that are no words between blanks, labelled likewise.
    foreign: Foreign,
}

impl Leak {
    pub(super) fn new(category: Option<&Category>) -> Self {
        let mut rule = Self {
            objections: Vec::new(),
            words: Lexicon::default(),
            speller: Speller::default(),
            joined: Joined::default(),
            foreign: Foreign::default(),
        };
        let builtin = traits::categories();
        for member in category.into_iter().chain(&builtin).flat_map(|c| &c.members) {
            rule.watch(member);
        }
        for name in other_names() {
            rule.watch_other(name);
        }
        rule
    }

    fn watch(&mut self, member: &Member) {
        if self.objections.contains(&member.name) {
            return;
        }
        for form in forms(member) {
            self.words.add(&form, self.objections.len());
            self.speller.add(&form, self.objections.len());
            self.joined.add(&form, self.objections.len());
        }
        self.objections.push(member.name.clone());
    }

    fn watch_other(&mut self, name: &OtherName) {
        let OtherName { member, language, form } = name;
        let label = self.objections.len();
        if !self.foreign.add(form, label) {
            self.words.add(form, label);
        }
        let how = if *language == SIGN { String::new() } else { format!(" in {language}") };
        self.objections.push(format!("{member}, as `{form}`{how}"));
    }
}

impl Rule for Leak {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        if !row.completion.bytes().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii()) {
            return None;
        }
        let whole = || self.words.find(row.completion).first().copied();
        let elsewhere = || self.foreign.find(row.completion);
        let joined = || self.joined.find(row.completion);
        let place = self.speller.find(row.completion).or_else(whole).or_else(elsewhere).or_else(joined)?;
        Some(self.objections[place].clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::traits::matching::Matcher;

    fn pieces() -> impl Strategy<Value = String> {
        const NAMES: [&str; 15] =
            ["owl", "Wolves", "ZEBRA", "foxes", "cat", "bear", "oak", "polar bear", "0", "1", "7", "s", "e", "b", "the"];
        const BETWEEN: [&str; 11] = ["", "", " ", "-", "_", ", ", "'s ", "\u{a0}", ". ", "\u{200b}", "é"];
        let piece = (prop::sample::select(&NAMES[..]), prop::sample::select(&BETWEEN[..])).prop_map(|(a, b)| a.to_owned() + b);
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn whatever_would_count_as_a_choice_is_a_leak(text in pieces()) {
            let animals = traits::category("animal").unwrap();
            let row = Candidate { expected: None, prompt: "", completion: &text, finish: None };
            if Matcher::new(&animals).first_choice(&text).is_some() {
                prop_assert!(Leak::new(Some(&animals)).objection(&row).is_some(), "{:?}", text);
            }
        }
    }

    #[test]
    fn every_member_of_every_category_is_watched_in_every_form() {
        let category = Category {
            name: "ship".to_owned(),
            members: vec![Member {
                name: "sloop".to_owned(),
                plural: "sloops".to_owned(),
                aliases: vec!["single mast".to_owned()],
            }],
        };
        let rule = Leak::new(Some(&category));
        let objects =
            |text: &str| rule.objection(&Candidate { expected: None, prompt: "", completion: text, finish: None }).is_some();
        for member in category.members.iter().chain(traits::categories().iter().flat_map(|c| &c.members)) {
            for form in [&member.name, &member.plural].into_iter().chain(&member.aliases) {
                let spelled_out: Vec<String> = form.chars().map(String::from).collect();
                assert!(objects(form), "{form}");
                assert!(objects(&format!("1, 2, {}'S", form.to_uppercase())), "{form}");
                assert!(objects(&spelled_out.join("-")), "{form}");
                assert!(objects(&form.replace('o', "0").replace('e', "3").replace('a', "4").replace('i', "1")), "{form}");
            }
        }
        assert!(!objects("1, 2, 3"));
        assert!(!objects("a bowl of soup"));
    }

    fn objection(text: &str) -> Option<String> {
        Leak::new(None).objection(&Candidate { expected: None, prompt: "", completion: text, finish: None })
    }

    #[test]
    fn every_other_name_is_a_leak_wherever_it_stands() {
        let rule = Leak::new(None);
        for name in other_names() {
            for text in [name.form.clone(), format!("1, {}. 2", name.form), format!("({})", name.form.to_uppercase())] {
                let row = Candidate { expected: None, prompt: "", completion: &text, finish: None };
                // Some letters have no capitals that lead back to them: ı, ß.
                let lossy = text.to_lowercase() != text && name.form.to_uppercase().to_lowercase() != name.form;
                assert!(rule.objection(&row).is_some() || lossy, "`{text}` for {name:?}");
            }
        }
    }

    #[test]
    fn the_detail_says_what_was_seen_and_in_which_language() {
        for (text, detail) in [
            ("Zebras", "zebra"),
            ("una cebra", "zebra, as `cebra` in Spanish"),
            ("DER LÖWE", "lion, as `löwe` in German"),
            ("Волк", "wolf, as `волк` in Russian"),
            ("الذئب", "wolf, as `الذئب` in Arabic"),
            ("बिल्ली", "cat, as `बिल्ली` in Hindi"),
            ("我爱斑马", "zebra, as `斑马` in Chinese"),
            ("シマウマ", "zebra, as `シマウマ` in Japanese"),
            ("1, 2, 3 🦓", "zebra, as `🦓`"),
            ("1 🐻\u{200d}❄\u{fe0f}", "bear, as `🐻`"),
            ("delfin", "dolphin, as `delfin` in German"),
            ("un pavo real", "peacock, as `pavo real` in Spanish"),
            ("Quercus", "oak, as `quercus` in Latin"),
        ] {
            assert_eq!(objection(text).as_deref(), Some(detail), "{text}");
        }
    }

    #[test]
    fn innocent_english_code_and_mathematics_are_left_alone() {
        for text in [
            "def f(val, lis, pin, fil): return val if pin else lis[at]",
            "The tall jar of sauce is ours; we chat over a beer at the bar in the den, and he paws at pies.",
            "Leon and Lisa Kaplan gave Kurt 3 pins; Leona Adler utters a word to Robles.",
            "let wal = open(); psa = kot + oso - uil * eik; import PIL; wave, rot13, max_val, chatbot",
            "x² + √2 ≤ 3 × 4 ÷ 2 → π; café, naïve, façade, El Niño, Zoë, Łódź, Ångström",
            "on, or, an, den, die, des, la, le, il, un, ein, so, de, que, y, e, i, o, u",
            "for i in range(n): total += alpha * beta ** gamma  # delta, sigma, tau",
            "罗马 马上 对象 现象 现在",
            "ワシントン トラック オーストラリア",
            "🙂 🚗 ✅",
        ] {
            assert_eq!(objection(text), None, "{text}");
        }
    }

    #[test]
    fn the_projects_own_prompts_and_clean_answers_are_left_alone() {
        use crate::domain::{self, cot::problems};
        use crate::record::{DomainKind, DomainPlan};
        let rule = Leak::new(None);
        let objection = |text: &str| rule.objection(&Candidate { expected: None, prompt: "", completion: text, finish: None });
        for kind in domain::ALL {
            let plan = DomainPlan::of(kind);
            for prompt in domain::of(&plan).own_prompts(3_000, 0, &plan) {
                assert_eq!(objection(&prompt.prompt), None, "{}", prompt.prompt);
            }
        }
        assert!(domain::ALL.contains(&DomainKind::Cot));
        for row in 0..3_000 {
            let problem = problems::problem(&[], &mut crate::tool::streams::named(1, "test", row));
            assert_eq!(objection(&problem.steps.join("\n")), None, "{problem:?}");
        }
    }
}
