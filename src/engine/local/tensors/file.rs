//! One safetensors file, in memory or on disk: its header is checked when it is opened, its tensors are mapped one at a time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use memmap2::{Mmap, MmapOptions};
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::convert;
use crate::engine::local::layers::Frozen;
use crate::engine::local::source::{self, File};
use crate::error::{Error, Result};

/// How a file begins that git left in a folder instead of the weights.
const LFS_POINTER: &[u8] = b"version https://git-lfs";

/// An open file whose header is sound: its tensors fill it to the last byte and do not overlap.
pub(super) struct TensorFile {
    name: PathBuf,
    content: Content,
    tensors: BTreeMap<String, Entry>,
}

enum Content {
    Embedded(&'static [u8]),
    Disk(std::fs::File),
}

/// Where a tensor lies in its file, and what it is.
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Range<usize>,
}

impl TensorFile {
    /// Opens a file and checks its header; no tensor is read.
    ///
    /// # Errors
    /// If it cannot be read or is not a whole safetensors file.
    pub(super) fn open(file: &File) -> Result<Self> {
        let (name, content) = match file {
            File::Embedded(bytes) => (PathBuf::from("the built-in weights"), Content::Embedded(bytes)),
            File::Disk(path) => (path.clone(), Content::Disk(std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?)),
        };
        let tensors = match &content {
            Content::Embedded(bytes) => entries(bytes, &name)?,
            Content::Disk(file) => entries(&map(file, None).map_err(|e| Error::io("map", &name, e))?, &name)?,
        };
        Ok(Self { name, content, tensors })
    }

    /// The file, for messages.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// The names of its tensors, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor, if it is there.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// Reads a tensor straight into the format and device it is wanted in.
    ///
    /// # Errors
    /// If it is not there, not of finite floats, or the device refuses.
    pub(super) fn read(&self, name: &str, device: &Device, dtype: DType) -> Result<Tensor> {
        self.converted(name, |entry, bytes| convert::tensor(bytes, entry.dtype, &entry.shape, device, dtype))
    }

    /// Reads a matrix straight into the form of the CPU's products, in f32 or bf16.
    ///
    /// # Errors
    /// If it is not there, not a matrix of finite floats, or the format is another.
    pub(super) fn read_frozen(&self, name: &str, dtype: DType) -> Result<Frozen> {
        self.converted(name, |entry, bytes| match *entry.shape {
            [out, inner] => convert::frozen(bytes, entry.dtype, (out, inner), dtype),
            _ => Err(Error::environment(format!("has shape {:?}, expected a matrix", entry.shape))),
        })
    }

    fn converted<T>(&self, name: &str, convert: impl FnOnce(&Entry, &[u8]) -> Result<T>) -> Result<T> {
        let absent = || Error::environment(format!("has no tensor `{name}`")).at(&self.name, None);
        let entry = self.tensors.get(name).ok_or_else(absent)?;
        let converted = match &self.content {
            Content::Embedded(all) => convert(entry, &all[entry.bytes.clone()]),
            Content::Disk(file) => {
                convert(entry, &map(file, Some(entry.bytes.clone())).map_err(|e| Error::io("map", &self.name, e))?)
            }
        };
        converted.map_err(|e| e.context(format!("the tensor `{name}`")).at(&self.name, None))
    }
}

/// Maps a file or a part of it; the pages are given back when the map is dropped.
fn map(file: &std::fs::File, part: Option<Range<usize>>) -> std::io::Result<Mmap> {
    let mut options = MmapOptions::new();
    if let Some(part) = part {
        options.offset(part.start as u64).len(part.len());
    }
    // SAFETY: the map is read only and dropped before this module's functions return. Weights are written aside and renamed into place,
    // by this program and by the Hub's tools, so that an open file keeps its bytes. Whoever cuts a file off while it is read ends the
    // process with SIGBUS, as with every other reader of memory-mapped weights; no other memory is touched.
    unsafe { options.map(file) }
}

/// The tensors that the header describes.
fn entries(bytes: &[u8], name: &Path) -> Result<BTreeMap<String, Entry>> {
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(bytes, name, &e))?;
    let start = size_of::<u64>() + header;
    let entry = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
        let (from, to) = info.data_offsets;
        (name, Entry { dtype: info.dtype, shape: info.shape.clone(), bytes: start + from..start + to })
    };
    Ok(metadata.tensors().into_iter().map(entry).collect())
}

/// Reads a whole file that lies in memory: its header, then every tensor.
///
/// # Errors
/// As [`TensorFile::open`] and [`TensorFile::read`].
pub(crate) fn check(bytes: &[u8], name: &Path) -> Result<()> {
    for Entry { dtype, shape, bytes: place } in entries(bytes, name)?.values() {
        convert::tensor(&bytes[place.clone()], *dtype, shape, &Device::Cpu, DType::F32)?;
    }
    Ok(())
}

/// What is wrong with a file, and how to get a sound one.
fn damaged(bytes: &[u8], name: &Path, error: &SafeTensorError) -> Error {
    if bytes.starts_with(LFS_POINTER) {
        return Error::environment("is git's pointer to the weights, not the weights")
            .at(name, None)
            .hint("run `git lfs pull` in its folder");
    }
    let len = bytes.len();
    let what = match error {
        SafeTensorError::HeaderTooSmall => format!("it has {len} bytes, too few for a header"),
        SafeTensorError::HeaderTooLarge => "its header would be longer than 100 MB".to_owned(),
        SafeTensorError::InvalidHeaderLength => format!("its header is cut off, the file has {len} bytes"),
        SafeTensorError::InvalidHeader(e) => format!("its header is not text: {e}"),
        SafeTensorError::InvalidHeaderDeserialization(e) => format!("its header is not the expected JSON: {e}"),
        SafeTensorError::InvalidOffset(tensor) => format!("the tensor `{tensor}` overlaps another or leaves a gap before it"),
        SafeTensorError::MetadataIncompleteBuffer => {
            format!(
                "it has {len} bytes, its header describes {}",
                described(bytes).map_or("others".to_owned(), |n| n.to_string())
            )
        }
        SafeTensorError::TensorInvalidInfo | SafeTensorError::ValidationOverflow => {
            "a tensor's shape does not fit its bytes".to_owned()
        }
        other => other.to_string(),
    };
    Error::environment(format!("not a whole safetensors file: {what}")).at(name, None).hint(source::cure(name))
}

/// The length of the file that a header describes, by where its last tensor ends.
fn described(bytes: &[u8]) -> Option<u64> {
    let (length, rest) = bytes.split_first_chunk()?;
    let header = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(rest.get(..header)?).ok()?;
    let ends = json.values().filter_map(|info| info.get("data_offsets")?.get(1)?.as_u64());
    Some((size_of::<u64>() + header) as u64 + ends.max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of a header and some bytes behind it.
    fn raw(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; data]);
        bytes
    }

    fn open(bytes: &[u8]) -> Result<TensorFile> {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("model.safetensors");
        std::fs::write(&path, bytes).expect("writable");
        TensorFile::open(&File::Disk(path))
    }

    const SOUND: &str =
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]}}"#;

    #[test]
    fn a_sound_file_gives_each_tensor_by_name() {
        let file = open(&raw(SOUND, 14)).expect("sound");
        assert_eq!(file.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(file.shape("b"), Some(&[3][..]));
        let b = file.read("b", &Device::Cpu, DType::F32).and_then(|t| Ok(t.to_vec1::<f32>()?)).expect("three zeros");
        assert_eq!(b, [0.0; 3]);
        assert!(file.read("c", &Device::Cpu, DType::F32).is_err());
    }

    #[test]
    fn every_kind_of_damage_is_one_message_with_the_file_and_the_cure() {
        let one = |info: &str, data: usize| raw(&format!(r#"{{"a":{info}}}"#), data);
        let cases: &[(&str, Vec<u8>, &str)] = &[
            ("empty", vec![], "it has 0 bytes, too few for a header"),
            ("only a length", 100u64.to_le_bytes().to_vec(), "its header is cut off, the file has 8 bytes"),
            ("an absurd length", u64::MAX.to_le_bytes().to_vec(), "its header would be longer than 100 MB"),
            ("a header that is cut off", raw(SOUND, 0)[..60].to_vec(), "its header is cut off, the file has 60 bytes"),
            ("data that is cut off", raw(SOUND, 13), "it has 130 bytes, its header describes 131"),
            ("more bytes than tensors", raw(SOUND, 15), "it has 132 bytes, its header describes 131"),
            ("no JSON", raw("{\"a\":", 0), "its header is not the expected JSON: EOF while parsing"),
            ("other JSON", raw("[1, 2]", 0), "its header is not the expected JSON"),
            ("no text", [&2u64.to_le_bytes()[..], &[0xFF, 0xFE]].concat(), "its header is not text"),
            ("an unknown format", one(r#"{"dtype":"F99","shape":[2],"data_offsets":[0,8]}"#, 8), "unknown variant `F99`"),
            (
                "offsets out of the file",
                one(r#"{"dtype":"F32","shape":[2],"data_offsets":[8,16]}"#, 8),
                "the tensor `a` overlaps",
            ),
            ("backward offsets", one(r#"{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#, 8), "the tensor `a` overlaps"),
            (
                "overlapping tensors",
                raw(
                    r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
                    12,
                ),
                "the tensor `b` overlaps another",
            ),
            (
                "a shape that does not fit",
                one(r#"{"dtype":"F32","shape":[3],"data_offsets":[0,8]}"#, 8),
                "does not fit its bytes",
            ),
            (
                "a shape that overflows",
                one(r#"{"dtype":"F32","shape":[18446744073709551615,4],"data_offsets":[0,8]}"#, 8),
                "does not fit its bytes",
            ),
        ];
        for (what, bytes, expected) in cases {
            let error = open(bytes).err().unwrap_or_else(|| panic!("{what} was taken for sound"));
            let text = error.render();
            assert!(text.contains("model.safetensors: not a whole safetensors file: "), "{what}: {text}");
            assert!(text.contains(expected), "{what}: {text}");
            assert!(text.contains("hint: copy or download the file again"), "{what}: {text}");
            assert_eq!(error.kind().exit_code(), 3, "{what}");
        }
    }

    #[test]
    fn a_pointer_that_git_left_is_told_from_damage() {
        let text =
            open(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n").err().expect("no weights").render();
        assert!(text.contains("git's pointer") && text.contains("git lfs pull"), "{text}");
    }

    #[test]
    fn a_mapped_tensor_equals_the_same_bytes_in_memory() {
        let mut bytes = raw(SOUND, 14);
        let start = bytes.len() - 14;
        bytes[start..].copy_from_slice(&[0, 0, 128, 63, 0, 0, 0, 192, 128, 63, 0, 64, 64, 192]);
        let embedded = TensorFile::open(&File::Embedded(Vec::leak(bytes.clone()))).expect("sound");
        let mapped = open(&bytes).expect("sound");
        for name in ["a", "b"] {
            let read = |file: &TensorFile| {
                file.read(name, &Device::Cpu, DType::F32).and_then(|t| Ok(t.to_vec1::<f32>()?)).expect("finite")
            };
            assert_eq!(read(&embedded), read(&mapped));
        }
    }
}
