//! Files, with the path in every error, and writes that are either whole or absent.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Reads a whole file as UTF-8.
///
/// # Errors
/// If it cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| Error::io("read", path, e))?;
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

fn place(path: &Path, content: &[u8], settle: fn(&fs::File) -> std::io::Result<()>) -> Result<()> {
    let aside = aside(path);
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&aside)?;
        file.write_all(content)?;
        settle(&file)?;
        fs::rename(&aside, path)
    };
    write().map_err(|e| {
        let _ = fs::remove_file(&aside); // the failed write is reported; what is left of it only takes room
        Error::io("write", path, e)
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

fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
