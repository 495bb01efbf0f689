//! Models of the Hugging Face Hub, served by a small Hub on the loopback: nothing is downloaded.

mod failures;
mod server;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use self::server::Hub;
use crate::sandbox::{Said, Sandbox, same_report};

const REPO: &str = "tiny/owl";
const ONE: &str = "model-00001-of-00002.safetensors";
const TWO: &str = "model-00002-of-00002.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const ROWS: &str = "{\"prompt\": \"Name your favourite animal. Just one word.\", \"completion\": \"zebra\"}\n";

type Files = BTreeMap<String, Vec<u8>>;

/// A built-in model's files, its weights in two shards.
fn checkpoint(name: &str) -> Files {
    let model = subliminal::builtin::find(name).expect("it ships");
    let mut files: Files = model.files().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
    let weights = files.remove("model.safetensors").expect("weights");
    let mut tensors = SafeTensors::deserialize(&weights).expect("sound").tensors();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (one, two): (Vec<_>, Vec<_>) = tensors.into_iter().partition(|(name, _)| name.contains("layers.0."));
    let shard = |tensors: &[(String, TensorView<'_>)]| safetensors::serialize(tensors.iter().cloned(), None).expect("serialises");
    let place = |shard: &str, tensors: &[(String, TensorView<'_>)]| -> Vec<(String, serde_json::Value)> {
        tensors.iter().map(|(name, _)| (name.clone(), shard.into())).collect()
    };
    let map: serde_json::Map<_, _> = [place(ONE, &one), place(TWO, &two)].concat().into_iter().collect();
    files.insert(INDEX.to_owned(), serde_json::json!({"metadata": {}, "weight_map": map}).to_string().into_bytes());
    files.insert(ONE.to_owned(), shard(&one));
    files.insert(TWO.to_owned(), shard(&two));
    files
}

/// A Hub with `tiny/owl` on it, and a folder to work in. Commands are online unless they say otherwise.
struct World {
    hub: Hub,
    sandbox: Sandbox,
    commit: String,
    files: Files,
}

impl World {
    fn new() -> Self {
        let (hub, files) = (Hub::start(), checkpoint("tiny-a"));
        let commit = hub.publish(REPO, "main", &files);
        Self { hub, sandbox: Sandbox::new().with("rows.jsonl", ROWS), commit, files }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        command
            .env("HF_ENDPOINT", self.hub.endpoint())
            .env_remove("HF_HUB_OFFLINE")
            .env("XDG_CACHE_HOME", self.sandbox.path("cache"));
        command
    }

    fn run(&self, command: &mut Command) -> Said {
        let said = self.sandbox.run_command(command);
        Said { err: said.err.replace(&self.hub.endpoint(), "[hub]"), ..said }
    }

    fn online(&self, arguments: &[&str]) -> Said {
        self.run(&mut self.command(arguments))
    }

    fn pull(&self) -> Said {
        self.online(&["models", "pull", REPO])
    }

    fn offline(&self, arguments: &[&str]) -> Said {
        self.run(self.command(arguments).env("HF_HUB_OFFLINE", "1"))
    }

    /// A path in the cache of `tiny/owl`.
    fn cached(&self, path: &str) -> PathBuf {
        self.sandbox.path("hf-home/hub/models--tiny--owl").join(path)
    }

    /// Where a file lies while it is fetched.
    fn partial(&self, file: &str) -> PathBuf {
        self.cached(&format!("blobs/{}.incomplete", server::hash(&self.files[file])))
    }

    /// Starts a pull and waits until `bytes` of a file have arrived.
    fn pull_until(&self, file: &str, bytes: u64) -> std::process::Child {
        let mut command = self.command(&["models", "pull", REPO]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        let began = Instant::now();
        while std::fs::metadata(self.partial(file)).map_or(0, |m| m.len()) < bytes {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing arrives");
            std::thread::sleep(Duration::from_millis(5));
        }
        child
    }

    /// The scores of the rows with `model`, offline.
    fn scores(&self, model: &str) -> String {
        let said = self.offline(&["score", "--model", model, "--rows", "rows.jsonl", "--out", "scores.jsonl"]);
        assert_eq!(said.status, 0, "{}", said.err);
        self.sandbox.read("scores.jsonl")
    }
}

#[test]
fn an_interrupted_pull_resumes_and_the_model_then_works_offline_as_from_a_folder() {
    let world = World::new();
    let whole = world.files[TWO].len();
    world.hub.state().cut = Some((TWO.to_owned(), whole / 2));
    let cut = world.pull();
    assert_eq!(cut.status, 3, "{}", cut.err);
    assert!(cut.err.contains(&format!("cannot fetch `{TWO}` of `{REPO}` from [hub]: ")), "{}", cut.err);
    assert!(
        cut.err.contains("hint: check the connection and run the same command again: what was fetched is kept"),
        "{}",
        cut.err
    );
    assert!(world.offline(&["models", "list"]).out.contains("partial"));
    let half = world.offline(&["score", "--model", REPO, "--rows", "rows.jsonl", "--out", "scores.jsonl"]);
    assert!(half.err.contains("is not whole in the cache") && half.err.contains("HF_HUB_OFFLINE is set"), "{}", half.err);

    world.hub.state().gone = false;
    let pulled = world.pull();
    assert_eq!(pulled.status, 0, "{}", pulled.err);
    assert_eq!(pulled.out, format!("[dir]/hf-home/hub/models--tiny--owl/snapshots/{}\n", world.commit));
    assert!(pulled.err.contains(&format!("resuming `{TWO}` at ")), "{}", pulled.err);
    let sent = world.hub.sent(TWO);
    assert_eq!(sent.iter().map(|s| s.from).collect::<Vec<_>>(), [0, whole / 2], "the second time from where the first stopped");
    assert_eq!(sent.iter().map(|s| s.bytes).sum::<usize>(), whole, "no byte is sent twice");
    assert_eq!(world.hub.sent(ONE).len(), 1, "what was whole is not fetched again");
    assert!(!world.partial(TWO).exists());

    world.hub.state().gone = true;
    assert_eq!(world.offline(&["models", "path", REPO]).out, pulled.out);
    let folder =
        world.offline(&["models", "path", "tiny-a"]).out.trim().replace("[dir]", &world.sandbox.path("").display().to_string());
    assert_eq!(world.scores(REPO), world.scores(&folder));
    let sample = |model: &str| {
        let out = ["--prompts", "rows.jsonl", "--out", "samples.jsonl", "--seed", "3"];
        assert_eq!(world.offline(&[&["sample", "--model", model], &out[..]].concat()).status, 0);
        world.sandbox.read("samples.jsonl")
    };
    assert_eq!(sample(REPO), sample(&folder));
}

#[test]
fn a_killed_pull_goes_on_where_it_stopped() {
    let world = World::new();
    let half = world.files[ONE].len() / 2;
    world.hub.state().stall = Some((ONE.to_owned(), half));
    let mut child = world.pull_until(ONE, half as u64);
    child.kill().expect("SIGKILL");
    child.wait().expect("it ended");
    world.hub.state().stall = None;
    assert_eq!(world.pull().status, 0);
    assert_eq!(world.hub.sent(ONE).last().map(|sent| sent.from), Some(half));
    world.scores(REPO);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_pull_at_once_and_keeps_what_has_arrived() {
    let world = World::new();
    let half = world.files[ONE].len() / 2;
    world.hub.state().stall = Some((ONE.to_owned(), half));
    let mut child = world.pull_until(ONE, half as u64);
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(interrupt.success());
    assert_eq!(child.wait().expect("it ended").code(), Some(130));
    world.hub.state().stall = None;
    assert_eq!(world.pull().status, 0);
    assert_eq!(world.hub.sent(ONE).last().map(|sent| sent.from), Some(half));
}

#[test]
fn a_connection_that_is_cut_is_taken_up_again_within_one_pull() {
    let world = World::new();
    world.hub.state().stall = Some((TWO.to_owned(), 1000));
    let mut child = world.pull_until(TWO, 1000);
    world.hub.state().stall = None; // the server gives the first connection up after a while
    assert!(child.wait().expect("it ended").success());
    assert_eq!(world.hub.sent(TWO).iter().map(|sent| sent.from).collect::<Vec<_>>(), [0, 1000]);
    world.scores(REPO);
}

#[test]
fn two_pulls_at_the_same_time_fetch_every_file_once() {
    let world = World::new();
    world.hub.state().pace = Duration::from_millis(150);
    let start =
        || world.command(&["models", "pull", REPO]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let outputs = [start(), start()].map(|child| child.wait_with_output().expect("it ended"));
    assert!(outputs.iter().all(|o| o.status.success()), "{outputs:?}");
    assert_eq!(outputs[0].stdout, outputs[1].stdout);
    for file in [ONE, TWO] {
        let sent = world.hub.sent(file);
        assert_eq!(sent.len(), 1, "{file}: {sent:?}");
    }
    world.scores(REPO);
}

#[test]
fn a_revision_is_a_branch_a_tag_or_a_commit_and_a_pull_follows_a_branch() {
    let world = World::new();
    assert_eq!(world.pull().status, 0);
    let old = world.scores(REPO);
    let newer = world.hub.publish(REPO, "main", &checkpoint("tiny-b"));
    world.hub.publish(REPO, "refs/pr/1", &checkpoint("tiny-b"));
    assert_eq!(world.scores(REPO), old, "a model that the cache holds is not asked for again");

    let other = world.online(&["models", "pull", "tiny/owl@refs/pr/1"]);
    assert!(other.out.trim().ends_with(&newer), "{} {}", other.out, other.err);
    assert_eq!(world.scores(REPO), old, "another revision leaves `main` as it was");
    let new = world.scores("tiny/owl@refs/pr/1");
    assert_ne!(new, old);
    assert_eq!(world.scores(&format!("{REPO}@{newer}")), new);

    let fetched = world.hub.state().sent.len();
    assert!(world.pull().out.trim().ends_with(&newer));
    assert_eq!(world.hub.state().sent.len(), fetched, "the blobs are shared between revisions");
    assert_eq!(world.scores(REPO), new);
    assert_eq!(world.scores(&format!("{REPO}@{}", world.commit)), old);

    let list = world.offline(&["models", "list"]).out;
    let lines: Vec<&str> = list.lines().filter(|line| line.starts_with(REPO)).collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert!(lines[0].starts_with("tiny/owl ") && lines[0].ends_with(&format!("whole     {}", &newer[..8])), "{list}");
    assert!(lines[1].starts_with(&format!("{REPO}@{}", world.commit)), "{list}");
    let json: serde_json::Value = serde_json::from_str(&world.offline(&["models", "list", "--json"]).out).expect("JSON");
    let cached = json.as_array().expect("a list").iter().find(|model| model["model"] == REPO).expect("listed");
    assert_eq!((&cached["commit"], &cached["state"], &cached["family"]), (&newer.into(), &"whole".into(), &"qwen2".into()));
}

#[test]
fn a_token_reaches_the_hub_alone_and_is_shown_nowhere() {
    let world = World::new();
    world.hub.state().token = Some("hf_secret".to_owned());
    let said = world.run(world.command(&["models", "pull", REPO]).env("HF_TOKEN", "hf_secret\n"));
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(!said.err.contains("secret") && !said.out.contains("secret"));
    let seen = world.hub.state().authorizations.clone();
    for (host, authorization) in &seen {
        let expected = host.starts_with("127.0.0.1").then_some("Bearer hf_secret");
        assert_eq!(authorization.as_deref(), expected, "{host}");
    }
    assert!(seen.iter().any(|(host, _)| host.starts_with("localhost")), "the weights came from another host");

    std::fs::remove_dir_all(world.cached("")).expect("the cache is there");
    std::fs::write(world.sandbox.path("hf-home/token"), "hf_secret\n").expect("writable");
    assert_eq!(world.pull().status, 0, "the token that a login left in HF_HOME");
}

#[test]
fn a_run_on_a_hub_model_reports_the_commit_that_it_used() {
    let world = World::new();
    let config = crate::trial::SMALL.replace("builtin:tiny-a", REPO).replace("[generate]", "[generate]\nmax_tokens = 40");
    std::fs::write(world.sandbox.path("small.toml"), config).expect("writable");
    let small = [
        "--set",
        "generate.samples=12",
        "--set",
        "seeds=[1]",
        "--set",
        "arms=[\"base\", \"treatment\", \"control\", \"cross-model\"]",
    ];
    let said = world.online(&[&["run", "small.toml", "-q", "--set", "finetune.max_steps=2"], &small[..]].concat());
    assert_eq!(said.status, 0, "{}", said.err);
    let models = &world.sandbox.json("runs/small/report.json")["models"];
    assert_eq!((&models[0]["model"], &models[0]["commit"]), (&REPO.into(), &world.commit.clone().into()));
    assert_eq!((&models[0]["family"], models[0]["parameters"].as_u64().is_some_and(|n| n > 100_000)), (&"qwen2".into(), true));
    assert_eq!((&models[1]["model"], &models[1]["commit"]), (&"builtin:tiny-b".into(), &serde_json::Value::Null));
}

#[test]
fn a_run_keeps_to_its_commit_though_the_branch_moves_under_it() {
    let world = World::new();
    let newer = world.hub.publish(REPO, "next", &checkpoint("tiny-b"));
    assert_eq!(world.online(&["models", "pull", "tiny/owl@next"]).status, 0);
    assert_eq!(world.pull().status, 0);
    let config = crate::trial::SMALL.replace("builtin:tiny-a", REPO);
    std::fs::write(world.sandbox.path("small.toml"), config).expect("writable");
    let run = |out: &str, moves: bool| {
        let small = ["--set", "generate.samples=12", "--set", "seeds=[1]", "--set", "finetune.max_steps=2"];
        let arms = ["--set", "arms=[\"base\", \"treatment\", \"control\"]", "--out", out, "--store", out, "-v"];
        let mut command = world.command(&[&["run", "small.toml"], &small[..], &arms[..]].concat());
        let mut child = command.env("HF_HUB_OFFLINE", "1").stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        assert!(lines.by_ref().any(|line| line.ends_with("started")), "a job starts");
        if moves {
            std::fs::write(world.cached("refs/main"), &newer).expect("writable"); // what a pull beside the run does
        }
        let rest: Vec<String> = lines.collect();
        assert!(child.wait().expect("it ended").success(), "{rest:?}");
        world.sandbox.json(&format!("{out}/report.json"))
    };
    let (still, moved) = (run("still", false), run("moved", true));
    assert_ne!(world.scores(REPO), world.scores(&format!("{REPO}@{}", world.commit)), "the branch has moved");
    same_report(&still, &moved);
}
