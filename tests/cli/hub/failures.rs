//! What a user is told when the Hub, the network, the disk or the model is not as it should be.

use insta::assert_snapshot;

use super::{Files, INDEX, ONE, REPO, TWO, World, checkpoint};
use crate::sandbox::Said;

fn shown(said: &Said) -> String {
    format!("exit status {}\n{}{}", said.status, said.out, said.err)
}

/// What a pull of `tiny/owl` with these files says.
fn pull_of(files: &Files) -> String {
    let world = World::new();
    let commit = world.hub.publish(REPO, "main", files);
    shown(&world.pull()).replace(&commit, "[commit]")
}

#[test]
fn a_gated_model_without_a_token() {
    let world = World::new();
    world.hub.state().token = Some("hf_other".to_owned());
    assert_snapshot!(shown(&world.pull()), @r"
    exit status 3
    error: `tiny/owl` is gated, and no token was sent
    hint: accept its terms at [hub]/tiny/owl, then set HF_TOKEN to a token from [hub]/settings/tokens
    ");
}

#[test]
fn a_gated_model_with_a_token_that_has_no_access() {
    let world = World::new();
    world.hub.state().token = Some("hf_other".to_owned());
    let said = world.run(world.command(&["models", "pull", REPO]).env("HF_TOKEN", "hf_secret"));
    assert!(!said.err.contains("hf_"), "{}", said.err);
    assert_snapshot!(shown(&said), @r"
    exit status 3
    error: `tiny/owl` is gated, and the account of the token from HF_TOKEN has not been given access
    hint: accept its terms at [hub]/tiny/owl with that account; some owners then take a while to agree
    ");
}

#[test]
fn a_token_that_cannot_be_one() {
    let world = World::new();
    let said = world.run(world.command(&["models", "pull", REPO]).env("HF_TOKEN", "hf_secret and more"));
    assert!(!said.err.contains("secret"), "{}", said.err);
    assert_snapshot!(shown(&said), @r"
    exit status 2
    error: what HF_TOKEN holds is no token: it has blanks or letters that no token has
    hint: a token looks like `hf_…`; make one at https://huggingface.co/settings/tokens
    ");
}

#[test]
fn a_repository_or_a_revision_that_is_not_there() {
    let world = World::new();
    assert_snapshot!(shown(&world.online(&["models", "pull", "tiny/wol"])), @r"
    exit status 3
    error: there is no model `tiny/wol` on [hub], or it is private, and no token was sent
    hint: check the name; for a private model set HF_TOKEN to a token from [hub]/settings/tokens
    ");
    assert_snapshot!(shown(&world.online(&["models", "pull", "tiny/owl@v9"])), @r"
    exit status 3
    error: `tiny/owl` has no revision `v9`
    hint: its branches, tags and commits are listed at [hub]/tiny/owl/tree/main; without `@REVISION`, `main` is taken
    ");
    assert_snapshot!(shown(&world.online(&["models", "pull", "tiny/owl@../../x"])), @r"
    exit status 2
    error: `tiny/owl@../../x` is no Hub repository
    hint: it looks like `OWNER/NAME` or `OWNER/NAME@REVISION`, where a revision is a branch, a tag or a commit
    ");
}

#[test]
fn no_network_and_no_wish_for_one() {
    let world = World::new();
    world.hub.state().gone = true;
    let gone = shown(&world.pull());
    assert!(gone.starts_with("exit status 3\nerror: cannot fetch `config.json` of `tiny/owl` from [hub]: "), "{gone}");
    assert!(gone.contains("hint: check the connection"), "{gone}");
    assert_snapshot!(shown(&world.offline(&["models", "pull", REPO])), @r"
    exit status 3
    error: `tiny/owl` is not whole in the cache `[dir]/hf-home/hub`, and HF_HUB_OFFLINE is set
    hint: unset HF_HUB_OFFLINE, or use a built-in model (`builtin:tiny-a`)
    ");
    assert_snapshot!(shown(&world.run(world.command(&["models", "pull", REPO]).env("HF_ENDPOINT", "huggingface.co"))), @r"
    exit status 2
    error: HF_ENDPOINT is `huggingface.co`, which is no address: relative URL without a base
    hint: the public Hub is `https://huggingface.co`
    ");
}

#[test]
fn a_path_of_what_is_not_in_the_cache() {
    let world = World::new();
    assert_snapshot!(shown(&world.online(&["models", "path", REPO])), @r"
    exit status 3
    error: `tiny/owl` is not whole in the cache `[dir]/hf-home/hub`
    hint: `subliminal models pull tiny/owl` fetches it
    ");
    assert!(world.hub.state().sent.is_empty(), "a path is looked up, not fetched");
    assert_snapshot!(shown(&world.online(&["models", "path", "builtin:tiny-q"])), @r"
    exit status 2
    error: there is no built-in model `tiny-q`
    hint: there are: tiny-a, tiny-b, tiny-c, tiny-d, wide-a, wide-b, wide-c, wide-d
    ");
    assert_snapshot!(shown(&world.online(&["models", "path", "./nowhere"])), @r"
    exit status 2
    error: there is no model folder `./nowhere`
    hint: a model is `builtin:NAME`, a folder in Hugging Face layout, or a Hub id such as `Qwen/Qwen2.5-7B-Instruct`
    ");
    assert_snapshot!(shown(&world.online(&["models", "pull", "builtin:tiny-a"])), @r"
    exit status 2
    error: `builtin:tiny-a` is not on the Hub
    hint: a Hub id looks like `Qwen/Qwen2.5-7B-Instruct`
    ");
}

#[test]
fn repositories_that_hold_something_else() {
    let with = |names: &[&str]| -> Files {
        let mut files = checkpoint("tiny-a");
        files.retain(|name, _| !name.contains("safetensors"));
        files.extend(names.iter().map(|name| ((*name).to_owned(), b"x".to_vec())));
        files
    };
    assert_snapshot!(pull_of(&with(&["pytorch_model.bin"])), @r"
    exit status 3
    fetched `config.json`, 579 B
    fetched `tokenizer.json`, 256.27 kB
    fetched `tokenizer_config.json`, 633 B
    fetched `generation_config.json`, 94 B
    error: the Hub repository `tiny/owl` has no `model.safetensors (or model.safetensors.index.json)`
    hint: its weights are pickled, which is not read: save them as safetensors with transformers, `AutoModelForCausalLM.from_pretrained(MODEL).save_pretrained(FOLDER)`
    ");
    let mut gguf = with(&["owl-q4.gguf"]);
    gguf.remove("config.json");
    assert_snapshot!(pull_of(&gguf), @r"
    exit status 3
    error: the Hub repository `tiny/owl` has no `config.json`
    hint: it holds GGUF files, which are not read: take the model that they were made from, in safetensors
    ");
    let mut sentencepiece = checkpoint("tiny-a");
    sentencepiece.remove("tokenizer.json");
    sentencepiece.insert("tokenizer.model".to_owned(), b"x".to_vec());
    assert_snapshot!(pull_of(&sentencepiece), @r"
    exit status 3
    fetched `config.json`, 579 B
    error: the Hub repository `tiny/owl` has no `tokenizer.json`
    hint: its tokenizer is a `tokenizer.model`: make `tokenizer.json` of it with transformers, `AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER)`
    ");
}

#[test]
fn a_file_of_another_length_than_promised() {
    let world = World::new();
    world.hub.state().overstated = Some((ONE.to_owned(), 10));
    assert_snapshot!(shown(&world.pull()), @r"
    exit status 3
    fetched `config.json`, 579 B
    fetched `tokenizer.json`, 256.27 kB
    fetched `tokenizer_config.json`, 633 B
    fetched `generation_config.json`, 94 B
    fetched `model.safetensors.index.json`, 2.85 kB
    error: cannot fetch `model-00001-of-00002.safetensors` of `tiny/owl` from [hub]: this is not how the Hub answers: its file ends before byte 198856 of the 198866 that it promised
    hint: check HF_ENDPOINT, and proxies between here and there
    ");
    world.hub.state().overstated = None;
    assert_eq!(world.pull().status, 0, "what was fetched is not lost");
    world.scores(REPO);
}

#[test]
fn a_file_that_arrives_damaged_is_never_put_in_place() {
    let world = World::new();
    world.hub.state().damaged = Some(TWO.to_owned());
    let said = shown(&world.pull());
    assert!(said.contains(&format!("`{TWO}` of `{REPO}` arrived damaged: its SHA-256 is ")), "{said}");
    assert!(!world.cached("refs/main").exists() && world.offline(&["models", "path", REPO]).status == 3);
    world.hub.state().damaged = None;
    assert_eq!(world.pull().status, 0);
    world.scores(REPO);
}

#[test]
fn a_beginning_of_another_file_is_thrown_away() {
    let world = World::new();
    std::fs::create_dir_all(world.cached("blobs")).expect("writable");
    std::fs::write(world.partial(ONE), vec![7; 1000]).expect("writable");
    std::fs::write(world.partial(TWO), vec![7; 10_000_000]).expect("writable"); // longer than the file
    assert_eq!(world.pull().status, 0);
    assert_eq!(world.hub.sent(ONE).iter().map(|sent| sent.from).collect::<Vec<_>>(), [1000, 0]);
    assert_eq!(world.hub.sent(TWO).iter().map(|sent| sent.from).collect::<Vec<_>>(), [0]);
    world.scores(REPO);
}

#[test]
fn a_server_without_ranges_sends_everything_and_nothing_is_appended_twice() {
    let world = World::new();
    std::fs::create_dir_all(world.cached("blobs")).expect("writable");
    std::fs::write(world.partial(ONE), &world.files[ONE][..500]).expect("writable");
    world.hub.state().without_ranges = true;
    assert_eq!(world.pull().status, 0);
    world.scores(REPO);
}

#[test]
fn a_whole_file_that_was_only_not_put_in_place_is_not_fetched_again() {
    let world = World::new();
    std::fs::create_dir_all(world.cached("blobs")).expect("writable");
    std::fs::write(world.partial(ONE), &world.files[ONE]).expect("writable");
    assert_eq!(world.pull().status, 0);
    assert!(world.hub.sent(ONE).is_empty());
    world.scores(REPO);
}

#[test]
fn a_damaged_file_in_the_cache_is_named_with_its_cure_and_the_cure_works() {
    let world = World::new();
    assert_eq!(world.pull().status, 0);
    let expected = world.scores(REPO);
    let blob = world.cached(&format!("snapshots/{}/{TWO}", world.commit)).canonicalize().expect("a link to a blob");
    std::fs::write(&blob, &world.files[TWO][..5000]).expect("writable");
    let score = ["score", "--model", REPO, "--rows", "rows.jsonl", "--out", "scores.jsonl"];
    let said = shown(&world.offline(&score)).replace(&world.commit, "[commit]");
    assert!(
        said.contains(&format!("[commit]/{TWO}: not a whole safetensors file: it has 5000 bytes, its header describes ")),
        "{said}"
    );
    assert!(said.contains("hint: `subliminal models pull tiny/owl@[commit]` fetches what is damaged again"), "{said}");
    let pull = format!("{REPO}@{}", world.commit);
    let cured = world.online(&["models", "pull", &pull]);
    assert!(cured.status == 0 && cured.err.contains("in the cache is damaged: it is fetched again"), "{}", cured.err);
    assert_eq!(world.scores(REPO), expected);

    let mut flipped = world.files[TWO].clone();
    *flipped.last_mut().expect("not empty") ^= 1; // of the right length, and a sound header
    std::fs::write(&blob, flipped).expect("writable");
    assert_ne!(world.scores(REPO), expected);
    assert_eq!(world.pull().status, 0);
    assert_eq!(world.scores(REPO), expected);
}

#[test]
fn an_index_that_does_not_fit_its_shards() {
    let mut files = checkpoint("tiny-a");
    let index = String::from_utf8(files[INDEX].clone()).expect("JSON").replace("\"model.norm.weight\"", "\"model.norm.wait\"");
    files.insert(INDEX.to_owned(), index.into_bytes());
    let world = World::new();
    let commit = world.hub.publish(REPO, "main", &files);
    assert_eq!(world.pull().status, 0);
    let said = world.offline(&["score", "--model", REPO, "--rows", "rows.jsonl", "--out", "scores.jsonl"]);
    assert_snapshot!(shown(&said).replace(&commit, "[commit]"), @r"
    exit status 3
    error: [dir]/hf-home/hub/models--tiny--owl/snapshots/[commit]: the shards do not belong together: `model-00002-of-00002.safetensors` lacks `model.norm.wait`, promised by the index
    hint: fetch all of the checkpoint's files again, from one revision
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let world = World::new();
    std::fs::create_dir_all(world.cached("blobs")).expect("writable");
    std::os::unix::fs::symlink("/dev/full", world.partial(ONE)).expect("a link to a disk that is always full");
    let said = shown(&world.pull()).replace(&super::server::hash(&world.files[ONE]), "[sha256]");
    assert_snapshot!(said.lines().filter(|line| !line.starts_with("fetched")).collect::<Vec<_>>().join("\n"), @r"
    exit status 3
    error: cannot write `[dir]/hf-home/hub/models--tiny--owl/blobs/[sha256].incomplete`: No space left on device (os error 28)
    hint: free some space and run the same command again: finished work is kept
    ");
}
