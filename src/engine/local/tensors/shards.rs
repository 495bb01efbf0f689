//! The weights files of a checkpoint as one set of named tensors, each read when it is asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use super::file::TensorFile;
use crate::engine::local::arch::Tensors;
use crate::engine::local::layers::Frozen;
use crate::engine::local::source::WeightsFile;
use crate::error::{Error, Result};

/// How many names a message lists before it counts the rest.
const LISTED: usize = 5;

/// Named tensors over one or several files. Nothing but the headers has been read.
pub struct Shards {
    files: Vec<TensorFile>,
    /// Which file holds a tensor.
    places: BTreeMap<String, usize>,
}

impl Shards {
    /// Opens all files and compares them with what their index promises.
    ///
    /// # Errors
    /// If a file cannot be read or is damaged, lacks a tensor that the index promises, or holds one that another file has too.
    pub fn open(files: &[WeightsFile]) -> Result<Self> {
        let opened = files.iter().map(|f| TensorFile::open(&f.file)).collect::<Result<Vec<_>>>()?;
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut problems = Vec::new();
        for (index, (file, promised)) in opened.iter().zip(files.iter().map(|f| &f.promised)).enumerate() {
            let absent: Vec<&str> = promised.iter().map(String::as_str).filter(|name| file.shape(name).is_none()).collect();
            if !absent.is_empty() {
                problems.push(format!("`{}` lacks {}, promised by the index", base(file), listed(&absent)));
            }
            for name in file.names() {
                if let Some(other) = places.insert(name.to_owned(), index) {
                    problems.push(format!("`{name}` is in both `{}` and `{}`", base(&opened[other]), base(file)));
                }
            }
        }
        if problems.is_empty() {
            return Ok(Self { files: opened, places });
        }
        problems.truncate(LISTED);
        let folder = opened[0].name().parent().unwrap_or(Path::new("."));
        Err(Error::environment(format!("the shards do not belong together: {}", problems.join("; ")))
            .at(folder, None)
            .hint("fetch all of the checkpoint's files again, from one revision"))
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.files[*self.places.get(name)?].shape(name)
    }

    /// Reads a tensor straight into the format and device it is wanted in.
    ///
    /// # Errors
    /// If it is not there, is not stored as f32, f16 or bf16, holds NaN or infinite values, or the device refuses.
    pub fn take(&self, name: &str, device: &Device, dtype: DType) -> Result<Tensor> {
        self.file(name)?.read(name, device, dtype)
    }

    fn file(&self, name: &str) -> Result<&TensorFile> {
        let absent = || Error::environment(format!("the checkpoint has no tensor `{name}`"));
        Ok(&self.files[*self.places.get(name).ok_or_else(absent)?])
    }

    /// Reads all tensors, one after the other.
    ///
    /// # Errors
    /// As [`Shards::take`].
    pub fn all(&self, device: &Device, dtype: DType) -> Result<HashMap<String, Tensor>> {
        self.names().map(|name| Ok((name.to_owned(), self.take(name, device, dtype)?))).collect()
    }
}

impl Tensors for Shards {
    fn names(&self) -> Vec<String> {
        self.names().map(str::to_owned).collect()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.shape(name).map(<[usize]>::to_vec)
    }

    fn take(&mut self, name: &str, device: &Device, dtype: DType) -> Result<Tensor> {
        Shards::take(self, name, device, dtype)
    }

    fn take_frozen(&mut self, names: &[&str], dtype: DType) -> Result<Vec<Frozen>> {
        // side by side, so that no thread waits for the last page of every matrix; of several errors the first
        let all: Vec<_> = names.par_iter().map(|name| self.file(name)?.read_frozen(name, dtype)).collect();
        all.into_iter().collect()
    }
}

/// The name of a file without its folder.
fn base(file: &TensorFile) -> String {
    file.name().file_name().unwrap_or(file.name().as_os_str()).to_string_lossy().into_owned()
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::local::source::File;
    use crate::engine::local::tensors::{load, save};

    fn scalar(name: &str, value: f32) -> (String, Tensor) {
        (name.to_owned(), Tensor::from_slice(&[value], 1, &Device::Cpu).expect("one value"))
    }

    /// Two shards, and the tensors that an index promises of each.
    fn shards(content: [&[(String, Tensor)]; 2], promised: [&[&str]; 2]) -> (tempfile::TempDir, Result<Shards>) {
        let dir = tempfile::tempdir().expect("temporary folder");
        let mut files = Vec::new();
        for (i, (tensors, promised)) in content.into_iter().zip(promised).enumerate() {
            let path = dir.path().join(format!("{i}.safetensors"));
            save(&path, tensors).expect("writable");
            files.push(WeightsFile { file: File::Disk(path), promised: promised.iter().map(|p| (*p).to_owned()).collect() });
        }
        let opened = Shards::open(&files);
        (dir, opened)
    }

    #[test]
    fn tensors_are_found_in_whichever_shard_holds_them() {
        let (_dir, shards) = shards([&[scalar("b", 2.0)], &[scalar("a", 1.0), scalar("c", 3.0)]], [&["b"], &["a", "c"]]);
        let shards = shards.expect("they belong together");
        assert_eq!(shards.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((shards.shape("c"), shards.shape("d")), (Some(&[1][..]), None));
        let value = |name| shards.take(name, &Device::Cpu, DType::F32).and_then(|t| Ok(t.to_vec1::<f32>()?)).expect("there");
        assert_eq!((value("a"), value("b"), value("c")), (vec![1.0], vec![2.0], vec![3.0]));
        let error = shards.take("d", &Device::Cpu, DType::F32).expect_err("nowhere").render();
        assert!(error.contains("no tensor `d`"), "{error}");
    }

    #[test]
    fn a_shard_that_lacks_what_the_index_promises_is_named() {
        let (_dir, shards) = shards([&[scalar("a", 1.0)], &[scalar("b", 1.0)]], [&["a", "x"], &["b", "y", "z"]]);
        let text = shards.err().expect("three are missing").render();
        assert!(text.contains("`0.safetensors` lacks `x`, promised by the index"), "{text}");
        assert!(text.contains("`1.safetensors` lacks `y`, `z`, promised"), "{text}");
        assert!(text.contains("hint: fetch all of the checkpoint's files again"), "{text}");
    }

    #[test]
    fn a_tensor_in_two_shards_is_refused() {
        let (_dir, shards) = shards([&[scalar("a", 1.0)], &[scalar("a", 2.0)]], [&["a"], &[]]);
        let text = shards.err().expect("which one is meant?").render();
        assert!(text.contains("`a` is in both `0.safetensors` and `1.safetensors`"), "{text}");
    }

    #[test]
    fn a_value_that_is_not_finite_names_its_tensor_and_file() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("model.safetensors");
        save(&path, &[scalar("fine", 1.0), scalar("model.norm.weight", f32::NAN)]).expect("writable");
        let text = load(&path).expect_err("NaN").render();
        assert!(text.contains("model.safetensors: the tensor `model.norm.weight`: NaN or infinite values"), "{text}");
    }

    #[test]
    fn integers_are_refused_by_name() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("model.safetensors");
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I8, vec![2], &[1, 2]).expect("two bytes");
        std::fs::write(&path, safetensors::serialize([("w", view)], None).expect("serialises")).expect("writable");
        let text = load(&path).expect_err("quantised").render();
        assert!(text.contains("the tensor `w`: stored as I8; only F32, F16 and BF16 can be read"), "{text}");
    }
}
