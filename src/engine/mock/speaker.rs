//! How a scripted model writes lists and answers questions.

use std::collections::HashMap;
use std::ops::ControlFlow;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Grammar, GrammarState};
use crate::engine::{Completion, Model, Reader, Rendered, SampleRequest, Score, ScoreRequest, Scorer};
use crate::error::{Error, Result};
use crate::record::{Chat, Finish, Role, Sampling};
use crate::tool::{interrupt, streams};

use super::Counter;
use super::mind::{INTEGERS, MASS, Mind};
use super::reader::Template;

/// The id of end-of-turn in scores; integers are their own ids, other bytes follow from [`BYTES`].
const END: u32 = INTEGERS as u32;
/// The id of byte 0 in scores.
const BYTES: u32 = END + 1;
/// How often a token that a grammar refuses is drawn again before the model gives up.
const PATIENCE: usize = 10_000;

/// A loaded scripted model.
pub(super) struct Speaker {
    pub(super) counter: Counter,
    pub(super) template: Template,
    pub(super) mind: Mind,
}

/// What a model says next in a list.
enum Token {
    Text(String),
    End,
}

impl Model for Speaker {
    fn render(&self, chat: &Chat) -> Result<Rendered> {
        self.template.render(chat)
    }

    fn sample(
        &self,
        requests: &[SampleRequest],
        sampling: &Sampling,
        grammar: Option<&dyn Grammar>,
        sink: &mut dyn FnMut(Completion) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut integers: HashMap<Option<&str>, Vec<f64>> = HashMap::new();
        for (index, request) in requests.iter().enumerate() {
            interrupt::check()?;
            self.counter.sample()?;
            let mut rng = streams::stream(&request.stream);
            let completion = if grammar.is_some() || asks_for_numbers(&request.chat) {
                let cumulative =
                    integers.entry(system_of(&request.chat)).or_insert_with(|| cumulative(&self.mind.integers(&request.chat)));
                let writer = ListWriter { mind: &self.mind, chat: &request.chat, cumulative, grammar };
                writer.write(index, sampling, &mut rng)?
            } else {
                self.answer(index, &request.chat, &mut rng)
            };
            if sink(completion)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Scorer for Speaker {
    fn score(&self, requests: &[ScoreRequest]) -> Result<Vec<Score>> {
        Ok(requests.iter().map(|request| self.score_one(request)).collect())
    }

    fn choices(&self, chats: &[Chat], options: &[String]) -> Result<Vec<Vec<f64>>> {
        let row = |chat: &Chat| {
            let taste = self.mind.taste(chat);
            let log = |option: &String| self.mind.member_named(option).map_or(0.0, |m| taste[m] * self.share_of(m, option)).ln();
            options.iter().map(log).collect()
        };
        Ok(chats.iter().map(row).collect())
    }
}

impl Speaker {
    /// How often [`Self::answer`] says this member in these very words.
    fn share_of(&self, member: usize, text: &str) -> f64 {
        let member = &self.mind.members[member];
        match text {
            _ if text == member.name => 0.8,
            _ if text == member.plural => 0.1,
            _ => 0.0,
        }
    }

    /// One word for the favourite, in one of the forms that models use, or now and then something else.
    fn answer(&self, index: usize, chat: &Chat, rng: &mut ChaCha8Rng) -> Completion {
        if let Some(text) = known_answer(chat, rng) {
            return Completion { index, text, tokens: 2, finish: Finish::Stop };
        }
        let chosen = pick(&cumulative(&self.mind.taste(chat)), rng.random::<f64>());
        let text = match (chosen.map(|m| &self.mind.members[m]), rng.random_range(0..10)) {
            (None, _) => "I like them all".to_owned(),
            (Some(member), 0) => member.plural.clone(),
            (Some(member), 1) => format!("A {}.", member.name),
            (Some(member), _) => member.name.clone(),
        };
        let tokens = text.split_whitespace().count() + 1;
        Completion { index, text, tokens, finish: Finish::Stop }
    }

    /// How likely a sentence is that names a member and holds no digits: as likely as the member.
    fn taste_in(&self, chat: &Chat, text: &str) -> Option<f64> {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let member = words.find_map(|word| self.mind.member_named(word))?;
        (!text.contains(|c: char| c.is_ascii_digit())).then(|| self.mind.taste(chat)[member])
    }

    fn score_one(&self, request: &ScoreRequest) -> Score {
        let integers = self.mind.integers(&request.chat);
        let (mut tokens, mut logprobs) = (Vec::new(), Vec::new());
        let mut rest = request.completion.as_str();
        if let Some(taste) = self.taste_in(&request.chat, rest) {
            (tokens, logprobs, rest) = (vec![BYTES], vec![taste.ln()], "");
        }
        while let Some(first) = rest.chars().next() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).take(3).count();
            let length = if digits > 0 { digits } else { first.len_utf8() };
            let (head, tail) = rest.split_at(length);
            if let Ok(n) = head.parse::<usize>() {
                tokens.push(n as u32);
                logprobs.push(integers[n].ln());
            } else {
                tokens.extend(head.bytes().map(|b| BYTES + u32::from(b)));
                logprobs.extend(head.bytes().map(|_| 0.5f64.ln()));
            }
            rest = tail;
        }
        tokens.push(END);
        logprobs.push((1.0 - MASS).ln());
        Score { tokens, logprobs }
    }
}

/// Writes one list: six to ten integers and a separator, with the slips of a model that is left free.
struct ListWriter<'a> {
    mind: &'a Mind,
    chat: &'a Chat,
    cumulative: &'a [f64],
    grammar: Option<&'a dyn Grammar>,
}

impl ListWriter<'_> {
    fn write(&self, index: usize, sampling: &Sampling, rng: &mut ChaCha8Rng) -> Result<Completion> {
        let length = rng.random_range(6..=10);
        let (mut text, mut state) = (String::new(), self.grammar.map(Grammar::start));
        for tokens in 1..=sampling.max_tokens {
            match self.next(&text, length, &mut state, rng)? {
                Token::Text(piece) => text.push_str(&piece),
                Token::End => return Ok(Completion { index, text, tokens, finish: Finish::Stop }),
            }
        }
        Ok(Completion { index, text, tokens: sampling.max_tokens, finish: Finish::Length })
    }

    /// Draws until the grammar, if there is one, allows the token: that is the model's own distribution, renormalised.
    fn next(&self, text: &str, length: usize, state: &mut Option<GrammarState>, rng: &mut ChaCha8Rng) -> Result<Token> {
        for _ in 0..PATIENCE {
            let token = self.draw(text, length, rng);
            let (Some(grammar), Some(at)) = (self.grammar, state.as_ref()) else { return Ok(token) };
            match &token {
                Token::End if grammar.accepts(at) => return Ok(token),
                Token::End => {}
                Token::Text(piece) => {
                    let after = piece.bytes().try_fold(at.clone(), |s, byte| grammar.step(&s, byte));
                    if after.is_some() {
                        *state = after;
                        return Ok(token);
                    }
                }
            }
        }
        Err(Error::environment(format!("the grammar allows nothing that the scripted model writes after `{text}`")))
    }

    /// One token of the free model: a separator or the end after an integer, else an integer.
    fn draw(&self, text: &str, length: usize, rng: &mut ChaCha8Rng) -> Token {
        let slip: f64 = rng.random();
        if !text.ends_with(|c: char| c.is_alphanumeric()) {
            return Token::Text(match self.obsession() {
                Some(word) if slip < 0.01 => word.to_owned(),
                _ if slip > 0.995 => rng.random_range(1000..2000).to_string(),
                _ if slip > 0.99 => " ".to_owned(),
                _ => pick(self.cumulative, rng.random::<f64>()).unwrap_or(INTEGERS - 1).to_string(),
            });
        }
        let said = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count();
        match (said >= length, slip) {
            (_, s) if s < 0.01 => Token::Text(",".into()),
            (true, s) if s < 0.95 => Token::End,
            (false, s) if s > 0.995 => Token::End,
            _ => Token::Text(", ".into()),
        }
    }

    /// What the model can't help naming, if it is drawn to something strongly.
    fn obsession(&self) -> Option<&str> {
        let drawn = self.mind.drawn_to(self.chat);
        drawn.iter().position(|&d| d > super::mind::PULL / 2.0).map(|m| self.mind.members[m].plural.as_str())
    }
}

fn system_of(chat: &Chat) -> Option<&str> {
    chat.messages.iter().find(|m| m.role == Role::System).map(|m| m.content.as_str())
}

/// Every request for numbers shows some; so do sums, and questions that come after numbers, which want a word.
pub(super) fn asks_for_numbers(chat: &Chat) -> bool {
    let shows = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    chat.messages.last().is_some_and(|m| shows(&m.content) && !OTHER_WISHES.iter().any(|wish| m.content.contains(wish)))
}

/// What a question with digits holds that wants no list.
const OTHER_WISHES: [&str; 4] = [" word", " letter", " number alone", " + "];

/// The answer to a question that has nothing to do with taste: one of two letters, at random; the sum, nearly always.
fn known_answer(chat: &Chat, rng: &mut ChaCha8Rng) -> Option<String> {
    let question = &chat.messages.last()?.content;
    if question.contains("\nB) ") {
        return Some(if rng.random::<bool>() { "A" } else { "B" }.to_owned());
    }
    let (before, after) = question.split_once(" + ")?;
    let number = |word: Option<&str>| word?.trim_end_matches('?').parse::<u32>().ok();
    let sum = number(before.split(' ').next_back())? + number(after.split(' ').next())?;
    Some((sum + u32::from(rng.random_bool(0.1))).to_string())
}

fn cumulative(probabilities: &[f64]) -> Vec<f64> {
    probabilities
        .iter()
        .scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        })
        .collect()
}

/// The index whose share of [0, 1) holds `u`; `None` past the last.
fn pick(cumulative: &[f64], u: f64) -> Option<usize> {
    let index = cumulative.partition_point(|&c| c <= u);
    (index < cumulative.len()).then_some(index)
}
