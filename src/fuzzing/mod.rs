//! Every reader of what comes from outside, as a function of some bytes: `tests/fuzz` feeds them, and a test feeds them again what was
//! found. No part of the product.
//!
//! A target panics where a promise does not hold: beside that nothing may panic, hang or eat memory, two descriptions of one language
//! must agree, and what is read must be written back as it was.

mod checkpoint;
mod domain;
mod text;

/// One reader.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the fuzz binary, and of the folders below `tests/fuzz` that hold its inputs.
    pub name: &'static str,
    /// The most bytes of an input that are worth trying.
    pub longest: usize,
    /// Reads an input.
    pub run: fn(&[u8]),
}

/// All readers.
pub const TARGETS: [Target; 13] = [
    target("config", 4096, text::config),
    target("rows", 1024, text::rows),
    target("numbers", 256, domain::numbers),
    target("code", 512, domain::code),
    target("cot", 512, domain::cot),
    target("report", 8192, text::report),
    target("reply", 1024, text::reply),
    target("template", 1024, checkpoint::template),
    target("safetensors", 1024, checkpoint::safetensors),
    target("index", 512, checkpoint::index),
    target("model_config", 2048, checkpoint::model_config),
    target("adapter_config", 1024, checkpoint::adapter_config),
    target("tokenizer", 4096, checkpoint::tokenizer),
];

const fn target(name: &'static str, longest: usize, run: fn(&[u8])) -> Target {
    Target { name, longest, run }
}

/// A target by its name.
pub fn named(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
