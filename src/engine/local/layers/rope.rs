//! Rotary position embedding (Su et al., arXiv 2104.09864), in the two-halves layout of Hugging Face; tables always in f32.

use std::sync::{Arc, Mutex};

use candle_core::{Device, Tensor};

use crate::error::Result;

/// How positions become angles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotary {
    /// The base of the frequencies.
    pub theta: f64,
    /// How they are slowed down for contexts longer than the model was first trained on.
    pub scaling: RotaryScaling,
}

/// How rotary frequencies are slowed down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RotaryScaling {
    /// Not at all.
    None,
    /// All by the same factor.
    Linear {
        /// What they are divided by.
        factor: f64,
    },
    /// As Llama 3.1 does: slow ones by `factor`, fast ones not, those between by degrees.
    Llama3 {
        /// What slow frequencies are divided by.
        factor: f64,
        /// Frequencies that turn less often than this within the original positions are slow.
        low_freq_factor: f64,
        /// Those that turn more often than this are fast.
        high_freq_factor: f64,
        /// Positions of the first training.
        original_positions: usize,
    },
}

impl Rotary {
    /// Plain frequencies `theta^(−2i / head_dim)`.
    pub fn plain(theta: f64) -> Self {
        Self { theta, scaling: RotaryScaling::None }
    }

    /// The frequencies of a head, in radians a position.
    fn frequencies(self, head_dim: usize) -> Vec<f32> {
        // transformers computes them in f32, and at far positions the last bit of a frequency is seen
        let plain = |i: usize| 1.0 / (self.theta as f32).powf(2.0 * i as f32 / head_dim as f32);
        (0..head_dim / 2).map(|i| self.scaling.slowed(plain(i))).collect()
    }
}

impl RotaryScaling {
    fn slowed(self, frequency: f32) -> f32 {
        match self {
            Self::None => frequency,
            Self::Linear { factor } => frequency / factor as f32,
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_positions } => {
                let (factor, low, high) = (factor as f32, low_freq_factor as f32, high_freq_factor as f32);
                let original = original_positions as f32;
                let wavelength = std::f32::consts::TAU / frequency;
                if wavelength > original / low {
                    frequency / factor
                } else if wavelength < original / high {
                    frequency
                } else {
                    let smooth = (original / wavelength - low) / (high - low);
                    (1.0 - smooth) * frequency / factor + smooth * frequency
                }
            }
        }
    }
}

/// The rotary frequencies of a model, and the table of angles computed so far.
pub(crate) struct Rope {
    frequencies: Vec<f32>,
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
    /// The angles of heads of width `head_dim`.
    pub(crate) fn new(rotary: Rotary, head_dim: usize) -> Self {
        Self { frequencies: rotary.frequencies(head_dim), table: Mutex::default() }
    }

    /// Cosine and sine for tokens at `positions`.
    pub(crate) fn angles(&self, positions: &[usize]) -> Angles {
        let half = self.frequencies.len();
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
        let angles = || (0..len).flat_map(|p| self.frequencies.iter().map(move |f| p as f32 * f));
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

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "as PyTorch prints them")]
mod tests {
    use super::*;

    // ROPE_INIT_FUNCTIONS of transformers 5.24 with the settings below
    const LLAMA3: [f32; 8] =
        [1.0, 0.19392276, 0.010538231, 0.00091158313, 0.00017677668, 3.4281024e-05, 6.6478697e-06, 1.2891732e-06];
    const LINEAR: [f32; 8] = [0.125, 0.03952847, 0.0125, 0.0039528473, 0.00125, 0.00039528473, 0.000125, 3.9528473e-05];

    #[test]
    fn slowed_frequencies_are_those_of_transformers() {
        let llama = Rotary {
            theta: 500_000.0,
            scaling: RotaryScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_positions: 256 },
        };
        let linear = Rotary { theta: 10_000.0, scaling: RotaryScaling::Linear { factor: 8.0 } };
        for (rotary, expected) in [(llama, LLAMA3), (linear, LINEAR)] {
            for (ours, theirs) in rotary.frequencies(16).into_iter().zip(expected) {
                assert!((ours - theirs).abs() <= 2e-7 * theirs, "{ours} against {theirs}: {rotary:?}");
            }
        }
    }
}
