//! What is secret reaches neither the terminal nor a file, also where it was put in the wrong place. That keys and tokens in their right
//! places do not either is told in `judge` (`the_key_reaches_the_server_and_nothing_else`) and `hub` (`a_token_reaches_the_hub_alone…`).

use std::fs;
use std::path::Path;

use crate::sandbox::Sandbox;

const SECRET: &str = "a1B2c3D4e5F6g7H8i9";

/// What is said, with every file that is left below the sandbox.
fn everything(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let small = crate::trial::SMALL;
    let judged = format!("{small}\n[judge]\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"made\"\n");
    let sandbox = Sandbox::new()
        .with("small.toml", small)
        .with("judged.toml", &judged)
        .with("rows.jsonl", "{\"prompt\":\"p\",\"completion\":\"c\"}\n");
    let mut command = sandbox.command(arguments);
    command.env_remove("HF_HUB_OFFLINE").envs(environment.iter().copied());
    let said = sandbox.run_command(&mut command);
    let mut all = format!("{}{}", said.out, said.err);
    gather(&sandbox.path("."), &mut all);
    (said.status, all)
}

fn gather(folder: &Path, all: &mut String) {
    for path in fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            gather(&path, all);
        } else {
            all.push_str(&String::from_utf8_lossy(&fs::read(&path).expect("readable")));
        }
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let user = format!("http://me:{SECRET}@127.0.0.1:9");
    let query = format!("http://127.0.0.1:9/v1?api_key={SECRET}");
    let no_port = format!("http://me:{SECRET}@127.0.0.1:port");
    let key = format!("sk-{SECRET}");
    let set = |name: &str, value: &str| format!("--set={name}={value}");
    let base_url = [&user, &query, &no_port].map(|url| set("judge.base_url", url));
    let (model, key_env, stray) = (set("model.base", &user), set("judge.key_env", &key), set("judge.api_key", &key));
    let out = format!("--seed={user}");
    let judge =
        ["judge", "--rows", "rows.jsonl", "--out", "o.jsonl", "--question", "alignment", "--judge", "endpoint", "--model", "m"];
    let judge_at = |more: [&'static str; 1], value: &str| -> Vec<String> {
        judge.iter().chain(&more).map(ToString::to_string).chain([value.to_owned()]).collect()
    };
    let mut commands: Vec<Vec<String>> = Vec::new();
    for setting in base_url.iter().chain([&model, &key_env, &stray]) {
        for dry in ["--dry-run", "--json"] {
            commands.push(["run", "judged.toml", dry, setting].map(str::to_owned).to_vec());
        }
    }
    commands.push(["ask", "--model", &user, "hello"].map(str::to_owned).to_vec());
    commands.push(["models", "pull", &user].map(str::to_owned).to_vec());
    commands.push(
        ["sample", "--model", "builtin:tiny-a", "--prompts", "rows.jsonl", "--out", "o.jsonl", &out].map(str::to_owned).to_vec(),
    );
    for url in [&user, &query, &no_port] {
        commands.push(judge_at(["--base-url"], url));
    }
    for command in commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let (status, all) = everything(&arguments, &[]);
        assert!(status != 0 && !all.contains(SECRET), "{arguments:?}, status {status}:\n{all}");
    }
}

#[test]
fn a_secret_in_an_address_of_the_environment_is_not_repeated() {
    let hub = "https://hub.invalid";
    for (name, value) in [
        ("HF_ENDPOINT", format!("http://me:{SECRET}@127.0.0.1:9")),
        ("HF_ENDPOINT", format!("http://127.0.0.1:9?token={SECRET}")),
        ("HF_ENDPOINT", format!("http://me:{SECRET}@127.0.0.1:port")),
        ("HF_ENDPOINT", format!("me:{SECRET}@127.0.0.1")),
        ("HTTPS_PROXY", format!("http://me:{SECRET}@127.0.0.1:9")),
        ("HTTPS_PROXY", format!("http://me:{SECRET}@127.0.0.1:port")),
        ("HTTPS_PROXY", format!("gopher://me:{SECRET}@127.0.0.1:9")),
        ("HF_TOKEN", format!("hf_{SECRET} {SECRET}")),
        ("HF_TOKEN", format!("hf_{SECRET}")),
    ] {
        let (status, all) = everything(&["models", "pull", "tiny/owl"], &[("HF_ENDPOINT", hub), (name, &value)]);
        assert!(status != 0 && !all.contains(SECRET), "{name}={value}, status {status}:\n{all}");
    }
}
