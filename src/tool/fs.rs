//! Files, with the path in every error, and writes that are either whole or absent.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bounded::LARGEST_TEXT;
use crate::error::{Error, Result};

/// Reads a whole file as UTF-8.
///
/// # Errors
/// If it cannot be read, is larger than [`LARGEST_TEXT`] or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    read_text_within(path, LARGEST_TEXT)
}

/// As [`read_text`], for a file of at most `limit` bytes.
///
/// # Errors
/// If it cannot be read, is larger or is not UTF-8.
pub fn read_text_within(path: &Path, limit: usize) -> Result<String> {
    let bytes = super::bounded::read(path, limit)?;
    String::from_utf8(bytes)
        .map_err(|e| Error::input(format!("not UTF-8 text (byte {})", e.utf8_error().valid_up_to())).at(path, None))
}

/// Reads a JSON file.
///
/// # Errors
/// If it cannot be read or does not have the expected form.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|e| Error::input(format!("not the expected JSON: {e}")).at(path, e.line()))
}

/// Creates a folder and those above it.
///
/// # Errors
/// If the system refuses.
pub fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io("create the folder", path, e))
}

/// Removes a folder and everything in it; a missing folder is fine.
///
/// # Errors
/// If the system refuses.
pub fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove the folder", path, e)),
        _ => Ok(()),
    }
}

/// Removes a file.
///
/// # Errors
/// If the system refuses.
pub fn remove_file(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|e| Error::io("remove", path, e))
}

/// Writes a file beside its place, syncs it and renames it: a reader sees the old content or the new, never a part.
///
/// # Errors
/// If the system refuses.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    place(path, content, fs::File::sync_all)
}

/// As [`write_whole`], without waiting for the disk: a killed process leaves the old content or the new, a power cut may leave an empty
/// file. For files in the store, whose size and hash their manifest states.
///
/// # Errors
/// If the system refuses.
pub fn put(path: &Path, content: &[u8]) -> Result<()> {
    place(path, content, |_| Ok(()))
}

/// As [`write_whole`], for content that is too large to be held at once: `write` hands it over piece by piece.
///
/// # Errors
/// If the system refuses, or `write` fails; then nothing is left.
pub fn write_streamed(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    filled(path, write, fs::File::sync_all)
}

fn place(path: &Path, content: &[u8], settle: fn(&fs::File) -> std::io::Result<()>) -> Result<()> {
    filled(path, |file| file.write_all(content).map_err(|e| Error::io("write", path, e)), settle)
}

fn filled(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
    settle: fn(&fs::File) -> std::io::Result<()>,
) -> Result<()> {
    let aside = aside(path);
    let failed = |e| Error::io("write", path, e);
    let fill = || -> Result<()> {
        let mut file = BufWriter::new(fs::File::create(&aside).map_err(failed)?);
        write(&mut file)?;
        file.flush().map_err(failed)?;
        settle(file.get_ref()).map_err(failed)?;
        fs::rename(&aside, path).map_err(failed)
    };
    fill().inspect_err(|_| {
        let _ = fs::remove_file(&aside); // the failed write is reported; what is left of it only takes room
    })
}

/// Writes a value as indented JSON with a final newline, whole or not at all.
///
/// # Errors
/// If the system refuses.
///
/// # Panics
/// Never for the plain data of this crate: it serialises to JSON without fail.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    write_whole(path, indented(value).as_bytes())
}

/// As [`write_json`], without waiting for the disk; see [`put`].
///
/// # Errors
/// If the system refuses.
///
/// # Panics
/// Never for the plain data of this crate: it serialises to JSON without fail.
pub fn put_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    put(path, indented(value).as_bytes())
}

fn indented<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain data serialises to JSON");
    text.push('\n');
    text
}

/// The path that all names of one file share.
pub fn resolved(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_path_buf())
}

/// Whether a path is there but no regular file: a terminal, a pipe, `/dev/null`.
pub fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| !m.is_file())
}

/// The user's folder for what can be made again: `XDG_CACHE_HOME`, else `.cache` in the home folder.
pub fn user_cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))
}

fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
