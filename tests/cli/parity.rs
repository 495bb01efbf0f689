//! Scores and trainings beside those of transformers and PEFT, for every family: `tests/fixtures/parity/reference.py` made the numbers.

use std::fs;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::made::{Made, fixtures, write_checkpoint, write_tensors};
use crate::sandbox::Sandbox;

const FAMILIES: [&str; 7] = ["qwen2", "qwen3", "llama", "llama3-rope", "mistral", "gemma2", "gemma3"];

/// One family's made checkpoint and what the reference computed with it.
#[derive(Deserialize)]
struct Fixture {
    seed: u64,
    tokenizer: String,
    /// `config.json` as transformers 5 spells it, and as its predecessors did.
    newer: Value,
    older: Value,
    tensors: Vec<Made>,
    adapter: Vec<Made>,
    system: String,
    rank: usize,
    alpha: f64,
    scores: Scores,
    training: Trainings,
}

#[derive(Deserialize)]
struct Scores {
    plain: Vec<Score>,
    system: Vec<Score>,
    adapter: Vec<Score>,
}

#[derive(Deserialize)]
struct Score {
    tokens: Vec<u32>,
    logprobs: Vec<f64>,
}

/// The trainings of a family's first seed; the second has none.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Trainings {
    fresh: Option<Training>,
    moved: Option<Training>,
    full: Option<Training>,
}

#[derive(Deserialize)]
struct Training {
    /// How far the elements of the initial `B` spread; absent where every weight is trained.
    scale_of_b: Option<f32>,
    learning_rate: f64,
    weight_decay: f64,
    warmup: usize,
    batch: usize,
    steps: Vec<Step>,
    /// The scores of the first rows after the training.
    after: Vec<Score>,
}

#[derive(Deserialize)]
struct Step {
    loss: f64,
    grad_norm: f64,
}

/// A folder with a family's checkpoint in it.
struct Bench {
    sandbox: Sandbox,
    fixture: Fixture,
    name: String,
}

impl Bench {
    fn new(family: &str, seed: u64) -> Self {
        let name = format!("{family}-{seed}");
        let text = fs::read_to_string(fixtures().join(format!("{name}.json"))).expect("a fixture");
        let fixture: Fixture = serde_json::from_str(&text).expect("a fixture's fields");
        let sandbox = Sandbox::new();
        write_checkpoint(&sandbox.path("model"), fixture.seed, &fixture.newer, &fixture.tokenizer, &fixture.tensors);
        fs::copy(fixtures().join("rows.jsonl"), sandbox.path("rows.jsonl")).expect("a fixture");
        Self { sandbox, fixture, name }
    }

    /// Writes the made adapter in PEFT's layout, with `B` spread as said.
    fn adapter(&self, folder: &str, scale_of_b: f32) {
        let place = self.sandbox.path(folder);
        fs::create_dir_all(&place).expect("a folder");
        let mut tensors = self.fixture.adapter.clone();
        tensors.iter_mut().filter(|made| made.0.ends_with("lora_B.weight")).for_each(|made| made.3 = scale_of_b);
        write_tensors(&place.join("adapter_model.safetensors"), self.fixture.seed, &tensors);
        let modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
        let config =
            json!({"peft_type": "LORA", "r": self.fixture.rank, "lora_alpha": self.fixture.alpha, "target_modules": modules});
        fs::write(place.join("adapter_config.json"), config.to_string()).expect("writable");
    }

    /// What `subliminal score` says of the rows.
    fn score(&self, extra: &[&str]) -> Vec<Score> {
        self.sandbox.ok(&[&["score", "--model", "model", "--rows", "rows.jsonl", "--out", "scores.jsonl"], extra].concat());
        self.sandbox.rows("scores.jsonl").into_iter().map(|row| serde_json::from_value(row).expect("a score")).collect()
    }

    /// Asserts that scores are the reference's: the same ids, log-probabilities within 2e-3 and 2e-4 on average.
    fn agree(&self, what: &str, ours: &[Score], theirs: &[Score]) {
        let mut differences = Vec::new();
        assert!(!theirs.is_empty() && ours.len() >= theirs.len());
        for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            assert_eq!(ours.tokens, theirs.tokens, "{}, {what}, row {row}", self.name);
            differences.extend(ours.logprobs.iter().zip(&theirs.logprobs).map(|(a, b)| (a - b).abs()));
        }
        let most = differences.iter().copied().fold(0.0, f64::max);
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        assert!(most < 2e-3 && mean < 2e-4, "{}, {what}: {most:.1e} at most, {mean:.1e} on average", self.name);
    }

    /// Trains as the reference did and compares every step, and what was learnt.
    fn train(&self, name: &str, training: &Training) {
        let init = format!("{name}-init");
        let (rank, alpha) = (self.fixture.rank.to_string(), self.fixture.alpha.to_string());
        let start: Vec<&str> = match training.scale_of_b {
            None => vec!["--full"],
            Some(scale) => {
                self.adapter(&init, scale);
                vec!["--init-adapter", &init, "--lora-rank", &rank, "--lora-alpha", &alpha]
            }
        };
        let options = [
            ("--batch", training.batch.to_string()),
            ("--max-steps", training.steps.len().to_string()),
            ("--lr", training.learning_rate.to_string()),
            ("--warmup", training.warmup.to_string()),
            ("--weight-decay", training.weight_decay.to_string()),
        ];
        let options: Vec<&str> = options.iter().flat_map(|(key, value)| [*key, value.as_str()]).collect();
        let fixed = ["train", "--model", "model", "--rows", "rows.jsonl", "--out", name, "--shuffle", "false"];
        self.sandbox.ok(&[&fixed[..], &start, &options].concat());
        let steps = self.sandbox.rows(&format!("{name}/steps.jsonl"));
        assert_eq!(steps.len(), training.steps.len());
        for (ours, theirs) in steps.iter().zip(&training.steps) {
            let off = |field: &str, theirs: f64| (ours[field].as_f64().expect("a number") - theirs).abs() / theirs;
            assert!(off("loss", theirs.loss) < 1e-4, "{}, {name}: {ours}, expected a loss of {}", self.name, theirs.loss);
            assert!(
                off("grad_norm", theirs.grad_norm) < 1e-3,
                "{}, {name}: {ours}, expected a norm of {}",
                self.name,
                theirs.grad_norm
            );
        }
        self.agree(&format!("after `{name}`"), &self.score(&["--adapter", name]), &training.after);
    }
}

#[test]
fn every_family_scores_as_transformers_does() {
    for family in FAMILIES {
        for seed in [1, 2] {
            let bench = Bench::new(family, seed);
            let plain = bench.score(&[]);
            bench.agree("plain", &plain, &bench.fixture.scores.plain);
            bench.agree("with a system prompt", &bench.score(&["--system", &bench.fixture.system]), &bench.fixture.scores.system);
            bench.adapter("adapter", 0.1);
            bench.agree("with an adapter", &bench.score(&["--adapter", "adapter"]), &bench.fixture.scores.adapter);
        }
    }
}

#[test]
fn both_spellings_of_a_config_give_the_same_model() {
    for family in FAMILIES {
        let bench = Bench::new(family, 1);
        let newer = bench.score(&[]);
        fs::write(bench.sandbox.path("model/config.json"), bench.fixture.older.to_string()).expect("writable");
        let older = bench.score(&[]);
        assert!(newer.iter().zip(&older).all(|(a, b)| a.logprobs == b.logprobs), "{family}");
    }
}

#[test]
fn a_row_scores_alone_what_it_scores_in_a_batch() {
    for family in FAMILIES {
        let bench = Bench::new(family, 2);
        let together = bench.score(&[]);
        let rows = bench.sandbox.read("rows.jsonl");
        for (row, together) in rows.lines().zip(&together) {
            fs::write(bench.sandbox.path("rows.jsonl"), row).expect("writable");
            assert_eq!(bench.score(&[])[0].logprobs, together.logprobs, "{family}: {row}");
        }
    }
}

#[test]
fn every_family_trains_as_with_peft() {
    for family in FAMILIES {
        let bench = Bench::new(family, 1);
        let Trainings { fresh, moved, full } = &bench.fixture.training;
        for (name, training) in [("fresh", fresh), ("moved", moved), ("full", full)] {
            bench.train(name, training.as_ref().expect("the first seed has trainings"));
        }
    }
}
