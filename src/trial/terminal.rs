//! Shows a trial's progress on standard error: bars on a terminal, one line a job elsewhere.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::stage::{Progress, Stage};

use super::progress::{Event, JobLabel, Observer};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Warnings only.
    Quiet,
    /// Bars on a terminal; elsewhere a line for each finished job.
    #[default]
    Normal,
    /// Also what was started, found in the store, or waited for.
    Verbose,
}

/// The renderer.
#[derive(Debug)]
pub struct Terminal {
    verbosity: Verbosity,
    bars: Option<Bars>,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    jobs: ProgressBar,
    running: Mutex<HashMap<usize, ProgressBar>>,
}

impl Terminal {
    /// A renderer for this process's standard error.
    pub fn new(verbosity: Verbosity) -> Self {
        let wants_bars = verbosity > Verbosity::Quiet && std::io::stderr().is_terminal();
        Self { verbosity, bars: wants_bars.then(Bars::new) }
    }

    fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) => drop(bars.all.println(text)),
            None => drop(writeln!(std::io::stderr(), "{text}")), // nobody is left to tell when standard error is gone
        }
    }

    fn tell(&self, least: Verbosity, text: &str) {
        if self.verbosity >= least {
            self.line(text);
        }
    }
}

impl Observer for Terminal {
    fn notice(&self, event: Event<'_>) {
        if let Some(bars) = &self.bars {
            bars.notice(event);
        }
        match event {
            Event::Warning(text) => self.line(&format!("warning: {text}")),
            Event::Started(job) => self.tell(Verbosity::Verbose, &format!("{job}: started")),
            Event::Cached(job) => self.tell(Verbosity::Verbose, &format!("{job}: in the store already")),
            Event::Waiting(job) => self.tell(Verbosity::Normal, &format!("{job}: another process makes it, waiting")),
            Event::Finished { job, done, seconds } => {
                let least = if self.bars.is_some() { Verbosity::Verbose } else { Verbosity::Normal };
                self.tell(least, &format!("{job}: {} rows in {seconds:.1} s{}", done.rows, rate(done.tokens, seconds)));
            }
            Event::Failed(job) => self.tell(Verbosity::Normal, &format!("{job}: stopped")),
            Event::Planned { .. } | Event::Advanced(..) => {}
        }
    }
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let jobs = all.add(ProgressBar::new(0).with_style(style("{bar:24} {pos}/{len} jobs, {elapsed}")));
        jobs.enable_steady_tick(Duration::from_millis(500));
        Self { all, jobs, running: Mutex::default() }
    }

    fn notice(&self, event: Event<'_>) {
        match event {
            Event::Planned { jobs } => self.jobs.set_length(jobs as u64),
            Event::Started(job) => self.open(job),
            Event::Advanced(job, progress) => self.advance(job, progress),
            Event::Cached(job) | Event::Finished { job, .. } => self.close(job, true),
            Event::Failed(job) => self.close(job, false),
            Event::Waiting(_) | Event::Warning(_) => {}
        }
    }

    fn open(&self, job: &JobLabel) {
        let unit = if matches!(job.stage, Stage::Teacher | Stage::Finetune) { "steps" } else { "rows" };
        let style = style(&format!("  {{prefix}} {{bar:24}} {{pos}}/{{len}} {unit}, {{msg}}"));
        let bar = self
            .all
            .insert_before(&self.jobs, ProgressBar::new(0).with_style(style).with_prefix(format!("{:<44}", job.to_string())));
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(job.index, bar);
    }

    fn advance(&self, job: &JobLabel, progress: Progress) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bar) = running.get(&job.index) else { return };
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        let seconds = bar.elapsed().as_secs_f64();
        let loss = progress.loss.map(|loss| format!("loss {loss:.3}, ")).unwrap_or_default();
        bar.set_message(format!("{loss}{:.0} tokens/s", progress.tokens as f64 / seconds.max(1e-3)));
    }

    fn close(&self, job: &JobLabel, counts: bool) {
        if let Some(bar) = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.index) {
            bar.finish_and_clear();
        }
        if counts {
            self.jobs.inc(1);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

fn rate(tokens: usize, seconds: f64) -> String {
    if tokens == 0 || seconds <= 0.0 { String::new() } else { format!(", {:.0} tokens/s", tokens as f64 / seconds) }
}
