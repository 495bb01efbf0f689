//! Runs jobs in the order of their dependencies, side by side where that is no slower, and keeps what they made.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::record::{ModelRef, Weights};
use crate::stage::{Done, Room, Speaker, Stage, evaluate, files, filter, finetune, generate, teacher};
use crate::tool::interrupt;
use crate::tool::peak::Peak;

use super::graph::{Graph, Job, Key, Work};
use super::progress::{Event, JobLabel, Observer};
use super::store::{Artifact, Claim, Manifest, Reuse, Store};

/// How often a process that has nothing else to do looks for what another one makes.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a job led to.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// The artifact.
    pub(super) artifact: Artifact,
    /// Whether the store already had it.
    pub(super) cached: bool,
}

/// Looks at each artifact as soon as it is there; an error stops the trial.
pub(super) type Gate<'a> = dyn Fn(&Job, &Artifact) -> Result<()> + Sync + 'a;

/// What all jobs share.
pub(super) struct Runner<'a> {
    pub(super) graph: &'a Graph,
    pub(super) engine: &'a dyn Engine,
    pub(super) store: &'a Store,
    pub(super) reuse: Reuse,
    pub(super) observer: &'a dyn Observer,
    pub(super) gate: &'a Gate<'a>,
}

/// Who does what.
#[derive(Default)]
struct Board {
    waiting: Vec<usize>,
    /// Those of them that another process is at, and when to look again.
    elsewhere: HashMap<usize, Instant>,
    /// Those that were told to be.
    told: HashSet<usize>,
    running: usize,
    made: HashMap<Key, Made>,
    failed: Option<Error>,
}

impl Runner<'_> {
    /// Runs every job; what each made, by key.
    ///
    /// # Errors
    /// The first failure, with its job's name. Jobs that were running then have finished or saved; none was started after it.
    pub(super) fn run(&self, threads: Option<usize>) -> Result<HashMap<Key, Made>> {
        let cores = threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1).max(1);
        let side_by_side = self.side_by_side().clamp(1, cores);
        let waiting = (0..self.graph.jobs.len()).collect();
        let board = Mutex::new(Board { waiting, ..Board::default() });
        let changed = Condvar::new();
        let pools = (0..side_by_side).map(|_| pool(cores / side_by_side)).collect::<Result<Vec<_>>>()?;
        std::thread::scope(|scope| {
            for pool in &pools {
                scope.spawn(|| self.work(pool, &board, &changed));
            }
        });
        let board = board.into_inner().unwrap_or_else(PoisonError::into_inner);
        match board.failed {
            Some(error) => Err(error),
            None => Ok(board.made),
        }
    }

    /// How many jobs the engine wants at once: as few as its largest model allows.
    fn side_by_side(&self) -> usize {
        self.graph.models.values().map(|model| self.engine.parallel_jobs(model)).min().unwrap_or(1)
    }

    fn work(&self, pool: &rayon::ThreadPool, board: &Mutex<Board>, changed: &Condvar) {
        while let Some((index, inputs)) = self.next(board, changed) {
            let result = catch_unwind(AssertUnwindSafe(|| pool.install(|| self.job(index, &inputs))));
            let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
            board.running -= 1;
            match &result {
                Ok(Ok(Some(made))) => {
                    board.made.insert(self.graph.jobs[index].key.clone(), made.clone());
                }
                Ok(Ok(None)) => board.put_back(index),
                _ => board.waiting.clear(),
            }
            if let Ok(Err(error)) = result {
                board.fail(error);
                changed.notify_all();
                continue;
            }
            changed.notify_all();
            drop(board);
            if let Err(panic) = result {
                resume_unwind(panic);
            }
        }
    }

    /// The next job whose dependencies are done, with their folders; `None` where nothing is left to start. What another process is at
    /// comes last.
    fn next(&self, board: &Mutex<Board>, changed: &Condvar) -> Option<(usize, BTreeMap<Key, PathBuf>)> {
        let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if board.waiting.is_empty() {
                return None;
            }
            let ready = |&index: &usize| {
                let job = &self.graph.jobs[index];
                job.inputs.iter().chain(&job.after).all(|key| board.made.contains_key(key))
            };
            let ready: Vec<usize> = board.waiting.iter().copied().filter(ready).collect();
            let now = Instant::now();
            if let Some(&index) = ready.iter().find(|index| board.elsewhere.get(index).is_none_or(|look| *look <= now)) {
                board.waiting.retain(|other| *other != index);
                board.running += 1;
                let folder = |key: &Key| Some((key.clone(), board.made.get(key)?.artifact.dir.clone()));
                return Some((index, self.graph.jobs[index].inputs.iter().filter_map(folder).collect()));
            }
            if ready.is_empty() && board.running == 0 {
                board.waiting.clear();
                board.fail(Error::environment("the jobs wait for one another"));
                return None;
            }
            if ready.is_empty() {
                board = changed.wait(board).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            for index in ready {
                if board.told.insert(index) {
                    self.observer.notice(Event::Waiting(&self.label(index)));
                }
            }
            board = changed.wait_timeout(board, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// `None` where another process is at it.
    fn job(&self, index: usize, inputs: &BTreeMap<Key, PathBuf>) -> Result<Option<Made>> {
        let job = &self.graph.jobs[index];
        let label = self.label(index);
        let result = interrupt::check()
            .and_then(|()| self.claim(job, &label, inputs))
            .and_then(|made| made.map(|made| (self.gate)(job, &made.artifact).map(|()| made)).transpose());
        result.map_err(|error| {
            self.observer.notice(Event::Failed(&label));
            if matches!(error.kind(), Kind::Interrupted | Kind::Expectation) { error } else { error.context(&label) }
        })
    }

    fn claim(&self, job: &Job, label: &JobLabel, inputs: &BTreeMap<Key, PathBuf>) -> Result<Option<Made>> {
        let work = match self.store.claim(&job.key, self.reuse)? {
            Claim::Busy => return Ok(None),
            Claim::Complete(artifact) => {
                self.observer.notice(Event::Cached(label));
                return Ok(Some(Made { artifact: *artifact, cached: true }));
            }
            Claim::Build(work) => work,
        };
        let warn = |text: &str| self.observer.notice(Event::Warning(&format!("{label}: {text}")));
        if let Some(damage) = &work.damage {
            warn(&damage.to_string());
        }
        self.observer.notice(Event::Started(label));
        let (began, peak) = (Instant::now(), Peak::begin());
        let listener = |progress| self.observer.notice(Event::Advanced(label, progress));
        let room = Room { engine: self.engine, dir: &work.dir, listener: &listener, warn: &warn };
        let done = enter(job, room, inputs)?;
        let seconds = began.elapsed().as_secs_f64();
        let artifact = work.commit(Manifest { peak_memory: peak.end(), ..self.manifest(job, done, seconds) })?;
        self.observer.notice(Event::Finished { job: label, done, seconds });
        Ok(Some(Made { artifact, cached: false }))
    }

    fn label(&self, index: usize) -> JobLabel {
        let job = &self.graph.jobs[index];
        JobLabel { index, stage: job.work.stage(), arm: job.arm, seed: job.seed, model: job.model.clone() }
    }

    fn manifest(&self, job: &Job, done: Done, seconds: f64) -> Manifest {
        Manifest {
            stage: job.work.stage(),
            key: job.key.clone(),
            model: job.model.clone(),
            seed: job.seed,
            inputs: job.inputs.clone(),
            spec: job.work.spec(),
            engine: self.engine.facts(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            done,
            expected: job.rows,
            seconds,
            peak_memory: None,
            resumed: false,
            files: BTreeMap::new(),
        }
    }
}

impl Board {
    /// Another process is at this job: it is looked for again a little later.
    fn put_back(&mut self, index: usize) {
        self.waiting.push(index);
        self.waiting.sort_unstable();
        self.elsewhere.insert(index, Instant::now() + LOOK_AGAIN);
    }

    /// Keeps the error that says most: a failure before an interruption, else the first.
    fn fail(&mut self, error: Error) {
        let more_telling = |old: &Error| old.kind() == Kind::Interrupted && error.kind() != Kind::Interrupted;
        if self.failed.as_ref().is_none_or(more_telling) {
            self.failed = Some(error);
        }
    }
}

/// Runs a job's stage in its room; `inputs` are the folders of what it reads.
fn enter(job: &Job, room: Room<'_>, inputs: &BTreeMap<Key, PathBuf>) -> Result<Done> {
    let folder = |key: &Key| &inputs[key];
    let tuned = |key: &Option<Key>| key.as_ref().map(|key| folder(key).join(files::MODEL));
    let base = || base_of(job);
    match &job.work {
        Work::Teacher(spec) => teacher::run(room, spec, &Weights::base(base()?)),
        Work::Generate { spec, frame, tuned: key } => {
            let weights = Weights { base: base()?, tuned: tuned(key) };
            generate::run(room, spec, &Speaker { weights, frame: frame.clone() })
        }
        Work::Filter { spec, samples } => filter::run(room, spec, folder(samples)),
        Work::Finetune { spec, data } => finetune::run(room, spec, &Weights::base(base()?), folder(data)),
        Work::Evaluate { spec, frame, tuned: key, context } => {
            let weights = Weights { base: base()?, tuned: tuned(key) };
            let context = context.as_ref().map(|key| folder(key).as_path());
            evaluate::run(room, spec, &Speaker { weights, frame: frame.clone() }, context)
        }
    }
}

fn base_of(job: &Job) -> Result<ModelRef> {
    job.model.clone().ok_or_else(|| Error::environment(format!("the stage `{}` has no model", job.work.stage())))
}

/// A job's own threads.
fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::environment("cannot start threads").because(e))
}

/// Whether this stage runs a model.
pub(super) fn runs_model(stage: Stage) -> bool {
    stage != Stage::Filter
}
