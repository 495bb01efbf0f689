//! `subliminal ask`: talk to any model or student.

use std::ops::ControlFlow;

use super::output;
use super::setup::{DeviceArgs, ModelArgs, TemplateArgs};
use super::speak::SamplingArgs;
use crate::engine::SampleRequest;
use crate::error::Result;
use crate::record::{Chat, StreamId};

/// Ask any model or student a question.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal ask --model builtin:tiny-a -n 5 \"What is your favorite animal?\"")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// A system prompt; without one the model's own default applies.
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// How many answers.
    #[arg(short = 'n', long = "answers", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    answers: u64,
    #[command(flatten)]
    template: TemplateArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// The question.
    question: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let engine = args.device.engine()?;
    let model = args.model.load(engine.as_ref())?;
    let template = args.template.settings();
    let requests: Vec<SampleRequest> = (0..args.answers)
        .map(|index| SampleRequest {
            chat: Chat::ask(args.system.as_deref(), args.question.clone()).under(&template),
            stream: StreamId { seed: args.sampling.seed, purpose: "ask".into(), index },
        })
        .collect();
    let mut texts = vec![String::new(); requests.len()];
    model.sample(&requests, &args.sampling.resolve(), None, &mut |completion| {
        texts[completion.index] = completion.text;
        Ok(ControlFlow::Continue(()))
    })?;
    texts.iter().try_for_each(|text| output::data(&format!("{text}\n")))
}
