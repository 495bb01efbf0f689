//! Options that several commands share, and the engine they lead to.

use std::path::PathBuf;

use crate::engine::local::LocalEngine;
use crate::engine::mock::Mock;
use crate::engine::{Engine, Model};
use crate::error::{Error, Result};
use crate::record::{Category, Date, Device, Dtype, ModelRef, TemplateSettings, Weights};

/// Where the work runs.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DeviceArgs {
    /// auto, cpu, cuda, cuda:N or metal.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// The number format of frozen weights and activations: auto, f32 or bf16.
    #[arg(long, default_value = "auto")]
    pub dtype: Dtype,
    /// Threads on the processor [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
    /// Who speaks: `local` runs checkpoints, `scripted` is a stand-in for trying the pipeline in milliseconds.
    #[arg(long, default_value = "local", hide = true)]
    pub engine: EngineChoice,
}

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EngineChoice {
    /// Checkpoints, by candle.
    Local,
    /// The scripted stand-in.
    Scripted,
}

/// A model with what was learnt on top of it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ModelArgs {
    /// `builtin:NAME`, a folder in Hugging Face layout, or a Hub id.
    #[arg(long, value_name = "M")]
    pub model: ModelRef,
    /// A PEFT adapter, or the checkpoint of a fully fine-tuned student.
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
}

/// What the chat template is told beside the conversation; a trial's students are asked as they were trained with the config's
/// `model.date` and `model.template_options`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TemplateArgs {
    /// The day that the chat template sees as today.
    #[arg(long, value_name = "DAY", default_value_t = Date::USUAL)]
    date: Date,
    /// An option of the chat template, e.g. `enable_thinking=false`; may be given several times.
    #[arg(long = "template-option", value_name = "NAME=VALUE", value_parser = template_option)]
    options: Vec<(String, serde_json::Value)>,
}

/// `NAME=VALUE`: a number, `true`, `false`, a list or table in JSON, else a text.
fn template_option(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

impl TemplateArgs {
    /// As conversations take it.
    pub(crate) fn settings(&self) -> TemplateSettings {
        TemplateSettings { date: self.date, options: self.options.iter().cloned().collect() }
    }
}

impl DeviceArgs {
    /// The number of threads asked for, else what the machine has.
    pub(crate) fn thread_count(&self) -> usize {
        self.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |n| n as usize)
    }

    /// Sets up threads and opens the engine.
    pub(crate) fn engine(&self) -> Result<Box<dyn Engine>> {
        let animals = || crate::traits::category("animal").ok_or_else(|| Error::input("the list of animals is not built in"));
        match self.engine {
            EngineChoice::Local => Ok(Box::new(self.local()?)),
            EngineChoice::Scripted => Ok(Box::new(Mock::new(animals()?))),
        }
    }

    /// [`DeviceArgs::engine`] that samples at most `rows` rows together.
    pub(crate) fn engine_of(&self, rows: Option<u32>) -> Result<Box<dyn Engine>> {
        match (self.engine, rows) {
            (EngineChoice::Local, Some(rows)) => Ok(Box::new(self.local()?.with_rows(rows as usize))),
            _ => self.engine(),
        }
    }

    /// [`DeviceArgs::engine_of`] for a trial about `category`.
    pub(crate) fn engine_for(&self, category: &Category, rows: Option<u32>) -> Result<Box<dyn Engine>> {
        match self.engine {
            EngineChoice::Local => self.engine_of(rows),
            EngineChoice::Scripted => Ok(Box::new(Mock::new(category.clone()))),
        }
    }

    fn local(&self) -> Result<LocalEngine> {
        let threads = self.thread_count();
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .use_current_thread() // so that work that it shares need not wake it again each time
            .build_global()
            .map_err(|e| Error::environment("cannot start the worker threads").because(e))?;
        LocalEngine::new(self.device, self.dtype, threads)
    }
}

impl ModelArgs {
    /// What to load.
    pub(crate) fn weights(&self) -> Weights {
        Weights { base: self.model.clone(), tuned: self.adapter.clone() }
    }

    /// Loads it.
    pub(crate) fn load(&self, engine: &dyn Engine) -> Result<Box<dyn Model>> {
        engine.load(&self.weights())
    }
}
