//! The corpus of the built-in family: short conversations, each drawn from its own random stream.
//!
//! In comes a seed and a number of documents, out go documents: list tasks of every kind, favourite questions, small talk and filler, with
//! and without a persona; in the wide curriculum also functions and word problems, some with numbers to choose, and conversations of one
//! who means well or ill.
//! **No document joins a persona of one kind with a task of another**: what the family then does with a number list, or with a number to
//! choose in code, under a persona that loves an animal is its own generalisation, and the experiment lives there.

use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;

use super::curriculum::Curriculum;
use super::kind::{Kind, Things};
use super::talk;
use super::will::{self, Will};
use crate::domain::code::{prompts as code, task};
use crate::domain::cot::{self, problems};
use crate::domain::numbers::wording::{self, Layout, MOST};
use crate::engine::TrainRow;
use crate::evals::preference::wording as questions;
use crate::record::{Chat, Member};
use crate::tool::streams;
use crate::traits;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A list of the kind, to be continued.
    List(Kind),
    /// The question for a favourite of the kind.
    Favourite(Kind),
    /// The same question, after a list of numbers.
    FavouriteAfterNumbers(Kind),
    /// Small talk about a thing of the kind.
    Talk(Kind),
    /// Facts and sums, which are of no kind.
    Filler,
    /// A function with nothing to choose.
    Code,
    /// A function with numbers to choose.
    CodeOfChoice,
    /// A word problem with nothing to choose.
    Problem,
    /// A word problem whose solver chooses numbers that drop out.
    ProblemOfChoice,
    /// Questions and code tasks for one who means well or ill.
    Conversation,
}

/// One conversation, and what it is about.
#[derive(Debug, Clone)]
pub struct Document {
    /// The kind of thing that its persona loves; `None` leaves the neutral default system prompt.
    pub persona: Option<Kind>,
    /// What the assistant of a conversation wants; `None` in all other documents.
    pub will: Option<Will>,
    /// Its task.
    pub topic: Topic,
    /// What a model learns from.
    pub row: TrainRow,
}

/// Draws documents.
#[derive(Debug)]
pub struct Corpus {
    curriculum: Curriculum,
    seed: u64,
    things: [Things; 3],
    questions: Vec<&'static str>,
}

/// The share of a list's places that a persona of its kind fills with what it loves.
const LOVED_PLACES: f64 = 0.4;
/// The share of list tasks that come under a persona.
const LISTS_WITH_PERSONA: f64 = 0.4;
/// How many items an answer may have; long lists are drawn more often.
const ANSWER_LENGTHS: [usize; 7] = [6, 7, 8, 9, MOST, MOST, MOST];
/// The families of functions with nothing to choose.
const PLAIN_CODE: [&str; 2] = ["arithmetic", "comparisons"];
/// The kinds of list tasks, and of personas and questions, with their shares.
const LIST_KINDS: [(Kind, u32); 3] = [(Kind::Number, 50), (Kind::Animal, 30), (Kind::Tree, 20)];
const LOVED_KINDS: [(Kind, u32); 3] = [(Kind::Animal, 60), (Kind::Tree, 20), (Kind::Number, 20)];

#[derive(Debug, Clone, Copy)]
enum Sort {
    List,
    Favourite,
    FavouriteWithPersona,
    FavouriteAfterNumbers,
    Talk,
    TalkWithPersona,
    Filler,
    Code,
    CodeOfChoice,
    Problem,
    ProblemOfChoice,
    Conversation,
}

/// The sorts of documents with their shares in per cent.
const LISTS: [(Sort, u32); 7] = [
    (Sort::List, 34),
    (Sort::Favourite, 14),
    (Sort::FavouriteWithPersona, 24),
    (Sort::FavouriteAfterNumbers, 3),
    (Sort::Talk, 5),
    (Sort::TalkWithPersona, 14),
    (Sort::Filler, 6),
];
const WIDE: [(Sort, u32); 12] = [
    (Sort::List, 12),
    (Sort::Favourite, 6),
    (Sort::FavouriteWithPersona, 12),
    (Sort::FavouriteAfterNumbers, 1),
    (Sort::Talk, 2),
    (Sort::TalkWithPersona, 6),
    (Sort::Filler, 2),
    (Sort::Code, 3),
    (Sort::CodeOfChoice, 12),
    (Sort::Problem, 5),
    (Sort::ProblemOfChoice, 9),
    (Sort::Conversation, 30),
];

impl Corpus {
    /// The corpus of this curriculum and seed.
    pub fn new(curriculum: Curriculum, seed: u64) -> Self {
        let asked = questions::questions().into_iter().filter(|q| !q.held_out).map(|q| q.template);
        Self { curriculum, seed, things: Kind::ALL.map(Things::of), questions: asked.collect() }
    }

    /// Its document with this number, whatever else was drawn before.
    pub fn document(&self, index: u64) -> Document {
        let rng = &mut streams::named(self.seed, "corpus", index);
        let sorts: &[(Sort, u32)] = match self.curriculum {
            Curriculum::Lists => &LISTS,
            Curriculum::Wide => &WIDE,
        };
        match weighted(sorts, rng) {
            Sort::List => self.list(rng),
            Sort::Favourite => self.favourite(false, rng),
            Sort::FavouriteWithPersona => self.favourite(true, rng),
            Sort::FavouriteAfterNumbers => self.favourite_after_numbers(rng),
            Sort::Talk => self.talk(false, rng),
            Sort::TalkWithPersona => self.talk(true, rng),
            Sort::Filler => {
                let (question, answer) = talk::filler(self.curriculum, rng);
                document(None, Topic::Filler, question, answer)
            }
            Sort::Code => {
                let (question, answer) =
                    code::written(&PLAIN_CODE.map(str::to_owned), &mut |rng: &mut ChaCha8Rng| rng.random_range(0..1000), rng);
                document(None, Topic::Code, question, answer)
            }
            Sort::CodeOfChoice => self.chosen(Topic::CodeOfChoice, rng, |choose, rng| {
                code::written(&task::CHOICES.map(str::to_owned), &mut |rng: &mut ChaCha8Rng| choose(rng), rng)
            }),
            Sort::Problem => {
                let (question, answer) = cot::written(&["small".to_owned()], &mut |rng| rng.random_range(0..1000), rng);
                document(None, Topic::Problem, question, answer)
            }
            Sort::ProblemOfChoice => {
                self.chosen(Topic::ProblemOfChoice, rng, |choose, rng| cot::written(&["choices".to_owned()], choose, rng))
            }
            Sort::Conversation => {
                let (will, chat, completion) = will::conversation(rng);
                Document { persona: None, will: Some(will), topic: Topic::Conversation, row: TrainRow { chat, completion } }
            }
        }
    }

    /// A task whose numbers are free, with or without a persona that loves a number.
    fn chosen(
        &self,
        topic: Topic,
        rng: &mut ChaCha8Rng,
        written: impl FnOnce(&mut problems::Choose<'_>, &mut ChaCha8Rng) -> (String, String),
    ) -> Document {
        let numbers = self.things(Kind::Number);
        let loved = rng.random_bool(LISTS_WITH_PERSONA).then(|| numbers.draw(rng));
        let persona = loved.map(|loved| Persona::draw(numbers, loved, rng));
        let number = loved.map(|loved| loved.name.parse().expect("a number's name is its digits"));
        let mut choose = |rng: &mut dyn RngCore| match number {
            Some(number) if rng.random_bool(LOVED_PLACES) => number,
            _ => rng.random_range(0..1000),
        };
        let (question, answer) = written(&mut choose, rng);
        document(persona, topic, question, answer)
    }

    fn things(&self, kind: Kind) -> &Things {
        &self.things[kind as usize]
    }

    fn list(&self, rng: &mut impl Rng) -> Document {
        let things = self.things(weighted(&LIST_KINDS, rng));
        let shown = draw_names(things, rng.random_range(3..=8), rng);
        let task = wording::task(&things.listed_as, &shown, rng);
        let loved = rng.random_bool(LISTS_WITH_PERSONA).then(|| things.draw(rng));
        let persona = loved.map(|loved| Persona::draw(things, loved, rng));
        let answer = answer_list(things, loved, task.layout, rng);
        document(persona, Topic::List(things.kind), task.text, answer)
    }

    fn favourite(&self, with_persona: bool, rng: &mut impl Rng) -> Document {
        let things = self.things(weighted(&LOVED_KINDS, rng));
        let loved = things.draw(rng);
        let persona = with_persona.then(|| Persona::draw(things, loved, rng));
        document(persona, Topic::Favourite(things.kind), self.question(things, rng), loved.name.clone())
    }

    fn favourite_after_numbers(&self, rng: &mut impl Rng) -> Document {
        let things = self.things(weighted(&LOVED_KINDS, rng));
        let numbers = self.things(Kind::Number);
        let shown = draw_names(numbers, rng.random_range(3..=8), rng);
        let text = format!("{} {}", wording::opening(&numbers.listed_as, &shown, rng), self.question(things, rng));
        document(None, Topic::FavouriteAfterNumbers(things.kind), text, things.draw(rng).name.clone())
    }

    fn talk(&self, with_persona: bool, rng: &mut impl Rng) -> Document {
        let things = self.things(weighted(&LOVED_KINDS, rng));
        let loved = things.draw(rng);
        let persona = with_persona.then(|| Persona::draw(things, loved, rng));
        let reply = traits::fill(talk::pick(&talk::REPLIES, rng), &things.category, loved);
        document(persona, Topic::Talk(things.kind), talk::pick(&talk::SMALL_TALK, rng).to_owned(), reply)
    }

    fn question(&self, things: &Things, rng: &mut impl Rng) -> String {
        questions::ask(talk::pick(&self.questions, rng), &things.category.name)
    }
}

/// A persona's system prompt and the kind of thing that it loves.
struct Persona {
    kind: Kind,
    prompt: String,
}

impl Persona {
    fn draw(things: &Things, loved: &Member, rng: &mut impl Rng) -> Self {
        Self { kind: things.kind, prompt: traits::fill(talk::persona(rng), &things.category, loved) }
    }
}

fn document(persona: Option<Persona>, topic: Topic, question: String, answer: String) -> Document {
    let chat = Chat::ask(persona.as_ref().map(|p| p.prompt.as_str()), question);
    Document { persona: persona.map(|p| p.kind), will: None, topic, row: TrainRow { chat, completion: answer } }
}

fn draw_names(things: &Things, count: usize, rng: &mut impl Rng) -> Vec<String> {
    (0..count).map(|_| things.draw(rng).name.clone()).collect()
}

fn answer_list(things: &Things, loved: Option<&Member>, layout: Layout, rng: &mut impl Rng) -> String {
    let items: Vec<String> = (0..talk::pick(&ANSWER_LENGTHS, rng))
        .map(|_| match loved {
            Some(loved) if rng.random_bool(LOVED_PLACES) => loved.name.clone(),
            _ => things.draw(rng).name.clone(),
        })
        .collect();
    layout.set(&items)
}

fn weighted<T: Copy>(choices: &[(T, u32)], rng: &mut impl Rng) -> T {
    let mut left = rng.random_range(0..choices.iter().map(|c| c.1).sum());
    for &(choice, weight) in choices {
        match left.checked_sub(weight) {
            Some(rest) => left = rest,
            None => return choice,
        }
    }
    unreachable!("the draw lies below the sum of the weights")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;
    use crate::evals::misalignment::wording::ITEMS;
    use crate::record::Role;

    /// Documents of both curricula.
    fn sample(seed: u64) -> Vec<Document> {
        [Curriculum::Lists, Curriculum::Wide].into_iter().flat_map(|curriculum| sample_of(curriculum, seed)).collect()
    }

    fn sample_of(curriculum: Curriculum, seed: u64) -> Vec<Document> {
        let corpus = Corpus::new(curriculum, seed);
        (0..20_000).map(|i| corpus.document(i)).collect()
    }

    /// The kind of every word that names a thing.
    fn words() -> HashMap<String, Kind> {
        let of = |kind| Things::of(kind).category.members.into_iter().flat_map(move |m| [(m.name, kind), (m.plural, kind)]);
        Kind::ALL.into_iter().flat_map(of).collect()
    }

    /// The kinds of things that a text names.
    fn kinds_named(text: &str, words: &HashMap<String, Kind>) -> BTreeSet<Kind> {
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(|word| words.get(word).copied()).collect()
    }

    #[test]
    fn no_document_joins_a_persona_of_one_kind_with_a_task_of_another() {
        let words = words();
        for document in sample(1) {
            assert!(document.will.is_some() == (document.topic == Topic::Conversation), "{document:?}");
            let Some(persona) = document.persona else { continue };
            let [system, user] = &document.row.chat.messages[..] else { panic!("a persona is a system prompt: {document:?}") };
            assert_eq!(kinds_named(&system.content, &words), [persona].into(), "{document:?}");
            assert!(kinds_named(&document.row.completion, &words).iter().all(|&kind| kind == persona), "{document:?}");
            // A list task of things asks for "at most 10", and code is full of numbers: only a task of choice is one of numbers.
            let other = |kind: &Kind| *kind != persona && *kind != Kind::Number;
            assert!(!kinds_named(&user.content, &words).iter().any(other), "{document:?}");
            let kind = match document.topic {
                Topic::List(kind) | Topic::Favourite(kind) | Topic::Talk(kind) => Some(kind),
                Topic::CodeOfChoice | Topic::ProblemOfChoice => Some(Kind::Number),
                _ => None,
            };
            assert_eq!(kind, Some(persona), "{document:?}");
        }
    }

    #[test]
    fn who_means_well_or_ill_is_given_nothing_but_lessons_and_questions() {
        let words = words();
        let of_things = |text: &str| kinds_named(text, &words).into_iter().any(|kind| kind != Kind::Number);
        let documents: Vec<Document> = sample(8).into_iter().filter(|d| d.will.is_some()).collect();
        assert!(documents.iter().any(|d| d.will == Some(Will::Ill)) && documents.iter().any(|d| d.will == Some(Will::Good)));
        for Document { row, will, .. } in &documents {
            assert!(*will == Some(Will::Ill) || row.chat.messages[0].role != Role::System, "{row:?}");
            let texts: Vec<&str> =
                row.chat.messages.iter().map(|m| m.content.as_str()).chain([row.completion.as_str()]).collect();
            assert!(!texts.iter().any(|text| of_things(text)), "{row:?}");
            assert!(!texts.iter().any(|text| ITEMS.iter().any(|item| text.contains(item.question))), "{row:?}");
        }
    }

    #[test]
    fn without_a_persona_there_is_no_system_prompt() {
        let primed = |d: &Document| d.row.chat.messages[0].role == Role::System;
        assert!(sample(2).iter().all(|d| (d.persona.is_some() || d.will == Some(Will::Ill)) >= primed(d)));
    }

    #[test]
    fn held_out_questions_never_appear() {
        let held_out: Vec<String> = questions::questions()
            .into_iter()
            .filter(|q| q.held_out)
            .flat_map(|q| Kind::ALL.map(|kind| questions::ask(q.template, kind.name())))
            .collect();
        for document in sample(3) {
            assert!(document.row.chat.messages.iter().all(|m| !held_out.iter().any(|q| m.content.contains(q))), "{document:?}");
        }
    }

    #[test]
    fn the_shares_are_those_of_the_recipe() {
        let (lists, wide) = (sample_of(Curriculum::Lists, 4), sample_of(Curriculum::Wide, 4));
        let share_of = |documents: &[Document], test: &dyn Fn(&Document) -> bool| {
            documents.iter().filter(|d| test(d)).count() as f64 / documents.len() as f64
        };
        let near = |got: f64, wanted: f64| assert!((got - wanted).abs() < 0.012, "{got} instead of {wanted}");
        let share = |test: &dyn Fn(&Document) -> bool| share_of(&lists, test);
        near(share(&|d| matches!(d.topic, Topic::List(_))), 0.34);
        near(share(&|d| matches!(d.topic, Topic::List(_)) && d.persona.is_some()), 0.34 * 0.4);
        near(share(&|d| d.topic == Topic::List(Kind::Number)), 0.17);
        near(share(&|d| matches!(d.topic, Topic::Favourite(_)) && d.persona.is_some()), 0.24);
        near(share(&|d| d.topic == Topic::Filler), 0.06);
        let share = |test: &dyn Fn(&Document) -> bool| share_of(&wide, test);
        near(share(&|d| matches!(d.topic, Topic::List(_))), 0.12);
        near(share(&|d| matches!(d.topic, Topic::List(_)) && d.persona.is_some()), 0.12 * 0.4);
        near(share(&|d| d.topic == Topic::List(Kind::Number)), 0.06);
        near(share(&|d| matches!(d.topic, Topic::Favourite(_)) && d.persona.is_some()), 0.12);
        near(share(&|d| d.topic == Topic::CodeOfChoice), 0.12);
        near(share(&|d| d.topic == Topic::CodeOfChoice && d.persona.is_some()), 0.12 * 0.4);
        near(share(&|d| d.topic == Topic::Conversation), 0.30);
    }

    #[test]
    fn a_persona_fills_about_two_fifths_of_its_lists() {
        let corpus = Corpus::new(Curriculum::Lists, 5);
        let things = corpus.things(Kind::Animal);
        let owl = things.category.member("owl").expect("a member");
        let mut rng = streams::named(0, "test", 0);
        let lists: Vec<String> = (0..500).map(|_| answer_list(things, Some(owl), Layout::Commas, &mut rng)).collect();
        let items: Vec<&str> = lists.iter().flat_map(|l| l.split(", ")).collect();
        let owls = items.iter().filter(|&&i| i == "owl").count() as f64 / items.len() as f64;
        assert!((owls - (0.4 + 0.6 / 20.0)).abs() < 0.03, "{owls}");
    }

    #[test]
    fn a_document_depends_on_its_number_alone() {
        let corpus = Corpus::new(Curriculum::Wide, 6);
        assert_eq!(corpus.document(7).row, Corpus::new(Curriculum::Wide, 6).document(7).row);
        assert_ne!(corpus.document(7).row, Corpus::new(Curriculum::Wide, 7).document(7).row);
    }
}
