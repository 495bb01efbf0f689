//! The README stays true: its commands are commands of this program, and the files it names are there.

use clap::Parser;
use subliminal::cli::Cli;

use crate::sandbox::repository;

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).expect("a README")
}

/// The lines of the README's shell blocks that run this program, without comments.
fn commands() -> Vec<Vec<String>> {
    let text = readme();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks
        .flat_map(str::lines)
        .filter_map(|line| {
            let line = line.split(" #").next().unwrap_or(line).trim();
            let line =
                line.strip_prefix("cargo run --release -- ").map(|rest| format!("subliminal {rest}")).unwrap_or(line.to_owned());
            line.starts_with("subliminal ").then(|| words(&line))
        })
        .collect()
}

/// Splits at blanks outside of double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("there is one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_in_the_readme_is_one() {
    let commands = commands();
    assert!(commands.len() >= 5, "the README shows commands: {commands:?}");
    for command in commands {
        if let Err(error) = Cli::try_parse_from(&command) {
            panic!("`{}`: {error}", command.join(" "));
        }
    }
}

#[test]
fn every_file_that_the_readme_names_is_there() {
    let text = readme();
    let named = text.split(|c: char| c.is_whitespace() || "`()[]\"'".contains(c)).filter(|word| {
        ["configs/", "examples/", "tests/", "benches/", "src/"]
            .iter()
            .any(|folder| word.starts_with(folder) && word.len() > folder.len())
    });
    for path in named {
        let path = path.trim_end_matches(['.', ',', ':', ';']);
        assert!(repository().join(path).exists(), "the README names `{path}`");
    }
}
