//! The output head: logits of hidden states, and the cross-entropy of given tokens without all logits in memory.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::cap::soft_cap;
use super::host::{Floats, floats, output, tensor};
use super::linear::product;
use super::weight::{Frozen, Weight};
use super::{Kernels, tape};
use crate::engine::local::cpu;
use crate::engine::local::cpu::gemm::{self, Band, Packed, Start, Strided};
use crate::engine::local::cpu::rows::{LogSums, SoftCap};

/// Rows whose logits are held at one time.
const BLOCK: usize = 48;

/// A linear output head.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    /// (vocab, width)
    pub(crate) weight: &'a Weight,
    /// Logits are capped softly at ± this.
    pub(crate) soft_cap: Option<f64>,
}

impl Head<'_> {
    /// `hidden · weightᵀ`, capped, in f32: (n, width) → (n, vocab).
    pub(crate) fn logits(self, hidden: &Tensor, kernels: Kernels) -> Result<Tensor> {
        let logits = product(hidden, self.weight, None, kernels)?.to_dtype(DType::F32)?;
        match self.soft_cap {
            Some(cap) => soft_cap(&logits, cap, kernels),
            None => Ok(logits),
        }
    }

    /// `−ln softmax(logits[i])[targets[i]]` for every i, in f32: `hidden` (n, width) → (n).
    pub(crate) fn cross_entropy(self, hidden: &Tensor, targets: &[u32], kernels: Kernels) -> Result<Tensor> {
        if kernels == Kernels::Fused {
            let (targets, soft_cap) = (targets.to_vec(), self.soft_cap.map(|cap| cap as f32));
            let hidden = hidden.contiguous()?;
            return match self.weight {
                Weight::Frozen(head) => tape::apply1(CrossEntropy { targets, soft_cap, head: Arc::clone(head) }, &hidden),
                // candle asks for a trained head by its tensor; packed for this pass alone
                Weight::Tensor(head) => {
                    let packed = Arc::new(Frozen::of(&head.detach())?);
                    tape::apply2(CrossEntropy { targets, soft_cap, head: packed }, &hidden, head)
                }
            };
        }
        let logits = self.logits(hidden, kernels)?; // (n, vocab)
        let max = logits.max_keepdim(1)?.detach();
        let shifted = logits.broadcast_sub(&max)?;
        let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
        let targets = Tensor::from_slice(targets, (targets.len(), 1), hidden.device())?;
        (log_sum - shifted.gather(&targets, 1)?)?.squeeze(1)
    }

    /// The losses of [`Head::cross_entropy`], and the gradient of the hidden states for their sum weighted by `weights`, with logits made
    /// once. `None` where the head is trained, or the form is the composite one.
    pub(crate) fn weighted_losses(self, hidden: &Tensor, targets: &[u32], weights: &[f32]) -> Result<Option<(Vec<f32>, Tensor)>> {
        let Weight::Frozen(head) = self.weight else { return Ok(None) };
        let (targets, soft_cap) = (targets.to_vec(), self.soft_cap.map(|cap| cap as f32));
        let (hidden, shape) = (hidden.contiguous()?, hidden.dims2()?);
        let op = CrossEntropy { targets, soft_cap, head: Arc::clone(head) };
        let slopes = op.slopes(&Floats::of(&hidden)?, shape.1, weights, [true, false]);
        Ok(Some((slopes.losses, tensor(slopes.hidden, shape)?)))
    }
}

/// The fused form: logits are made a block of rows at a time, and again on the way back, so that they never lie in memory together.
struct CrossEntropy {
    targets: Vec<u32>,
    soft_cap: Option<f32>,
    head: Arc<Frozen>,
}

/// The rows of one block.
struct Block<'a> {
    /// The block's first row.
    first: usize,
    /// `e^(logit − max)` (rows, vocab)
    exponentials: &'a mut [f32],
    /// For every row the log-sum, and one over the sum of the exponentials.
    sums: &'a [(f32, f32)],
    /// The logit of every row's target.
    chosen: &'a [f32],
    /// The slopes of the soft cap (rows, vocab), where they were asked for and there is one.
    caps: &'a [f32],
}

impl Block<'_> {
    fn losses(&self) -> impl Iterator<Item = f32> {
        self.sums.iter().zip(self.chosen).map(|((log_sum, _), logit)| log_sum - logit)
    }
}

/// What a way back through the loss gives.
struct Slopes {
    losses: Vec<f32>,
    hidden: Vec<f32>,
    head: Vec<f32>,
}

/// What the blocks are made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Forward,
    Backward,
}

/// [`LogSums`] on all threads.
fn over_logits(logits: &mut [f32], width: usize, out: &mut [(f32, f32)]) {
    let share = out.len().div_ceil(rayon::current_num_threads()).max(1);
    let parts = logits.par_chunks_mut(share * width).zip(out.par_chunks_mut(share));
    parts.for_each(|(logits, out)| cpu::run(LogSums { logits, width, out }));
}

impl CrossEntropy {
    /// Calls `each` with every block.
    fn blocks(&self, hidden: &[f32], width: usize, pass: Pass, mut each: impl FnMut(Block<'_>)) {
        let vocab = self.head.dims().0;
        let size = BLOCK.min(self.targets.len()) * vocab;
        let mut logits = vec![0.0; size];
        let mut caps = vec![0.0; if self.soft_cap.is_some() && pass == Pass::Backward { size } else { 0 }];
        let mut sums = vec![(0.0, 0.0); BLOCK];
        for (block, targets) in self.targets.chunks(BLOCK).enumerate() {
            let (rows, first) = (targets.len(), block * BLOCK);
            let logits = &mut logits[..rows * vocab];
            self.head.forward(&hidden[first * width..(first + rows) * width], None, logits);
            if let Some(cap) = self.soft_cap {
                cpu::run(SoftCap { values: logits, cap, slopes: &mut caps });
            }
            let chosen: Vec<f32> = targets.iter().enumerate().map(|(i, t)| logits[i * vocab + *t as usize]).collect();
            over_logits(logits, vocab, &mut sums[..rows]);
            each(Block { first, exponentials: logits, sums: &sums[..rows], chosen: &chosen, caps: &caps });
        }
    }
}

impl CrossEntropy {
    fn losses(&self, hidden: &CpuStorage, lh: &Layout) -> Result<(CpuStorage, Shape)> {
        let (hidden, width) = (floats(hidden, lh)?, lh.shape().dims2()?.1);
        if width != self.head.dims().1 {
            bail!("hidden states of width {width} were given a head of width {}", self.head.dims().1);
        }
        let mut losses = Vec::with_capacity(self.targets.len());
        self.blocks(hidden, width, Pass::Forward, |block| {
            losses.extend(block.losses());
        });
        let n = losses.len();
        Ok(output(losses, n))
    }

    /// The gradients of the hidden states and of the head, as far as they are asked for.
    fn backward(&self, hidden: &Tensor, grad: &Tensor, head_too: bool) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let shape = hidden.dims2()?;
        let grad = grad.contiguous()?;
        let (grad, states) = (Floats::of(&grad)?, Floats::of(hidden)?);
        let Slopes { hidden: of_hidden, head, .. } = self.slopes(&states, shape.1, &grad, [hidden.track_op(), head_too]);
        let of_hidden = if hidden.track_op() { Some(tensor(of_hidden, shape)?) } else { None };
        Ok((of_hidden, if head_too { Some(tensor(head, (self.head.dims().0, shape.1))?) } else { None }))
    }

    /// The losses, and the gradients of their weighted sum: of the hidden states (rows, width) and of the head, if they are `wanted`.
    fn slopes(&self, states: &[f32], width: usize, weights: &[f32], wanted: [bool; 2]) -> Slopes {
        let (rows, vocab) = (self.targets.len(), self.head.dims().0);
        let [of_hidden, of_head] = wanted;
        let mut losses = Vec::with_capacity(rows);
        let mut grad_hidden = vec![0.0; if of_hidden { rows * width } else { 0 }];
        let mut grad_head = vec![0.0; if of_head { vocab * width } else { 0 }];
        let mut packed_states = Packed::default();
        self.blocks(states, width, Pass::Backward, |block| {
            losses.extend(block.losses());
            let Block { first, exponentials: slopes, sums, caps, .. } = block;
            let targets = &self.targets[first..first + sums.len()];
            cpu::over_rows(slopes, vocab, |start, slopes| {
                let here = start / vocab..(start + slopes.len()) / vocab;
                let rows = slopes.chunks_exact_mut(vocab).zip(&sums[here.clone()]).zip(&targets[here.clone()]);
                for (((row, (_, inverse)), target), weight) in rows.zip(&weights[first + here.start..]) {
                    for x in row.iter_mut() {
                        *x *= inverse * weight;
                    }
                    row[*target as usize] -= weight;
                }
                for (slope, cap) in slopes.iter_mut().zip(caps.get(start..).unwrap_or_default()) {
                    *slope *= cap;
                }
            });
            if !grad_hidden.is_empty() {
                self.head.backward(slopes, &mut grad_hidden[first * width..(first + sums.len()) * width]);
            }
            if of_head {
                packed_states.refill(Strided::rows(&states[first * width..], width), sums.len(), width);
                let slopes = Strided::rows(slopes, vocab).transposed();
                gemm::product(slopes, vocab, &packed_states, Start::Output, Band::Full, &mut grad_head, width);
            }
        });
        Slopes { losses, hidden: grad_hidden, head: grad_head }
    }
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, hidden: &CpuStorage, lh: &Layout) -> Result<(CpuStorage, Shape)> {
        self.losses(hidden, lh)
    }

    fn bwd(&self, hidden: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(self.backward(hidden, grad, false)?.0)
    }
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy-trained"
    }

    fn cpu_fwd(&self, hidden: &CpuStorage, lh: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.losses(hidden, lh)
    }

    fn bwd(&self, hidden: &Tensor, head: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        self.backward(hidden, grad, head.track_op())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::engine::local::fixture::numbers;

    #[test]
    fn losses_and_their_slope_in_one_go_have_the_bits_of_two() {
        const ROWS: usize = 2 * BLOCK + 5;
        for dtype in [DType::F32, DType::BF16] {
            for soft_cap in [None, Some(0.8)] {
                let mut weight = Weight::Tensor(numbers(1, (70, 24)).to_dtype(dtype).expect("casts"));
                weight.freeze().expect("packs");
                let head = Head { weight: &weight, soft_cap };
                let hidden = Var::from_tensor(&numbers(2, (ROWS, 24))).expect("a variable");
                let targets: Vec<u32> = (0..ROWS as u32).map(|i| i * 37 % 70).collect();
                let weights: Vec<f32> = (0..ROWS).map(|i| 0.01 + i as f32 / 500.0).collect();
                let (losses, slope) = head.weighted_losses(&hidden, &targets, &weights).expect("runs").expect("a frozen head");

                let apart = head.cross_entropy(&hidden, &targets, Kernels::Fused).expect("runs");
                let weights = Tensor::from_vec(weights, ROWS, &Device::Cpu).expect("a row");
                let store = apart.mul(&weights).and_then(|y| y.sum_all()).and_then(|y| y.backward()).expect("differentiable");
                assert_eq!(losses, apart.to_vec1::<f32>().expect("f32"), "{dtype:?}, {soft_cap:?}");
                let expected = store.get(&hidden).expect("a gradient").to_vec2::<f32>().expect("f32");
                assert_eq!(slope.to_vec2::<f32>().expect("f32"), expected, "{dtype:?}, {soft_cap:?}");
            }
        }
        let weight = Weight::Tensor(numbers(1, (70, 24)));
        let head = Head { weight: &weight, soft_cap: None };
        assert!(head.weighted_losses(&numbers(2, (1, 24)), &[1], &[1.0]).expect("answers").is_none(), "a head that may learn");
    }
}
