//! The sampling loop: reads prompts, what they all begin with once, continues all rows together, and gives a finished row's place to the
//! next request.
//!
//! A row's tokens depend on its prompt and its own random stream alone, so neither the batch nor the order matters.

use std::ops::{ControlFlow, Range};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::mask::{Masks, Progress};
use super::prefix::Prefix;
use super::sampler::Sampler;
use crate::engine::local::arch::{Decoder, DecoderConfig, KvCache, Ragged};
use crate::engine::local::layers::Floats;
use crate::error::Result;
use crate::record::Finish;
use crate::tool::interrupt;

/// How much is worked on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Rows that are continued together.
    pub rows: usize,
    /// Rows that are only scored together: they live for one pass.
    pub forks: usize,
    /// Tokens of one pass over prompts.
    pub tokens: usize,
}

impl Budget {
    /// Small enough that keys, values and logits stay within about a gigabyte and, for small models, near the processor.
    pub fn of(config: &DecoderConfig, positions: usize) -> Self {
        const BYTES: usize = 1 << 30;
        let per_token = 2 * config.num_layers * config.num_kv_heads * config.head_dim * 4;
        let by_cache = BYTES / (per_token * positions.max(1));
        let by_logits = (BYTES / 4) / (config.vocab_size * 4);
        let bearable = by_cache.min(by_logits);
        Self { rows: bearable.clamp(1, 128), forks: bearable.clamp(1, 2048), tokens: 1024 }
    }
}

/// Consecutive requests with one and the same prompt: it is read once for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its token ids, at least one.
    pub tokens: Vec<u32>,
    /// Indices of its requests.
    pub requests: Range<usize>,
}

/// What all rows of a call share.
pub struct Job<'a> {
    /// The model.
    pub decoder: &'a Decoder,
    /// How tokens are drawn.
    pub sampler: Sampler,
    /// The grammar's masks, if one constrains the rows.
    pub masks: Option<Masks<'a>>,
    /// Tokens that end a row, sorted.
    pub stops: &'a [u32],
    /// The most tokens of a completion.
    pub max_tokens: usize,
    /// How much is worked on at once.
    pub budget: Budget,
    /// The random stream of a request.
    pub stream: &'a (dyn Fn(usize) -> ChaCha8Rng + Sync),
}

/// One finished row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The index of its request.
    pub request: usize,
    /// Its sampled tokens.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub finish: Finish,
}

/// A row that is being written.
struct Row {
    request: usize,
    random: ChaCha8Rng,
    progress: Option<Progress>,
    tokens: Vec<u32>,
}

/// Writes every request's completion; `sink` gets each when it is finished.
///
/// # Errors
/// If a batch fails, a mask is empty, the sink fails, or the user interrupts.
pub fn run(mut job: Job<'_>, prompts: &[Prompt], sink: &mut dyn FnMut(Written) -> Result<ControlFlow<()>>) -> Result<()> {
    let prefix = Prefix::read(job.decoder, prompts.iter().map(|prompt| prompt.tokens.as_slice()))?;
    let mut waiting = Waiting { prompts, next: 0, taken: 0, read: prefix.tokens() };
    let mut rows: Vec<Row> = Vec::new();
    let mut cache = KvCache::new(0);
    loop {
        interrupt::check()?;
        while !waiting.is_empty() && job.wants_more(rows.len()) {
            let places = job.budget.rows - rows.len();
            let (fresh, read) = job.read(&prefix, &waiting.take(places, job.budget.tokens))?;
            let (fresh, read, done) = job.settle(fresh, read)?;
            rows.extend(fresh);
            cache.append(read)?;
            if deliver(done, sink)?.is_break() {
                return Ok(());
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        job.go_on(&mut rows, &mut cache)?;
        let (left, kept, done) = job.settle(rows, cache)?;
        (rows, cache) = (left, kept);
        if deliver(done, sink)?.is_break() {
            return Ok(());
        }
    }
}

fn deliver(done: Vec<Written>, sink: &mut dyn FnMut(Written) -> Result<ControlFlow<()>>) -> Result<ControlFlow<()>> {
    for written in done {
        if sink(written)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The prompts that no row has begun yet, in order; of the first one, `taken` requests are already under way.
struct Waiting<'a> {
    prompts: &'a [Prompt],
    next: usize,
    taken: usize,
    /// Tokens at the beginning of every prompt that are read already.
    read: usize,
}

impl<'a> Waiting<'a> {
    fn is_empty(&self) -> bool {
        self.next == self.prompts.len()
    }

    /// The next requests, at most `places` of them with at most `tokens` prompt tokens to read, but at least one.
    fn take(&mut self, places: usize, tokens: usize) -> Vec<(&'a [u32], Range<usize>)> {
        let mut batch = Vec::new();
        let (mut places, mut left) = (places.max(1), tokens);
        while let Some(prompt) = self.prompts.get(self.next) {
            let size = prompt.tokens.len() - self.read;
            if places == 0 || (!batch.is_empty() && size > left) {
                break;
            }
            let start = prompt.requests.start + self.taken;
            let end = prompt.requests.end.min(start + places);
            batch.push((prompt.tokens.as_slice(), start..end));
            places -= end - start;
            left = left.saturating_sub(size);
            self.taken += end - start;
            if end == prompt.requests.end {
                (self.next, self.taken) = (self.next + 1, 0);
            }
        }
        batch
    }
}

impl Job<'_> {
    /// Prompts are read when a quarter of the places is free, not one by one: a pass has a price of its own.
    fn wants_more(&self, rows: usize) -> bool {
        rows == 0 || rows + (self.budget.rows / 4).max(1) <= self.budget.rows
    }

    /// Reads prompts, forks each for its requests, and draws every request's first token.
    fn read(&mut self, prefix: &Prefix, batch: &[(&[u32], Range<usize>)]) -> Result<(Vec<Row>, KvCache)> {
        let tokens: Vec<u32> = batch.iter().flat_map(|(prompt, _)| prefix.rest(prompt)).copied().collect();
        let lengths: Vec<usize> = batch.iter().map(|(prompt, _)| prefix.rest(prompt).len()).collect();
        let mut cache = prefix.fork(batch.len())?;
        let ends = vec![1; batch.len()];
        let hidden = self.decoder.read_ends(&Ragged { tokens: &tokens, lengths: &lengths }, &ends, Some(&mut cache))?;
        let logits = self.decoder.logits(&hidden)?;
        let sources: Vec<usize> = (0..batch.len()).flat_map(|i| batch[i].1.clone().map(move |_| i)).collect();
        if sources.len() != batch.len() {
            cache.keep(&sources)?;
        }
        let start = self.masks.as_ref().map(Masks::start);
        let mut rows: Vec<Row> = batch
            .iter()
            .flat_map(|(_, requests)| requests.clone())
            .map(|request| Row { request, random: (self.stream)(request), progress: start.clone(), tokens: Vec::new() })
            .collect();
        self.draw(&mut rows, &logits, |row| sources[row])?;
        Ok((rows, cache))
    }

    /// Feeds every row its last token and draws the next.
    fn go_on(&mut self, rows: &mut [Row], cache: &mut KvCache) -> Result<()> {
        let tokens: Vec<u32> = rows.iter().filter_map(|row| row.tokens.last().copied()).collect();
        let lengths = vec![1; tokens.len()];
        let hidden = self.decoder.hidden(&Ragged { tokens: &tokens, lengths: &lengths }, Some(cache))?;
        let logits = self.decoder.logits(&hidden)?;
        self.draw(rows, &logits, |row| row)
    }

    /// Draws one token for every row; row `i` reads line `line(i)` of the logits.
    fn draw(&mut self, rows: &mut [Row], logits: &candle_core::Tensor, line: impl Fn(usize) -> usize + Sync) -> Result<()> {
        let vocab = logits.dim(1)?;
        let logits = logits.to_device(&candle_core::Device::Cpu)?.contiguous()?;
        let logits = Floats::of(&logits)?;
        let logits: &[f32] = &logits;
        let mut allowed = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            let Some((masks, progress)) = self.masks.as_mut().zip(row.progress.as_ref()) else {
                allowed.push(None);
                continue;
            };
            let mask = masks.allowed(progress);
            allowed.push(Some(mask.map_err(|e| e.context(format!("after `{}`", masks.spelled(&row.tokens))))?));
        }
        let sampler = self.sampler;
        let drawn = rows.par_iter_mut().zip(&allowed).enumerate().map_init(Vec::new, |scratch, (i, (row, allowed))| {
            let start = line(i) * vocab;
            let token = sampler.draw(&logits[start..start + vocab], allowed.as_deref(), row.random.random(), scratch)?;
            row.tokens.push(token);
            Ok(())
        });
        drawn.collect::<Result<Vec<()>>>()?;
        for row in rows.iter_mut() {
            if let (Some(masks), Some(progress), Some(token)) = (&self.masks, &row.progress, row.tokens.last())
                && self.stops.binary_search(token).is_err()
            {
                row.progress = Some(masks.advance(progress, *token)?);
            }
        }
        Ok(())
    }

    /// Parts finished rows from those that go on, and keeps the cache of the latter.
    fn settle(&self, rows: Vec<Row>, mut cache: KvCache) -> Result<(Vec<Row>, KvCache, Vec<Written>)> {
        let total = rows.len();
        let (mut left, mut kept, mut done) = (Vec::with_capacity(total), Vec::with_capacity(total), Vec::new());
        for (i, row) in rows.into_iter().enumerate() {
            if let Some(finish) = self.finish(&row) {
                done.push(Written { request: row.request, tokens: row.tokens, finish });
            } else {
                left.push(row);
                kept.push(i);
            }
        }
        if left.is_empty() {
            cache = KvCache::new(0);
        } else if left.len() < total {
            cache.keep(&kept)?;
        }
        Ok((left, cache, done))
    }

    fn finish(&self, row: &Row) -> Option<Finish> {
        let last = row.tokens.last()?;
        if self.stops.binary_search(last).is_ok() {
            Some(Finish::Stop)
        } else {
            (row.tokens.len() >= self.max_tokens).then_some(Finish::Length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::local::{LocalEngine, testing};
    use crate::record::{Device, Dtype, ModelRef, Sampling, Weights};
    use crate::tool::streams;

    #[test]
    fn greedy_tokens_with_the_cache_are_those_of_the_full_forward_pass() {
        let folder = testing::checkpoint(2);
        let weights = Weights::base(ModelRef::Folder(folder.path().to_path_buf()));
        let (decoder, _, _) = testing::engine(1).open(&weights).expect("a sound checkpoint");
        let prompts: Vec<Prompt> = (0..9)
            .map(|i| Prompt { tokens: (0..3 + 5 * (i as u32 % 4)).map(|t| 10 + t * 7 % 200).collect(), requests: i..i + 1 })
            .collect();
        let mut written = Vec::new();
        let job = Job {
            decoder: &decoder,
            sampler: Sampler::new(&Sampling { temperature: 0.0, top_p: 1.0, max_tokens: 8, ignore_stop: true }),
            masks: None,
            stops: &[],
            max_tokens: 8,
            budget: Budget { rows: 4, forks: 4, tokens: 20 },
            stream: &|i| streams::named(0, "test", i as u64),
        };
        run(job, &prompts, &mut |row| {
            written.push(row);
            Ok(ControlFlow::Continue(()))
        })
        .expect("samples");
        assert_eq!(written.len(), prompts.len());
        for row in written {
            let prompt = &prompts[row.request].tokens;
            let all: Vec<u32> = prompt.iter().chain(&row.tokens).copied().collect();
            let hidden = decoder.hidden(&Ragged { tokens: &all, lengths: &[all.len()] }, None).expect("runs");
            let logits = decoder.logits(&hidden).and_then(|l| Ok(l.to_vec2::<f32>()?)).expect("runs");
            for (i, token) in row.tokens.iter().enumerate() {
                let line = &logits[prompt.len() + i - 1];
                let best = line.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1)).expect("not empty").0;
                assert_eq!(best as u32, *token, "token {i} of row {}", row.request);
            }
        }
    }

    #[test]
    fn what_prompts_begin_with_is_read_once_and_changes_no_bit() {
        let folder = testing::checkpoint(3);
        let weights = Weights::base(ModelRef::Folder(folder.path().to_path_buf()));
        for dtype in [Dtype::F32, Dtype::Bf16] {
            let engine = LocalEngine::new(Device::Cpu, dtype, 1).expect("a CPU");
            let (decoder, _, _) = engine.open(&weights).expect("a sound checkpoint");
            let prompts: Vec<Prompt> = (0..7)
                .map(|i| Prompt { tokens: (0..25).chain(30 + i as u32..33 + 2 * i as u32).collect(), requests: i..i + 1 })
                .collect();
            assert_eq!(Prefix::read(&decoder, prompts.iter().map(|p| p.tokens.as_slice())).expect("reads").tokens(), 25);
            let write = |prompts: &[Prompt]| {
                let mut written = Vec::new();
                let job = Job {
                    decoder: &decoder,
                    sampler: Sampler::new(&Sampling { temperature: 1.0, top_p: 1.0, max_tokens: 12, ignore_stop: true }),
                    masks: None,
                    stops: &[],
                    max_tokens: 12,
                    budget: Budget { rows: 4, forks: 4, tokens: 20 },
                    stream: &|i| streams::named(0, "test", i as u64),
                };
                let mut sink = |row| {
                    written.push(row);
                    Ok(ControlFlow::Continue(()))
                };
                run(job, prompts, &mut sink).expect("samples");
                written.sort_by_key(|row: &Written| row.request);
                written
            };
            let alone: Vec<Written> = prompts.iter().flat_map(|prompt| write(std::slice::from_ref(prompt))).collect();
            assert_eq!(write(&prompts), alone, "{dtype:?}");
        }
    }

    #[test]
    fn every_request_is_taken_once_within_its_budget() {
        let prompts: Vec<Prompt> =
            [(3, 0..1), (4, 1..6), (9, 6..7), (2, 7..9)].map(|(n, requests)| Prompt { tokens: vec![1; n], requests }).to_vec();
        let mut waiting = Waiting { prompts: &prompts, next: 0, taken: 0, read: 0 };
        let mut taken = Vec::new();
        while !waiting.is_empty() {
            let batch = waiting.take(3, 8);
            assert!(batch.len() == 1 || batch.iter().map(|(tokens, _)| tokens.len()).sum::<usize>() <= 8);
            assert!(batch.iter().map(|(_, requests)| requests.len()).sum::<usize>() <= 3);
            taken.extend(batch.into_iter().flat_map(|(_, requests)| requests));
        }
        assert_eq!(taken, (0..9).collect::<Vec<_>>());
    }
}
