//! Shows a trial's progress on standard error: bars on a terminal; elsewhere, as in a log file, a line for each finished job, and every few
//! seconds one for each that takes longer.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::stage::{Progress, Stage};

use super::pace::Pace;
use super::progress::{Event, JobLabel, Observer};

/// The time between two lines on the progress of one job.
const APART: Duration = Duration::from_secs(10);

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Warnings only.
    Quiet,
    /// Bars on a terminal; elsewhere a line for each finished job, and now and then one for each under way.
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
    /// Without bars: the jobs under way, and when each was told of last.
    running: Mutex<HashMap<usize, (Pace, Instant)>>,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    jobs: ProgressBar,
    running: Mutex<HashMap<usize, (ProgressBar, Pace)>>,
}

impl Terminal {
    /// A renderer for this process's standard error.
    pub fn new(verbosity: Verbosity) -> Self {
        let wants_bars = verbosity > Verbosity::Quiet && std::io::stderr().is_terminal();
        Self { verbosity, bars: wants_bars.then(Bars::new), running: Mutex::default() }
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

/// What a job's units of work are.
fn unit(job: &JobLabel) -> &'static str {
    if matches!(job.stage, Stage::Teacher | Stage::Finetune) { "steps" } else { "rows" }
}

impl Terminal {
    /// A line on a job that takes long, where there are no bars.
    fn now_and_then(&self, job: &JobLabel, progress: Progress) {
        if self.bars.is_some() || self.verbosity < Verbosity::Normal {
            return;
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (pace, last) = running.entry(job.index).or_insert_with(|| (Pace::new(), Instant::now()));
        let told = pace.hear(progress);
        if last.elapsed() >= APART {
            *last = Instant::now();
            self.line(&format!("{job}: {} of {} {}, {}", told.done, told.total, unit(job), told.text()));
        }
    }

    fn forget(&self, job: &JobLabel) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.index);
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
                self.forget(job);
                let least = if self.bars.is_some() { Verbosity::Verbose } else { Verbosity::Normal };
                self.tell(least, &format!("{job}: {} rows in {seconds:.1} s{}", done.rows, rate(done.tokens, seconds)));
            }
            Event::Failed(job) => {
                self.forget(job);
                self.tell(Verbosity::Normal, &format!("{job}: stopped"));
            }
            Event::Advanced(job, progress) => self.now_and_then(job, progress),
            Event::Planned { .. } => {}
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
        let style = style(&format!("  {{prefix}} {{bar:24}} {{pos}}/{{len}} {}, {{msg}}", unit(job)));
        let bar = self
            .all
            .insert_before(&self.jobs, ProgressBar::new(0).with_style(style).with_prefix(format!("{:<44}", job.to_string())));
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(job.index, (bar, Pace::new()));
    }

    fn advance(&self, job: &JobLabel, progress: Progress) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((bar, pace)) = running.get_mut(&job.index) else { return };
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(pace.hear(progress).text());
    }

    fn close(&self, job: &JobLabel, counts: bool) {
        if let Some((bar, _)) = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.index) {
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
