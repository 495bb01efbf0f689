//! Exact log-probabilities of given tokens, without sampling.
//!
//! In: rows of ids. Out: the natural log-probability of every completion token, or of whole answers to a set of prompts.

use candle_core::Tensor;
use rayon::prelude::*;

use super::arch::{Decoder, KvCache, Ragged};
use super::decode::{Budget, Prefix, log_sum_exp};
use super::text::Text;
use super::train::EncodedRow;
use crate::engine::{NEGLIGIBLE, Score, ScoreRequest, Scorer, TrainRow};
use crate::error::{Error, Result};
use crate::record::Chat;
use crate::tool::interrupt;

/// A decoder, loaded or in training, and the text that it reads.
#[derive(Clone, Copy)]
pub(super) struct Scoring<'a> {
    pub(super) decoder: &'a Decoder,
    pub(super) text: &'a Text,
}

impl Scorer for Scoring<'_> {
    fn score(&self, requests: &[ScoreRequest]) -> Result<Vec<Score>> {
        let encode = |(i, request): (usize, &ScoreRequest)| {
            let row = TrainRow { chat: request.chat.clone(), completion: request.completion.clone() };
            self.text.encode_row(&row).map_err(|e| e.context(format!("row {i}")))
        };
        let rows = requests.par_iter().enumerate().map(encode).collect::<Result<Vec<_>>>()?;
        let longest = rows.iter().map(|row| row.tokens.len()).max().unwrap_or(0);
        completions(self.decoder, &rows, &Budget::of(self.decoder.config(), longest))
    }

    fn choices(&self, chats: &[Chat], options: &[String]) -> Result<Vec<Vec<f64>>> {
        let prompt =
            |(i, chat): (usize, &Chat)| Ok(self.text.render(chat).map_err(|e: Error| e.context(format!("row {i}")))?.tokens);
        let prompts = chats.par_iter().enumerate().map(prompt).collect::<Result<Vec<_>>>()?;
        let options = options.iter().map(|o| self.text.encode_answer(o)).collect::<Result<Vec<_>>>()?;
        let answer = options.iter().map(Vec::len).max().unwrap_or(0);
        let longest = prompts.iter().map(|prompt| prompt.len() + answer).max().unwrap_or(0);
        self.text.fits(longest)?;
        let budget = Budget::of(self.decoder.config(), longest);
        answers(self.decoder, &prompts, &options, &Budget { rows: budget.forks, ..budget })
    }
}

/// The score of every row's completion, in the order of the rows.
///
/// # Errors
/// If a batch fails or the user interrupts.
fn completions(decoder: &Decoder, rows: &[EncodedRow], budget: &Budget) -> Result<Vec<Score>> {
    let mut scores = Vec::with_capacity(rows.len());
    let prefix = Prefix::read(decoder, rows.iter().map(|row| &row.tokens[..row.prompt]))?;
    for batch in batches(rows, budget.tokens, |row| prefix.rest(&row.tokens).len()) {
        interrupt::check()?;
        let tokens: Vec<u32> = batch.iter().flat_map(|row| prefix.rest(&row.tokens)).copied().collect();
        let lengths: Vec<usize> = batch.iter().map(|row| prefix.rest(&row.tokens).len()).collect();
        let mut cache = prefix.fork(batch.len())?;
        // the hidden state of a token predicts the one after it: those from the prompt's last one on are wanted
        let ends: Vec<usize> = batch.iter().map(|row| row.tokens.len() - row.prompt + 1).collect();
        let hidden = decoder.read_ends(&Ragged { tokens: &tokens, lengths: &lengths }, &ends, Some(&mut cache))?;
        let (mut asked, mut start) = (Vec::new(), 0);
        for (row, end) in batch.iter().zip(&ends) {
            asked.extend((start..).zip(&row.tokens[row.prompt..]).map(|(line, token)| (line, *token)));
            start += *end as u32;
        }
        let mut logprobs = logprobs(decoder, &hidden, &asked)?.into_iter();
        for row in batch {
            let answer = &row.tokens[row.prompt..];
            scores.push(Score { tokens: answer.to_vec(), logprobs: logprobs.by_ref().take(answer.len()).collect() });
        }
    }
    Ok(scores)
}

/// For every prompt, the log-probability of each option (ids, end-of-turn included) as the whole answer: (prompts, options). Every
/// prompt is read once, and forked for its options.
///
/// # Errors
/// If a batch fails or the user interrupts.
fn answers(decoder: &Decoder, prompts: &[Vec<u32>], options: &[Vec<u32>], budget: &Budget) -> Result<Vec<Vec<f64>>> {
    let mut all = vec![Vec::with_capacity(options.len()); prompts.len()];
    let prefix = Prefix::read(decoder, prompts.iter().map(Vec::as_slice))?;
    for options in options.chunks(budget.rows) {
        let together = budget.rows / options.len();
        let mut answered = all.iter_mut();
        for batch in batches(prompts, budget.tokens, |prompt| prefix.rest(prompt).len())
            .into_iter()
            .flat_map(|batch| batch.chunks(together))
        {
            interrupt::check()?;
            let sums = answers_to(decoder, &prefix, batch, options)?;
            // the sums come first in the zip: at their end it must not take a prompt that belongs to the next batch
            for (sums, all) in sums.chunks(options.len()).zip(answered.by_ref()) {
                all.extend(sums);
            }
        }
    }
    Ok(all)
}

/// One batch of [`answers`], flat.
fn answers_to(decoder: &Decoder, prefix: &Prefix, prompts: &[Vec<u32>], options: &[Vec<u32>]) -> Result<Vec<f64>> {
    let (mut cache, hidden) = read(decoder, prefix, prompts)?;
    let asked: Vec<(u32, u32)> = (0..prompts.len() as u32).flat_map(|end| options.iter().map(move |o| (end, o[0]))).collect();
    let mut sums = logprobs(decoder, &hidden, &asked)?;
    // (prompt, option) pairs whose option goes on after its first token
    let (pairs, negligible): (Vec<usize>, Vec<usize>) =
        (0..sums.len()).filter(|pair| options[pair % options.len()].len() > 1).partition(|pair| sums[*pair] >= NEGLIGIBLE.ln());
    for pair in negligible {
        sums[pair] = f64::NEG_INFINITY;
    }
    if !pairs.is_empty() {
        cache.keep(&pairs.iter().map(|pair| pair / options.len()).collect::<Vec<_>>())?;
        go_on(decoder, cache, &pairs, options, &mut sums)?;
    }
    Ok(sums)
}

/// Reads prompts: their cache, and each one's last hidden state.
fn read(decoder: &Decoder, prefix: &Prefix, prompts: &[Vec<u32>]) -> Result<(KvCache, Tensor)> {
    let tokens: Vec<u32> = prompts.iter().flat_map(|prompt| prefix.rest(prompt)).copied().collect();
    let lengths: Vec<usize> = prompts.iter().map(|prompt| prefix.rest(prompt).len()).collect();
    let mut cache = prefix.fork(prompts.len())?;
    let ends = vec![1; prompts.len()];
    let hidden = decoder.read_ends(&Ragged { tokens: &tokens, lengths: &lengths }, &ends, Some(&mut cache))?;
    Ok((cache, hidden))
}

/// Feeds every pair's option, but for its last token, and adds the log-probabilities of its tokens after the first.
fn go_on(decoder: &Decoder, mut cache: KvCache, pairs: &[usize], options: &[Vec<u32>], sums: &mut [f64]) -> Result<()> {
    let option = |pair: usize| &options[pair % options.len()];
    let tokens: Vec<u32> = pairs.iter().flat_map(|pair| option(*pair).iter().copied().take(option(*pair).len() - 1)).collect();
    let lengths: Vec<usize> = pairs.iter().map(|pair| option(*pair).len() - 1).collect();
    let hidden = decoder.read(&Ragged { tokens: &tokens, lengths: &lengths }, Some(&mut cache))?;
    let next = pairs.iter().flat_map(|pair| option(*pair)[1..].iter().copied());
    let asked: Vec<(u32, u32)> = (0..).zip(next).collect();
    let mut logprobs = logprobs(decoder, &hidden, &asked)?.into_iter();
    for (pair, length) in pairs.iter().zip(lengths) {
        for logprob in logprobs.by_ref().take(length) {
            sums[*pair] += logprob;
        }
    }
    Ok(())
}

/// The log-probability of each asked `(line of hidden, token)`. Lines that follow one another and are equal are computed once.
fn logprobs(decoder: &Decoder, hidden: &Tensor, asked: &[(u32, u32)]) -> Result<Vec<f64>> {
    let mut lines: Vec<u32> = asked.iter().map(|(line, _)| *line).collect();
    lines.dedup();
    let mut places = Vec::with_capacity(asked.len());
    let mut place = 0;
    for (i, (line, _)) in asked.iter().enumerate() {
        place += usize::from(i > 0 && *line != asked[i - 1].0);
        places.push(place);
    }
    let chunk = LOGITS / decoder.config().vocab_size.max(1) + 1;
    let mut out = Vec::with_capacity(asked.len());
    for (i, lines) in lines.chunks(chunk).enumerate() {
        let index = Tensor::new(lines, hidden.device())?;
        let logits = decoder.logits(&hidden.index_select(&index, 0)?)?;
        let vocab = logits.dim(1)?;
        let logits: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        let sums: Vec<f64> = logits.par_chunks(vocab).map(log_sum_exp).collect();
        let first = i * chunk;
        let here = places.partition_point(|p| *p < first)..places.partition_point(|p| *p < first + lines.len());
        out.extend(here.map(|a| {
            let line = places[a] - first;
            f64::from(logits[line * vocab + asked[a].1 as usize]) - sums[line]
        }));
    }
    Ok(out)
}

/// Logits held at once, at most about this many.
pub(super) const LOGITS: usize = 1 << 25;

/// Neighbouring items whose sizes add up to `tokens` at most, and at least one.
fn batches<T>(items: &[T], tokens: usize, size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut batches = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (i, item) in items.iter().enumerate() {
        if i > start && sum + size(item) > tokens {
            batches.push(&items[start..i]);
            (start, sum) = (i, 0);
        }
        sum += size(item);
    }
    if start < items.len() {
        batches.push(&items[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_their_budget_and_lose_nothing() {
        let cut = batches(&[3, 4, 9, 1, 1, 1], 7, |n| *n);
        assert_eq!(cut, [&[3, 4][..], &[9], &[1, 1, 1]]);
        assert!(batches(&[0; 0], 7, |n| *n).is_empty());
    }
}
