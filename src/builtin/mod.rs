//! The checkpoints that ship inside the program, so that a trial runs on a fresh machine without a network.

/// One built-in checkpoint: its files under their Hugging Face names.
#[derive(Debug)]
pub struct Builtin {
    name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

impl Builtin {
    /// A file's content.
    pub fn file(&self, name: &str) -> Option<&'static [u8]> {
        self.files.iter().find(|(file, _)| *file == name).map(|(_, bytes)| *bytes)
    }
}

const ALL: &[Builtin] = &[];

/// The model of this name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|model| model.name == name)
}

/// Every name.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|model| model.name).collect()
}
