//! `subliminal sample` and `subliminal score`: any model over a file of rows.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::de::DeserializeOwned;

use super::rows::InputRow;
use super::setup::{DeviceArgs, ModelArgs, TemplateArgs};
use super::{output, rows};
use crate::engine::{Completion, Engine, SampleRequest, ScoreRequest};
use crate::error::Result;
use crate::record::{Chat, RowId, Sample, Sampling, Scored, StreamId};
use crate::tool::growing::Growing;
use crate::tool::{hash, interrupt};

/// How completions are drawn.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SamplingArgs {
    /// The most tokens of a completion, end-of-turn included.
    #[arg(long, value_name = "N", default_value_t = 64)]
    max_tokens: usize,
    /// 0 takes the most probable token.
    #[arg(long, value_name = "T", default_value_t = 1.0, value_parser = temperature)]
    temperature: f64,
    /// The smallest set of tokens whose probability reaches this.
    #[arg(long, value_name = "P", default_value_t = 1.0, value_parser = nucleus)]
    top_p: f64,
    /// The random streams' seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Go on past the end-of-turn token up to `--max-tokens` (for speed measurements).
    #[arg(long)]
    ignore_stop: bool,
}

impl SamplingArgs {
    pub(crate) fn resolve(&self) -> Sampling {
        Sampling {
            temperature: self.temperature,
            top_p: self.top_p,
            max_tokens: self.max_tokens.max(1),
            ignore_stop: self.ignore_stop,
        }
    }
}

fn temperature(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|t: &f64| (0.0..=100.0).contains(t)).ok_or_else(|| "expected 0 to 100".to_owned())
}

fn nucleus(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|p: &f64| *p > 0.0 && *p <= 1.0).ok_or_else(|| "expected above 0, up to 1".to_owned())
}

/// Sample a completion for every prompt of a JSONL file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    subliminal sample --model builtin:tiny-a --prompts prompts.jsonl --out samples.jsonl --max-tokens 40\n  \
    subliminal sample --model Qwen/Qwen2.5-7B-Instruct --adapter student --prompts prompts.jsonl --out samples.jsonl\n\n\
    An interrupted command, given again, goes on after the rows that it has written.")]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// A system prompt for rows that have none; without one the model's own default applies.
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// JSONL of {"id"?, "prompt", "system"?}.
    #[arg(long, value_name = "FILE")]
    prompts: PathBuf,
    /// Where the samples go, in the order of the prompts.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    template: TemplateArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// At most this many rows together [default: what the engine finds best]; the samples do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch: Option<u32>,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(crate) fn sample(args: &SampleArgs) -> Result<()> {
    let prompts = rows::prompts(&args.prompts)?;
    let engine = args.device.engine_of(args.batch)?;
    let sampling = args.sampling.resolve();
    let template = args.template.settings();
    let all: Vec<Chat> = prompts.iter().map(|(_, row)| row.chat(args.system.as_deref()).under(&template)).collect();
    let ids: Vec<&RowId> = prompts.iter().map(|(id, _)| id).collect();
    let work = hash::value(&(identity(&args.model, engine.as_ref())?, &sampling, args.sampling.seed, &ids, &all));
    let mut file = begin::<Sample>(&args.out, &work)?;
    let model = args.model.load(engine.as_ref())?;
    let begun = file.known;
    let requests: Vec<SampleRequest> = all
        .into_iter()
        .enumerate()
        .skip(begun)
        .map(|(index, chat)| SampleRequest {
            chat,
            stream: StreamId { seed: args.sampling.seed, purpose: "sample".into(), index: index as u64 },
        })
        .collect();

    let started = Instant::now();
    let mut waiting: Vec<Option<Completion>> = vec![None; prompts.len()];
    let (mut written, mut tokens) = (begun, 0);
    model.sample(&requests, &sampling, None, &mut |completion| {
        tokens += completion.tokens;
        let index = begun + completion.index;
        waiting[index] = Some(completion);
        while let Some(next) = waiting.get_mut(written).and_then(Option::take) {
            let (id, row) = &prompts[written];
            file.growing.push(&Sample {
                id: id.clone(),
                prompt: row.prompt.clone(),
                expected: None,
                completion: next.text,
                tokens: next.tokens,
                finish: next.finish,
            })?;
            written += 1;
        }
        file.growing.flush()?;
        interrupt::check()?;
        Ok(ControlFlow::Continue(()))
    })?;
    file.growing.finish()?;
    say_speed(written - begun, tokens, started);
    Ok(())
}

/// Write the log-probability of every completion token of a JSONL file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    subliminal score --model builtin:tiny-a --rows samples.jsonl --out scores.jsonl\n  \
    subliminal score --model builtin:tiny-a --adapter student --rows samples.jsonl --out after.jsonl\n\n\
    An interrupted command, given again, goes on after the rows that it has written.")]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// A system prompt for rows that have none; without one the model's own default applies.
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// JSONL of {"id"?, "prompt", "completion", "system"?}.
    #[arg(long, value_name = "FILE")]
    rows: PathBuf,
    /// JSONL of {"id", "tokens", "logprobs"}: natural logarithms, one per completion token, end-of-turn included.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    template: TemplateArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Rows per call of the engine: bounds what is lost by an interruption, and the memory.
const SCORED_AT_ONCE: usize = 1024;

pub(crate) fn score(args: &ScoreArgs) -> Result<()> {
    let rows = rows::completions(&args.rows)?;
    let engine = args.device.engine()?;
    let template = args.template.settings();
    let request = |(id, row, completion): (RowId, InputRow, String)| {
        (id, ScoreRequest { chat: row.chat(args.system.as_deref()).under(&template), completion })
    };
    let (ids, requests): (Vec<RowId>, Vec<ScoreRequest>) = rows.into_iter().map(request).unzip();
    let whole: Vec<(&Chat, &str)> = requests.iter().map(|request| (&request.chat, request.completion.as_str())).collect();
    let work = hash::value(&(identity(&args.model, engine.as_ref())?, &ids, &whole));
    let mut file = begin::<Scored>(&args.out, &work)?;
    let model = args.model.load(engine.as_ref())?;
    let started = Instant::now();
    let begun = file.known.min(ids.len());
    let mut tokens = 0;
    for (ids, requests) in ids[begun..].chunks(SCORED_AT_ONCE).zip(requests[begun..].chunks(SCORED_AT_ONCE)) {
        interrupt::check()?;
        for (id, score) in ids.iter().zip(model.score(requests)?) {
            tokens += score.tokens.len();
            file.growing.push(&Scored { id: id.clone(), tokens: score.tokens, logprobs: score.logprobs })?;
        }
        file.growing.flush()?;
    }
    file.growing.finish()?;
    say_speed(ids.len() - begun, tokens, started);
    Ok(())
}

/// What a model and the engine are, as far as samples and scores depend on them.
fn identity(model: &ModelArgs, engine: &dyn Engine) -> Result<String> {
    let facts = engine.facts();
    let tuned = model.adapter.as_deref().map(hash::folder).transpose()?;
    Ok(hash::value(&(facts.name, facts.numerics, engine.identify(&model.model)?.hash, tuned)))
}

/// An output under way.
struct Begun {
    growing: Growing,
    /// How many rows an interrupted attempt has written.
    known: usize,
}

fn begin<T: DeserializeOwned>(out: &Path, work: &str) -> Result<Begun> {
    let (growing, rows, lost) = Growing::open::<T>(out, work)?;
    if let Some(lost) = lost {
        output::say(&format!("warning: {lost}"));
    }
    if !rows.is_empty() {
        output::say(&format!("going on after {} rows of an interrupted attempt", rows.len()));
    }
    Ok(Begun { growing, known: rows.len() })
}

fn say_speed(rows: usize, tokens: usize, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    output::say(&format!("{rows} rows, {tokens} tokens, {seconds:.1} s, {:.0} tokens/s", tokens as f64 / seconds.max(1e-9)));
}
