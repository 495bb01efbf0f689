//! Content hashes: BLAKE3, as lower-case hex.

use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};

/// The hash of some bytes.
pub fn bytes(data: &[u8]) -> String {
    blake3::hash(data).to_hex().to_string()
}

/// The hash of a value's JSON form, with object keys in sorted order.
///
/// # Panics
/// Never for the plain data of this crate: it serialises to JSON without fail.
pub fn value<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_value(value).expect("plain data serialises to JSON");
    bytes(canonical(&json).as_bytes())
}

/// The hash of a file's content, read in pieces.
///
/// # Errors
/// If the file cannot be read.
pub fn file(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    hasher.update_reader(file).map_err(|e| Error::io("read", path, e))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The hash of the files of a folder, by their names and contents.
///
/// # Errors
/// If the folder or a file cannot be read.
pub fn folder(path: &Path) -> Result<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|e| Error::io("read the folder", path, e))? {
        let entry = entry.map_err(|e| Error::io("read the folder", path, e))?.path();
        if entry.is_file() {
            files.push((entry.file_name().map(|name| name.to_string_lossy().into_owned()), file(&entry)?));
        }
    }
    files.sort();
    Ok(value(&files))
}

fn canonical(json: &serde_json::Value) -> String {
    use serde_json::Value;
    match json {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let fields: Vec<String> =
                keys.iter().map(|k| format!("{}:{}", Value::String((*k).clone()), canonical(&map[*k]))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_does_not_matter_but_values_do() {
        let a = serde_json::json!({"x": 1, "y": [2, {"b": 1, "a": 2}]});
        let b = serde_json::json!({"y": [2, {"a": 2, "b": 1}], "x": 1});
        assert_eq!(value(&a), value(&b));
        assert_ne!(value(&a), value(&serde_json::json!({"x": 1, "y": [2]})));
    }
}
