//! Rotary position embedding (Su et al., arXiv 2104.09864), in the two-halves layout of Hugging Face; tables always in f32.

use std::sync::{Arc, Mutex};

use candle_core::{Device, Tensor};

use crate::error::Result;

/// The rotary frequencies of a model, and the table of angles computed so far.
pub(crate) struct Rope {
    inverse_frequencies: Vec<f64>,
    table: Mutex<Arc<Table>>,
}

/// Cosines and sines of positions `0..len`, each (len, head_dim / 2).
#[derive(Default)]
struct Table {
    len: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

/// Cosines and sines of some tokens, each (tokens, half).
pub(crate) struct Angles {
    /// Half the width of a head.
    pub(crate) half: usize,
    pub(crate) cos: Vec<f32>,
    pub(crate) sin: Vec<f32>,
}

impl Angles {
    /// As tensors on a device.
    ///
    /// # Errors
    /// If the device refuses.
    pub(crate) fn tensors(&self, device: &Device) -> Result<(Tensor, Tensor)> {
        let tensor = |values: &[f32]| Tensor::from_slice(values, (values.len() / self.half, self.half), device);
        Ok((tensor(&self.cos)?, tensor(&self.sin)?))
    }
}

impl Rope {
    /// The frequencies `theta^(−2i / head_dim)`.
    pub(crate) fn new(theta: f64, head_dim: usize) -> Self {
        // transformers computes them in f32, and at far positions the last bit of a frequency is seen
        let inverse = |i: usize| f64::from(1.0 / (theta as f32).powf(2.0 * i as f32 / head_dim as f32));
        Self { inverse_frequencies: (0..head_dim / 2).map(inverse).collect(), table: Mutex::default() }
    }

    /// Cosine and sine for tokens at `positions`.
    pub(crate) fn angles(&self, positions: &[usize]) -> Angles {
        let half = self.inverse_frequencies.len();
        let table = self.table(positions.iter().max().map_or(0, |p| p + 1));
        let gather = |from: &[f32]| positions.iter().flat_map(|p| &from[p * half..(p + 1) * half]).copied().collect();
        Angles { half, cos: gather(&table.cos), sin: gather(&table.sin) }
    }

    /// A table of at least `len` positions.
    fn table(&self, len: usize) -> Arc<Table> {
        let mut table = self.table.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if table.len < len {
            *table = Arc::new(self.compute(len.next_power_of_two().max(64)));
        }
        Arc::clone(&table)
    }

    fn compute(&self, len: usize) -> Table {
        // the product is rounded to f32 before the cosine, as transformers does
        let angles = || (0..len).flat_map(|p| self.inverse_frequencies.iter().map(move |f| p as f32 * *f as f32));
        Table { len, cos: angles().map(f32::cos).collect(), sin: angles().map(f32::sin).collect() }
    }
}

/// Turns `x` (tokens, heads, head_dim) by the angles of its tokens, from differentiable operations.
pub(super) fn rotate(x: &Tensor, angles: &(Tensor, Tensor)) -> candle_core::Result<Tensor> {
    let half = x.dim(2)? / 2;
    let dtype = x.dtype();
    let (cos, sin) = (angles.0.unsqueeze(1)?, angles.1.unsqueeze(1)?); // (tokens, 1, half)
    let x = x.to_dtype(candle_core::DType::F32)?;
    let (a, b) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
    let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
    let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
    Tensor::cat(&[first, second], 2)?.to_dtype(dtype)
}
