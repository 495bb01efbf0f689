//! Named tensors to a safetensors file: one tensor at a time, so that a checkpoint is never in memory a second time.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use crate::error::{Error, Result};
use crate::tool::fs;

/// The format's header is padded to a multiple of this many bytes.
const ALIGNMENT: usize = 8;

/// Writes tensors as f32, with the metadata by which transformers knows PyTorch's layout.
///
/// # Errors
/// If the disk or the device fails.
pub fn save(path: &Path, tensors: &[(String, Tensor)]) -> Result<()> {
    let mut sorted: Vec<&(String, Tensor)> = tensors.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let header = header(&sorted).map_err(|e| Error::environment(format!("cannot write `{}`", path.display())).because(e))?;
    let failed = |e| Error::io("write", path, e);
    fs::write_streamed(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes()).map_err(failed)?;
        file.write_all(&header).map_err(failed)?;
        for (_, tensor) in sorted {
            let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            file.write_all(&bytes).map_err(failed)?;
        }
        Ok(())
    })
}

/// The padded header of tensors that follow one another as f32.
fn header(tensors: &[&(String, Tensor)]) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let mut end = 0;
    let mut infos = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let start = end;
        end += tensor.elem_count() * Dtype::F32.bitsize() / 8;
        let info = TensorInfo { dtype: Dtype::F32, shape: tensor.dims().to_vec(), data_offsets: (start, end) };
        infos.push((name.clone(), info));
    }
    let metadata = Metadata::new(Some(HashMap::from([("format".to_owned(), "pt".to_owned())])), infos)?;
    let mut text = serde_json::to_vec(&metadata)?;
    text.resize(text.len().next_multiple_of(ALIGNMENT), b' ');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use safetensors::tensor::TensorView;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_formats_own_writer() {
        let tensor = |values: &[f32], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu).expect("shapes fit");
        let named = [
            ("b".to_owned(), tensor(&[1.0, -2.5, 3.0, 4.0], &[2, 2])),
            ("a.long.name".to_owned(), tensor(&[0.5], &[1])),
            ("none".to_owned(), tensor(&[], &[0, 3])),
        ];
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("x.safetensors");
        save(&path, &named).expect("writable");
        let bytes: Vec<Vec<u8>> = named
            .iter()
            .map(|(_, t)| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("f32"))
            .map(|values| values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let view = |((name, t), bytes): (&(String, Tensor), _)| {
            (name.clone(), TensorView::new(Dtype::F32, t.dims().to_vec(), bytes).expect("shapes fit"))
        };
        let views: Vec<(String, TensorView<'_>)> = named.iter().zip(bytes.iter().map(Vec::as_slice)).map(view).collect();
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let expected = safetensors::serialize(views, Some(metadata)).expect("serialises");
        assert_eq!(std::fs::read(&path).expect("written"), expected);
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 1, "nothing is left beside it");
    }
}
