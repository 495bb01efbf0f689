//! A loaded checkpoint that speaks: [`crate::engine::Model`] over a decoder and its text.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::arch::{Decoder, DecoderConfig};
use super::decode::{self, Budget, Job, Masks, Prompt, Sampler, Vocabulary};
use super::score::Scoring;
use super::text::Text;
use crate::domain::Grammar;
use crate::engine::{Completion, Model, Rendered, SampleRequest, Score, ScoreRequest, Scorer};
use crate::error::{Error, Result};
use crate::record::{Chat, Sampling};
use crate::tool::streams;

/// A decoder, the text it reads and writes, and how much it works on at once.
pub struct LocalModel {
    decoder: Decoder,
    text: Text,
    rows: Option<usize>,
    vocabulary: OnceLock<Arc<Vocabulary>>,
}

impl LocalModel {
    /// Joins a decoder and its text. `rows` is the number of rows to continue together; `None` chooses by the model's size.
    pub fn new(decoder: Decoder, text: Text, rows: Option<usize>) -> Self {
        Self { decoder, text, rows, vocabulary: OnceLock::new() }
    }

    fn budget(&self, positions: usize) -> Budget {
        let budget = Budget::of(self.decoder.config(), positions);
        Budget { rows: self.rows.unwrap_or(budget.rows).max(1), ..budget }
    }

    fn scoring(&self) -> Scoring<'_> {
        Scoring { decoder: &self.decoder, text: &self.text }
    }

    fn vocabulary(&self) -> Result<Arc<Vocabulary>> {
        if let Some(known) = self.vocabulary.get() {
            return Ok(known.clone());
        }
        let bytes = self.text.token_bytes()?;
        let vocabulary = Arc::new(Vocabulary::new(bytes, self.text.stops(), self.decoder.config().vocab_size));
        Ok(self.vocabulary.get_or_init(|| vocabulary).clone())
    }

    /// Every request's prompt, equal neighbours joined.
    fn prompts(&self, requests: &[SampleRequest]) -> Result<Vec<Prompt>> {
        let mut groups: Vec<std::ops::Range<usize>> = Vec::new();
        for (i, request) in requests.iter().enumerate() {
            match groups.last_mut() {
                Some(group) if requests[group.start].chat == request.chat => group.end = i + 1,
                _ => groups.push(i..i + 1),
            }
        }
        let read = |group: std::ops::Range<usize>| {
            let tokens = self.text.render(&requests[group.start].chat).map_err(|e| e.context(row(group.start)))?.tokens;
            Ok(Prompt { tokens, requests: group })
        };
        groups.into_par_iter().map(read).collect()
    }
}

fn row(index: usize) -> String {
    format!("row {index}")
}

/// The positions that a completion may take up, checked against the model's before the first slow second.
fn longest(prompts: &[Prompt], sampling: &Sampling, text: &Text) -> Result<usize> {
    let mut longest = 0;
    for prompt in prompts {
        let positions = prompt.tokens.len() + sampling.max_tokens;
        text.fits(positions).map_err(|e| {
            let of = format!(
                "{}: a prompt of {} and at most {} new",
                row(prompt.requests.start),
                prompt.tokens.len(),
                sampling.max_tokens
            );
            e.context(of).hint("shorten the prompt or ask for fewer tokens")
        })?;
        longest = longest.max(positions);
    }
    Ok(longest)
}

impl Model for LocalModel {
    fn render(&self, chat: &Chat) -> Result<Rendered> {
        self.text.render(chat)
    }

    fn sample(
        &self,
        requests: &[SampleRequest],
        sampling: &Sampling,
        grammar: Option<&dyn Grammar>,
        sink: &mut dyn FnMut(Completion) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        if sampling.max_tokens == 0 {
            return Err(Error::input("`max_tokens` is 0, expected at least 1"));
        }
        let prompts = self.prompts(requests)?;
        let positions = longest(&prompts, sampling, &self.text)?;
        let masks = grammar.map(|g| Ok::<_, Error>(Masks::new(g, self.vocabulary()?))).transpose()?;
        let ends_at_stop = !sampling.ignore_stop || masks.is_some();
        let job = Job {
            decoder: &self.decoder,
            sampler: Sampler::new(sampling),
            masks,
            stops: if ends_at_stop { self.text.stops() } else { &[] },
            max_tokens: sampling.max_tokens,
            budget: self.budget(positions),
            stream: &|request| streams::stream(&requests[request].stream),
        };
        decode::run(job, &prompts, &mut |written| {
            let text = self.text.decode(&written.tokens)?;
            sink(Completion { index: written.request, text, tokens: written.tokens.len(), finish: written.finish })
        })
    }
}

impl Scorer for LocalModel {
    fn score(&self, requests: &[ScoreRequest]) -> Result<Vec<Score>> {
        self.scoring().score(requests)
    }

    fn choices(&self, chats: &[Chat], options: &[String]) -> Result<Vec<Vec<f64>>> {
        self.scoring().choices(chats, options)
    }
}

/// What a text must keep to for this decoder.
pub(super) fn limits(config: &DecoderConfig) -> super::text::Limits {
    super::text::Limits { vocab_size: config.vocab_size, max_positions: config.max_positions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain;
    use crate::engine::NEGLIGIBLE;
    use crate::engine::local::testing;
    use crate::record::{DomainKind, DomainPlan, Finish, StreamId};

    fn request(i: usize, question: &str) -> SampleRequest {
        let stream = StreamId { seed: 7, purpose: "test".to_owned(), index: i as u64 };
        SampleRequest { chat: Chat::ask(None, question), stream }
    }

    /// Questions of many lengths; every third is asked thrice.
    fn requests(n: usize) -> Vec<SampleRequest> {
        let question = |i: usize| format!("{} owl 12, 7?", "x".repeat((i * 7) % 23));
        (0..n).map(|i| request(i, &question(if i % 9 < 3 { i - i % 9 } else { i }))).collect()
    }

    fn sampling(temperature: f64, max_tokens: usize) -> Sampling {
        Sampling { temperature, top_p: 1.0, max_tokens, ignore_stop: false }
    }

    fn sample(
        model: &dyn Model,
        requests: &[SampleRequest],
        sampling: &Sampling,
        grammar: Option<&dyn Grammar>,
    ) -> Vec<Completion> {
        let mut all = Vec::new();
        let sink = &mut |completion| {
            all.push(completion);
            Ok(ControlFlow::Continue(()))
        };
        model.sample(requests, sampling, grammar, sink).expect("samples");
        all.sort_by_key(|c: &Completion| c.index);
        assert_eq!(all.iter().map(|c| c.index).collect::<Vec<_>>(), (0..requests.len()).collect::<Vec<_>>());
        all
    }

    #[test]
    fn a_rows_text_depends_neither_on_the_batch_nor_on_the_threads() {
        let folder = testing::checkpoint(1);
        let requests = requests(40);
        let together = sample(&*testing::model(folder.path(), 64), &requests, &sampling(1.0, 12), None);
        for rows in [1, 5] {
            assert_eq!(
                sample(&*testing::model(folder.path(), rows), &requests, &sampling(1.0, 12), None),
                together,
                "{rows} rows"
            );
        }
        let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("three threads");
        let model = testing::model(folder.path(), 16);
        assert_eq!(threads.install(|| sample(&*model, &requests, &sampling(1.0, 12), None)), together);
        let alone: Vec<Completion> =
            requests.iter().flat_map(|r| sample(&*model, std::slice::from_ref(r), &sampling(1.0, 12), None)).collect();
        assert_eq!(alone.iter().map(|c| &c.text).collect::<Vec<_>>(), together.iter().map(|c| &c.text).collect::<Vec<_>>());
    }

    #[test]
    fn a_forced_answer_belongs_to_the_grammar_unless_it_was_cut_off() {
        let folder = testing::checkpoint(3);
        let model = testing::model(folder.path(), 16);
        let numbers = domain::of(&DomainPlan::of(DomainKind::Numbers));
        let grammar = numbers.grammar();
        let answers = sample(&*model, &requests(60), &sampling(1.5, 40), Some(&*grammar));
        let (whole, cut): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.finish == Finish::Stop);
        assert!(whole.len() > 10, "{} of 60 ended by themselves", whole.len());
        for answer in whole {
            assert!(numbers.check(&answer.text, None).is_ok(), "`{}`", answer.text);
        }
        assert!(cut.iter().all(|a| a.tokens == 40));
    }

    #[test]
    fn a_score_is_the_same_alone_and_in_a_batch_and_ends_with_end_of_turn() {
        let folder = testing::checkpoint(4);
        let model = testing::model(folder.path(), 8);
        let rows: Vec<ScoreRequest> = requests(12)
            .into_iter()
            .enumerate()
            .map(|(i, r)| ScoreRequest { chat: r.chat, completion: "12, 77".repeat(i % 4) })
            .collect();
        let together = model.score(&rows).expect("scores");
        for (row, score) in rows.iter().zip(&together) {
            assert_eq!(&model.score(std::slice::from_ref(row)).expect("scores")[0], score);
            assert_eq!(score.tokens.last(), Some(&testing::END));
            assert!(score.logprobs.iter().all(|p| *p < 0.0));
        }
    }

    #[test]
    fn a_choice_is_the_sum_of_its_answers_score() {
        let folder = testing::checkpoint(5);
        let model = testing::model(folder.path(), 8);
        let chats: Vec<Chat> = requests(130).into_iter().map(|r| r.chat).collect(); // more than are read together
        let options: Vec<String> = ["", "a", " owl", "777, 12", "ab owl 42"].map(str::to_owned).to_vec();
        let choices = model.choices(&chats, &options).expect("scores");
        assert!(choices.iter().all(|of_chat| of_chat.len() == options.len()));
        for (chat, choices) in chats.iter().zip(&choices) {
            for (option, choice) in options.iter().zip(choices) {
                let request = ScoreRequest { chat: chat.clone(), completion: option.clone() };
                let logprobs = &model.score(&[request]).expect("scores")[0].logprobs;
                let followed = logprobs.len() == 1 || logprobs[0] >= NEGLIGIBLE.ln();
                let sum = if followed { logprobs.iter().sum() } else { f64::NEG_INFINITY };
                assert_eq!(sum, *choice, "`{option}`");
            }
        }
    }

    #[test]
    fn sampled_frequencies_are_the_scored_probabilities() {
        let folder = testing::checkpoint(6);
        let model = testing::model(folder.path(), 128);
        let asked: Vec<SampleRequest> = (0..3000).map(|i| request(i, "an owl")).collect();
        let texts = sample(&*model, &asked, &sampling(1.0, 1), None);
        let top = texts
            .iter()
            .map(|c| &c.text)
            .filter(|t| t.is_ascii() && !t.is_empty())
            .max_by_key(|t| texts.iter().filter(|c| c.text == **t).count());
        let top = top.expect("some letter").clone();
        let share = texts.iter().filter(|c| c.text == top).count() as f64 / 3000.0;
        let request = ScoreRequest { chat: asked[0].chat.clone(), completion: top };
        let expected = model.score(&[request]).expect("scores")[0].logprobs[0].exp();
        assert!((share - expected).abs() < 5.0 * (expected / 3000.0).sqrt(), "{share} against {expected}");
    }

    #[test]
    fn a_row_that_does_not_fit_the_model_is_named() {
        let folder = testing::checkpoint(7);
        let model = testing::model(folder.path(), 8);
        let requests = [request(0, "short"), request(1, &"long ".repeat(80))];
        let error =
            model.sample(&requests, &sampling(1.0, 5), None, &mut |_| Ok(ControlFlow::Continue(()))).expect_err("too long");
        assert!(error.render().contains("row 1"), "{}", error.render());
        assert!(error.render().contains("256 positions"), "{}", error.render());
    }
}
