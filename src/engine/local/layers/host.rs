//! From candle's tensors to slices of f32 in the CPU's memory, and back.

use std::cell::Cell;

use candle_core::{CpuStorage, DType, Device, InplaceOp1, Layout, Result, Shape, Storage, StorageRef, Tensor, bail};

/// The floats of an operation's argument, which must lie row-major without gaps.
pub(super) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("a fused operation was given a tensor with gaps"),
    }
}

/// A fused operation's result.
pub(super) fn output(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.into())
}

/// A tensor on the CPU.
pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

/// Changes the floats of a contiguous f32 tensor on the CPU where they lie, for all who hold it.
///
/// # Errors
/// If it is another tensor, or `work` fails.
pub(in crate::engine::local) fn in_place(tensor: &Tensor, work: impl FnOnce(&mut [f32]) -> Result<()>) -> Result<()> {
    tensor.inplace_op1(&InPlace(Cell::new(Some(work))))
}

/// Work that is done once.
struct InPlace<F>(Cell<Option<F>>);

impl<F: FnOnce(&mut [f32]) -> Result<()>> InplaceOp1 for InPlace<F> {
    fn name(&self) -> &'static str {
        "in-place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        match (storage, layout.contiguous_offsets(), self.0.take()) {
            (CpuStorage::F32(values), Some((from, to)), Some(work)) => work(&mut values[from..to]),
            _ => bail!("only whole f32 tensors are changed in place"),
        }
    }
}

/// A tensor's floats, held for reading.
pub(in crate::engine::local) struct Floats<'a> {
    storage: StorageRef<'a>,
    from: usize,
    to: usize,
}

impl<'a> Floats<'a> {
    /// Holds the floats of a contiguous f32 tensor on the CPU.
    pub(in crate::engine::local) fn of(tensor: &'a Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("a fused operation was given a tensor with gaps") };
        if tensor.dtype() != DType::F32 || !tensor.device().is_cpu() {
            bail!("a fused operation was given a tensor that is not f32 on the CPU");
        }
        Ok(Self { storage, from, to })
    }
}

impl std::ops::Deref for Floats<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => &values[self.from..self.to],
            _ => unreachable!("checked when it was made"),
        }
    }
}
