//! Safetensors files: read one tensor at a time out of a memory map, written one at a time.
//!
//! | module | what it holds |
//! |---|---|
//! | `file` | one file: its header checked, its bytes mapped |
//! | `convert` | stored floats to the format and device that the work runs in |
//! | `shards` | the files of a checkpoint as one set of named tensors |
//! | `write` | named tensors to a file, whole or not at all |

mod convert;
mod file;
mod shards;
mod write;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::source::File;
use crate::error::Result;

pub(crate) use file::check;
pub use shards::Shards;
pub use write::save;

/// Reads all tensors of a file into the CPU's memory, as f32.
///
/// # Errors
/// If the file is missing or not a whole safetensors file, or a tensor is not of finite floats.
pub fn load(path: &Path) -> Result<HashMap<String, Tensor>> {
    Shards::open(&[File::Disk(path.to_path_buf()).into()])?.all(&Device::Cpu, DType::F32)
}
