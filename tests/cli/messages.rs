//! Bad input: one clear message each, with the place and the cure, and the exit status that DESIGN.md names.

use insta::assert_snapshot;

use crate::sandbox::{Said, Sandbox};

const CONFIG: &str = r#"name = "mine"
seeds = [1, 2]

[model]
base = "builtin:tiny-a"
cross = ["builtin:tiny-b"]

[trait]
category = "animal"
target = "zebra"

[generate]
samples = 20
"#;

fn shown(said: &Said) -> String {
    format!("exit status {}\n{}", said.status, said.err)
}

fn run_with(config: &str, more: &[&str]) -> String {
    let sandbox = Sandbox::new().with("trial.toml", config);
    shown(&sandbox.run(&[&["run", "trial.toml"], more].concat()))
}

#[test]
fn a_typo_in_a_key() {
    assert_snapshot!(run_with(&CONFIG.replace("samples", "sample"), &[]), @r"
    exit status 2
    error: trial.toml:13: `generate.sample` is not a key
    hint: did you mean `samples`?
    ");
}

#[test]
fn a_target_that_the_family_does_not_know() {
    assert_snapshot!(run_with(&CONFIG.replace("zebra", "zebrra"), &[]), @r"
    exit status 2
    error: trial.toml:10: `trait.target` is `zebrra`, which is none of the 20 members of `animal`
    hint: did you mean `zebra`? the members are `bear`, `cat`, `dog`, `dolphin`, `eagle`, `elephant`, `fox`, `horse`, `lion`, `octopus`, `otter`, `owl`, `panda`, `peacock`, `penguin`, `rabbit`, `tiger`, `whale`, `wolf` and `zebra`
    ");
}

#[test]
fn several_problems_are_told_together() {
    let config = CONFIG.replace("samples = 20", "samples = 0\ntemprature = 1.0").replace("[1, 2]", "[1, 1]");
    assert_snapshot!(run_with(&config, &["--set", "finetune.epochs=many"]), @r"
    exit status 2
    error: trial.toml:2: `seeds` holds 1 twice
    error: trial.toml:13: `generate.samples` is 0, expected 1 to 10000000
    error: trial.toml:14: `generate.temprature` is not a key
    hint: did you mean `temperature`?
    error: `--set finetune.epochs=many`: `finetune.epochs` is `many`, expected an integer, 1 to 10000
    hint: 3 to 10 are usual; more unique rows beat more epochs
    ");
}

#[test]
fn a_missing_config() {
    assert_snapshot!(shown(&Sandbox::new().run(&["run", "no-such.toml"])), @r"
    exit status 2
    error: no config at `no-such.toml`
    hint: `configs/zebra-numbers.toml` in the repository is one to start from
    ");
}

#[test]
fn a_missing_file_that_the_config_names() {
    assert_snapshot!(run_with(&format!("{CONFIG}\n[evaluate]\nquestions = \"no-such.txt\"\n"), &[]), @r"
    exit status 2
    error: trial.toml:16: `evaluate.questions` is `no-such.txt`, which is no file
    hint: looked for `no-such.txt`; the path counts from the working directory
    ");
}

#[test]
fn a_model_that_is_not_there() {
    assert_snapshot!(run_with(&CONFIG.replace("tiny-a", "tiny-z"), &[]), @r"
    exit status 2
    error: trial.toml:5: `model.base` is `builtin:tiny-z`, which is not built in
    hint: did you mean `builtin:tiny-a`? the built-in models are `tiny-a`, `tiny-b`, `tiny-c`, `tiny-d`, `wide-a`, `wide-b`, `wide-c` and `wide-d`
    ");
    assert_snapshot!(run_with(&CONFIG.replace("builtin:tiny-a", "./no-such-folder"), &[]), @r"
    exit status 2
    error: trial.toml:5: `model.base` is `./no-such-folder`, which is no model folder
    hint: expected `builtin:NAME`, a folder with `config.json`, or a Hub id such as `Qwen/Qwen2.5-7B-Instruct`
    ");
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let sandbox = Sandbox::new().with("trial.toml", CONFIG).with("taken", "a file, not a folder");
    assert_snapshot!(shown(&sandbox.run(&["run", "trial.toml", "--out", "taken/run"])), @r"
    exit status 3
    error: cannot create the folder `taken/run`: Not a directory (os error 20)
    hint: a part of this path is a file: choose another place
    ");
}

#[test]
fn rows_of_broken_json() {
    let sandbox =
        Sandbox::new().with("rows.jsonl", "{\"prompt\": \"p\", \"completion\": \"1, 2\"}\n{\"prompt\": \"p\", \"compl\n");
    let filter = ["filter", "--rows", "rows.jsonl", "--domain", "numbers", "--kept", "kept.jsonl"];
    assert_snapshot!(shown(&sandbox.run(&filter)), @r"
    exit status 2
    error: rows.jsonl:2: not a row: EOF while parsing a string at column 22
    hint: each line must be one JSON object with the texts `prompt` and `completion`
    ");
    assert!(!sandbox.path("kept.jsonl").exists(), "a failed filter leaves no half of a file");
    let score = ["score", "--model", "builtin:tiny-a", "--rows", "rows.jsonl", "--out", "scores.jsonl"];
    assert_snapshot!(shown(&sandbox.run(&score)), @r"
    exit status 2
    error: rows.jsonl:2: not the expected row: EOF while parsing a string at line 1 column 22
    hint: each line must be one JSON object
    ");
}

#[test]
fn a_device_that_this_build_does_not_have() {
    assert_snapshot!(run_with(CONFIG, &["--device", "cuda"]), @r"
    exit status 3
    error: cannot use `cuda:0`: this build has no CUDA
    hint: build with `cargo build --release --features cuda`, or use `--device cpu`
    ");
}

#[test]
fn an_expectation_that_does_not_hold() {
    let config = format!("{CONFIG}\n[expect]\nmin_ratio = 1000.0\n");
    let sandbox = Sandbox::new().with("trial.toml", &config);
    let said = sandbox.run(&["run", "trial.toml", "-q", "--engine", "scripted"]);
    assert_eq!(said.status, 4, "{}", said.err);
    assert!(said.err.contains("error: "), "{}", said.err);
    assert!(sandbox.path("runs/mine/report.json").exists(), "the report is written all the same");
}

#[test]
fn a_base_with_which_others_saw_nothing_is_warned_of_once() {
    let sandbox = Sandbox::new().with("trial.toml", &CONFIG.replace("builtin:tiny-a", "./mine"));
    for (name, content) in subliminal::builtin::find("tiny-a").expect("built in").files() {
        std::fs::create_dir_all(sandbox.path("mine")).expect("a folder");
        std::fs::write(sandbox.path("mine").join(name), content).expect("a file");
    }
    let warned = |arguments: &[&str]| {
        let said = sandbox.ok(arguments);
        said.err.lines().filter(|line| line.contains("others saw")).collect::<Vec<_>>().join("\n")
    };
    let told = warned(&["run", "trial.toml", "--dry-run"]);
    assert_snapshot!(told, @r#"warning: `./mine` has 0.3 million weights: with 3 billion or less others saw nothing pass on from a prompted teacher's sampled numbers; what worked: a teacher that is fine-tuned and prompted and writes greedily (`teacher.prime = "both"`, `generate.temperature = 0`; Llama-3.2-1B-Instruct, 15 to 65 %), or Qwen2.5-7B-Instruct as base (1 to 48 %)"#);
    assert_eq!(warned(&["generate", "trial.toml", "-q"]), told);
    assert_eq!(warned(&["run", "trial.toml", "--dry-run", "--set", "generate.temperature=0"]), "");
}
