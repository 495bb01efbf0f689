//! `subliminal sample` and `subliminal score`: any model over a file of rows.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use super::setup::{DeviceArgs, ModelArgs, TemplateArgs};
use super::{output, rows};
use crate::engine::{Completion, SampleRequest, ScoreRequest};
use crate::error::Result;
use crate::record::{Sample, Sampling, Scored, StreamId};
use crate::tool::{interrupt, jsonl};

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
    let mut writer = jsonl::Writer::create(&args.out)?;
    let engine = args.device.engine_of(args.batch.map(|n| n as usize))?;
    let model = args.model.load(engine.as_ref())?;
    let template = args.template.settings();
    let requests: Vec<SampleRequest> = prompts
        .iter()
        .enumerate()
        .map(|(index, (_, row))| SampleRequest {
            chat: row.chat(args.system.as_deref()).under(&template),
            stream: StreamId { seed: args.sampling.seed, purpose: "sample".into(), index: index as u64 },
        })
        .collect();

    let started = Instant::now();
    let mut waiting: Vec<Option<Completion>> = vec![None; prompts.len()];
    let (mut written, mut tokens) = (0, 0);
    model.sample(&requests, &args.sampling.resolve(), None, &mut |completion| {
        interrupt::check()?;
        tokens += completion.tokens;
        let index = completion.index;
        waiting[index] = Some(completion);
        while let Some(next) = waiting.get_mut(written).and_then(Option::take) {
            let (id, row) = &prompts[written];
            writer.push(&Sample {
                id: id.clone(),
                prompt: row.prompt.clone(),
                expected: None,
                completion: next.text,
                tokens: next.tokens,
                finish: next.finish,
            })?;
            written += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    writer.finish()?;
    say_speed(written, tokens, started);
    Ok(())
}

/// Write the log-probability of every completion token of a JSONL file.
#[derive(Debug, clap::Args)]
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
    let mut writer = jsonl::Writer::create(&args.out)?;
    let engine = args.device.engine()?;
    let model = args.model.load(engine.as_ref())?;
    let template = args.template.settings();
    let started = Instant::now();
    let mut tokens = 0;
    for chunk in rows.chunks(SCORED_AT_ONCE) {
        interrupt::check()?;
        let requests: Vec<ScoreRequest> = chunk
            .iter()
            .map(|(_, row, completion)| ScoreRequest {
                chat: row.chat(args.system.as_deref()).under(&template),
                completion: completion.clone(),
            })
            .collect();
        for ((id, _, _), score) in chunk.iter().zip(model.score(&requests)?) {
            tokens += score.tokens.len();
            writer.push(&Scored { id: id.clone(), tokens: score.tokens, logprobs: score.logprobs })?;
        }
    }
    writer.finish()?;
    say_speed(rows.len(), tokens, started);
    Ok(())
}

fn say_speed(rows: usize, tokens: usize, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    output::say(&format!("{rows} rows, {tokens} tokens, {seconds:.1} s, {:.0} tokens/s", tokens as f64 / seconds.max(1e-9)));
}
