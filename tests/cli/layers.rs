//! A module imports only from those above it, only `engine/local` names candle, and only its `device.rs` looks at build features.

use std::fs;
use std::path::{Path, PathBuf};

/// From the top; modules in one group may use one another.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["record"],
    &["tool"],
    &["traits", "domain", "filter", "evals", "judge"],
    &["builtin"],
    &["config"],
    &["engine"],
    &["family"],
    &["stage"],
    &["trial"],
    &["report", "audit"],
    &["cli"],
    &["fuzzing"],
];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src is readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                files.push((path.strip_prefix(&root).expect("below src").to_path_buf(), text));
            }
        }
    }
    files
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The first path segment below `src`, without `.rs`.
fn module_of(file: &Path) -> String {
    let first = file.components().next().expect("a file has a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code before a file's unit tests, comments left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    text[..end].lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Every module named after `crate::` in a line, also inside `crate::{a, b}`.
fn named_modules(line: &str) -> Vec<String> {
    line.split("crate::")
        .skip(1)
        .flat_map(|rest| {
            let group = rest.strip_prefix('{').map(|r| r.split('}').next().unwrap_or(r));
            match group {
                Some(list) => list.split(',').map(|n| n.trim().split("::").next().unwrap_or("").to_owned()).collect::<Vec<_>>(),
                None => vec![rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("").to_owned()],
            }
        })
        .collect()
}

#[test]
fn a_module_imports_only_from_those_above_it() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(own) = layer_of(&module_of(&file)) else { continue };
        for (number, line) in code(&text) {
            for module in named_modules(line) {
                let same = module == module_of(&file);
                if !same && layer_of(&module).is_some_and(|other| other > own) {
                    wrong.push(format!("{}:{number}: `{module}` lies below `{}`", file.display(), module_of(&file)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    let missing: Vec<String> = sources()
        .iter()
        .map(|(file, _)| module_of(file))
        .filter(|m| m != "main" && m != "lib" && layer_of(m).is_none())
        .collect();
    assert!(missing.is_empty(), "modules without a layer: {missing:?}");
}

#[test]
fn config_and_engine_do_not_know_each_other() {
    for (file, text) in sources() {
        let other = match module_of(&file).as_str() {
            "config" => "engine",
            "engine" => "config",
            _ => continue,
        };
        for (number, line) in code(&text) {
            assert!(!named_modules(line).iter().any(|m| m == other), "{}:{number} names `{other}`", file.display());
        }
    }
}

#[test]
fn only_the_local_engine_names_candle_and_only_its_device_file_looks_at_features() {
    for (file, text) in sources() {
        let local = file.starts_with("engine/local");
        let device = file == Path::new("engine/local/device.rs");
        for (number, line) in code(&text) {
            assert!(local || !line.contains("candle_"), "{}:{number} names candle", file.display());
            assert!(device || !line.contains("cfg(feature"), "{}:{number} looks at a build feature", file.display());
            assert!(device || !line.contains("cfg!(feature"), "{}:{number} looks at a build feature", file.display());
        }
    }
}
