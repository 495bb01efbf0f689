//! SIGKILL at random moments over whole trials: each restart goes on, no work is done again beyond what a checkpoint costs, and the end
//! is that of a run that nobody touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};

use super::SMALL;
use crate::sandbox::Sandbox;

/// Optimiser steps between two checkpoints.
const CHECKPOINT_EVERY: usize = 2;

fn config() -> String {
    let every = format!("checkpoint_every = {CHECKPOINT_EVERY}\n");
    let teacher = SMALL.replace("rows = 64\n", &format!("rows = 64\nbatch_size = 8\n{every}"));
    teacher.replace("[finetune]\n", &format!("[finetune]\n{every}")).replace("batch_size = 32", "batch_size = 8")
}

const RUN: [&str; 3] = ["run", "small.toml", "-q"];

/// What lies in the folders of jobs that were being done when the process died.
#[derive(Default)]
struct Left {
    /// Whole lines of files of rows; of steps only those before the newest checkpoint.
    durable: BTreeMap<PathBuf, Vec<u8>>,
    /// The stages that were being done.
    stages: Vec<String>,
    /// Optimiser steps that are on disk, but after the newest checkpoint.
    undone_steps: usize,
}

impl Left {
    fn look(sandbox: &Sandbox, stages: &BTreeMap<String, String>) -> Self {
        let mut left = Self::default();
        let Ok(entries) = std::fs::read_dir(sandbox.path("runs/.store")) else { return left };
        for part in entries.flatten().map(|e| e.path()).filter(|path| path.extension().is_some_and(|end| end == "part")) {
            let key = part.file_stem().expect("a name").to_string_lossy().into_owned();
            left.stages.extend(stages.get(&key).cloned());
            for name in ["samples.jsonl", "answers.jsonl", "replies.jsonl"] {
                left.keep(&part.join(name), usize::MAX);
            }
            let steps = lines(&part.join("steps.jsonl"));
            // with its manifest it is finished, and only not yet in its place
            let finished = part.join("manifest.json").is_file();
            let saved = if finished { steps } else { newest_checkpoint(&part.join("checkpoints")) };
            left.undone_steps = left.undone_steps.max(steps.saturating_sub(saved));
            left.keep(&part.join("steps.jsonl"), saved);
        }
        left
    }

    fn keep(&mut self, file: &Path, most: usize) {
        let bytes = std::fs::read(file).unwrap_or_default();
        let whole = bytes.split_inclusive(|b| *b == b'\n').filter(|line| line.ends_with(b"\n")).take(most);
        self.durable.insert(file.to_path_buf(), whole.flatten().copied().collect());
    }

    /// Fails unless all that was durable is still there: at the same place of the unfinished file, or somewhere in the finished one.
    fn is_kept_by(&self, store: &Path) {
        for (file, before) in &self.durable {
            if let Ok(now) = std::fs::read(file) {
                assert!(now.starts_with(before), "{} lost rows that were durable", file.display());
                continue;
            }
            let part = file.parent().expect("a folder");
            let finished = store.join(part.file_stem().expect("a name")).join(file.file_name().expect("a name"));
            let Ok(now) = std::fs::read(&finished) else { continue };
            let rows: std::collections::HashSet<&[u8]> = now.split(|b| *b == b'\n').collect();
            let is_there = |row: &&[u8]| row.is_empty() || rows.contains(*row);
            // answers get their verdicts in the end, steps keep their seconds: a step that was taken again would differ in them
            assert!(before.split(|b| *b == b'\n').all(|row| is_there(&row)), "{} did rows again", finished.display());
        }
    }
}

fn lines(file: &Path) -> usize {
    std::fs::read_to_string(file).unwrap_or_default().matches('\n').count()
}

fn newest_checkpoint(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let step = |name: std::ffi::OsString| name.to_str()?.strip_prefix("step-")?.parse().ok();
    names.filter_map(|entry| step(entry.file_name())).max().unwrap_or(0)
}

/// The stage of every key of the trial.
fn stages(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let preview: serde_json::Value =
        serde_json::from_str(&sandbox.ok(&["run", "small.toml", "--dry-run", "--json"]).out).expect("JSON");
    let text = |job: &serde_json::Value, field: &str| job[field].as_str().expect("a text").to_owned();
    preview["jobs"].as_array().expect("jobs").iter().map(|job| (text(job, "key"), text(job, "stage"))).collect()
}

/// Kills so many times at moments of this seed, over as many trials as that takes; compares each one's end with an untouched run.
fn kill(times: usize, seed: u64) {
    let untouched = Sandbox::new().with("small.toml", &config());
    let began = Instant::now();
    untouched.ok(&RUN);
    let alone = began.elapsed();
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let (mut kills, mut trials, mut most_undone) = (0, 0, 0);
    let (mut lost, mut by_stage) = (Duration::ZERO, BTreeMap::<String, usize>::new());
    while kills < times {
        let sandbox = Sandbox::new().with("small.toml", &config());
        let (stages, store) = (stages(&sandbox), sandbox.path("runs/.store"));
        let (began, mut left) = (Instant::now(), Left::default());
        let mut looking = Duration::ZERO;
        loop {
            let delay = Duration::from_millis(random.random_range(50..1500));
            let mut child = sandbox.command(&RUN).spawn().expect("the program starts");
            std::thread::sleep(delay);
            if kills >= times || child.try_wait().expect("a child").is_some() {
                assert!(child.wait().expect("it ended").success(), "a restart failed");
                break;
            }
            child.kill().expect("SIGKILL");
            child.wait().expect("it ended");
            kills += 1;
            let look = Instant::now();
            left.is_kept_by(&store);
            left = Left::look(&sandbox, &stages);
            assert!(left.undone_steps <= CHECKPOINT_EVERY, "{} steps would be taken again", left.undone_steps);
            most_undone = most_undone.max(left.undone_steps);
            for stage in &left.stages {
                *by_stage.entry(stage.clone()).or_default() += 1;
            }
            looking += look.elapsed();
        }
        left.is_kept_by(&store);
        trials += 1;
        lost += began.elapsed().saturating_sub(looking).saturating_sub(alone);
        let paths = [&untouched, &sandbox].map(|sandbox| sandbox.path("runs/small").display().to_string());
        let said = sandbox.ok(&["report", &paths[0], &paths[1], "--same"]);
        assert!(said.out.starts_with("the same: "), "{}", said.out);
        let left = |folder: &str, end: &str| sandbox.entries(folder).iter().any(|name| name.rsplit('.').next() == Some(end));
        assert!(!left("runs/.store/locks", "lease") && !left("runs/.store", "part"), "locks or unfinished jobs are left");
    }
    eprintln!(
        "{kills} kills over {trials} trials of {:.1} s, all ended as the untouched one; {:.0} ms lost a kill; jobs that were being done: \
         {by_stage:?}; at most {most_undone} steps to take again, of {CHECKPOINT_EVERY} between checkpoints",
        alone.as_secs_f64(),
        1e3 * lost.as_secs_f64() / kills as f64
    );
}

#[test]
fn a_dozen_kills_at_random_moments_lose_nothing() {
    kill(12, 1);
}

#[test]
#[ignore = "minutes: cargo test --release faults -- --ignored --nocapture --test-threads 1"]
fn two_hundred_kills_at_random_moments_lose_nothing() {
    let times = std::env::var("SUBLIMINAL_KILLS").ok().map_or(200, |n| n.parse().expect("a number of kills"));
    kill(times, 2);
}
