//! Named tensors to and from safetensors files; written in f32, whole or not at all.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result};
use crate::tool::fs;

/// Writes tensors as f32, with the metadata by which transformers knows PyTorch's layout.
///
/// # Errors
/// If the disk or the device fails.
pub fn save(path: &Path, tensors: &[(String, Tensor)]) -> Result<()> {
    let mut held = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        held.push((name.as_str(), tensor.dims().to_vec(), bytes));
    }
    let refused = |e: safetensors::SafeTensorError| Error::environment(format!("cannot write `{}`", path.display())).because(e);
    let mut views = Vec::with_capacity(held.len());
    for (name, shape, bytes) in &held {
        views.push((*name, TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(refused)?));
    }
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    fs::write_whole(path, &safetensors::serialize(views, Some(metadata)).map_err(refused)?)
}

/// Reads all tensors of a file into the CPU's memory.
///
/// # Errors
/// If the file is missing or not a whole safetensors file.
pub fn load(path: &Path) -> Result<HashMap<String, Tensor>> {
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
    candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|e| Error::input("not a whole safetensors file").because(e).at(path, None))
}
