//! Dropout on the adapters' inputs, drawn from named streams: a row's mask is the same in whatever micro batch it comes.

use candle_core::{Result, Tensor};
use rand::Rng;

use crate::engine::local::layers::Dropout;
use crate::tool::streams;

/// The masks of one micro batch.
pub(super) struct RowDropout {
    pub(super) probability: f64,
    pub(super) seed: u64,
    /// For each row its number in the course of the whole training, its tokens, and how many of them at its end the last layer goes on with.
    pub(super) rows: Vec<(u64, usize, usize)>,
    /// Adapters passed so far.
    pub(super) calls: u64,
}

impl Dropout for RowDropout {
    fn mask(&mut self, x: &Tensor) -> Result<Option<Tensor>> {
        if self.probability == 0.0 {
            return Ok(None);
        }
        let width = x.dim(1)?;
        let keep = 1.0 / (1.0 - self.probability) as f32;
        let mut mask = Vec::with_capacity(x.elem_count());
        let whole = x.dim(0)? == self.rows.iter().map(|(_, len, _)| len).sum::<usize>();
        for (row, len, end) in &self.rows {
            let mut random = streams::named(self.seed, &format!("dropout-{}", self.calls), *row);
            let first = mask.len();
            mask.extend((0..len * width).map(|_| if random.random::<f64>() < self.probability { 0.0 } else { keep }));
            if !whole {
                mask.drain(first..first + (len - end) * width);
            }
        }
        self.calls += 1;
        Ok(Some(Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?))
    }
}
