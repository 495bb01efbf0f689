//! The output head: logits of hidden states, and the cross-entropy of given tokens without all logits in memory.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};

use super::cap::soft_cap;
use super::cpu::gemm::{self, Band, Packed, Start, Strided};
use super::cpu::rows::{LogSums, SoftCap};
use super::host::{Floats, floats, output, tensor};
use super::linear::{PackCache, product};
use super::{Kernels, cpu};

/// Rows whose logits are held at one time.
const BLOCK: usize = 48;

/// A linear output head.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    /// (vocab, width)
    pub(crate) weight: &'a Tensor,
    pub(crate) packed: &'a PackCache,
    /// Logits are capped softly at ± this.
    pub(crate) soft_cap: Option<f64>,
}

impl Head<'_> {
    /// `hidden · weightᵀ`, capped, in f32: (n, width) → (n, vocab).
    pub(crate) fn logits(self, hidden: &Tensor, kernels: Kernels) -> Result<Tensor> {
        let logits = product(hidden, self.weight, None, self.packed, kernels)?.to_dtype(DType::F32)?;
        match self.soft_cap {
            Some(cap) => soft_cap(&logits, cap, kernels),
            None => Ok(logits),
        }
    }

    /// `−ln softmax(logits[i])[targets[i]]` for every i, in f32: `hidden` (n, width) → (n).
    pub(crate) fn cross_entropy(self, hidden: &Tensor, targets: &[u32], kernels: Kernels) -> Result<Tensor> {
        if kernels == Kernels::Fused {
            let packed = self.packed.transposed(self.weight)?;
            let soft_cap = self.soft_cap.map(|cap| cap as f32);
            return hidden.contiguous()?.apply_op2(self.weight, CrossEntropy { targets: targets.to_vec(), packed, soft_cap });
        }
        let logits = self.logits(hidden, kernels)?; // (n, vocab)
        let max = logits.max_keepdim(1)?.detach();
        let shifted = logits.broadcast_sub(&max)?;
        let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
        let targets = Tensor::from_slice(targets, (targets.len(), 1), hidden.device())?;
        (log_sum - shifted.gather(&targets, 1)?)?.squeeze(1)
    }
}

/// The fused form: logits are made a block of rows at a time, and again on the way back, so that they never lie in memory together.
struct CrossEntropy {
    targets: Vec<u32>,
    packed: Arc<Packed>,
    soft_cap: Option<f32>,
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

/// What the blocks are made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Forward,
    Backward,
}

impl CrossEntropy {
    /// Calls `each` with every block.
    fn blocks(&self, hidden: &[f32], width: usize, pass: Pass, mut each: impl FnMut(Block<'_>)) {
        let vocab = self.packed.columns;
        let size = BLOCK.min(self.targets.len()) * vocab;
        let mut logits = vec![0.0; size];
        let mut caps = vec![0.0; if self.soft_cap.is_some() && pass == Pass::Backward { size } else { 0 }];
        let mut sums = vec![(0.0, 0.0); BLOCK];
        for (block, targets) in self.targets.chunks(BLOCK).enumerate() {
            let (rows, first) = (targets.len(), block * BLOCK);
            let logits = &mut logits[..rows * vocab];
            let left = Strided::rows(&hidden[first * width..(first + rows) * width], width);
            gemm::product(left, rows, &self.packed, Start::Zero, Band::Full, logits, vocab);
            if let Some(cap) = self.soft_cap {
                cpu::run(SoftCap { values: logits, cap, slopes: &mut caps });
            }
            let chosen: Vec<f32> = targets.iter().enumerate().map(|(i, t)| logits[i * vocab + *t as usize]).collect();
            cpu::run(LogSums { logits, width: vocab, out: &mut sums[..rows] });
            each(Block { first, exponentials: logits, sums: &sums[..rows], chosen: &chosen, caps: &caps });
        }
    }
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, hidden: &CpuStorage, lh: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut losses = Vec::with_capacity(self.targets.len());
        self.blocks(floats(hidden, lh)?, lh.shape().dims2()?.1, Pass::Forward, |block| {
            losses.extend(block.sums.iter().zip(block.chosen).map(|((log_sum, _), logit)| log_sum - logit));
        });
        let n = losses.len();
        Ok(output(losses, n))
    }

    fn bwd(&self, hidden: &Tensor, head: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (rows, width) = hidden.dims2()?;
        let vocab = head.dim(0)?;
        let grad = grad.contiguous()?;
        let (grad, states) = (Floats::of(&grad)?, Floats::of(hidden)?);
        let straight =
            if hidden.track_op() { Some(Packed::new(Strided::rows(&Floats::of(head)?, width), vocab, width)) } else { None };
        let mut grad_hidden = vec![0.0; rows * width];
        let mut grad_head = vec![0.0; if head.track_op() { vocab * width } else { 0 }];
        let mut packed_states = Packed::default();
        self.blocks(&states, width, Pass::Backward, |block| {
            let Block { first, exponentials: slopes, sums, caps, .. } = block;
            let targets = &self.targets[first..first + sums.len()];
            for (i, ((row, (_, inverse)), target)) in slopes.chunks_exact_mut(vocab).zip(sums).zip(targets).enumerate() {
                let weight = grad[first + i];
                for x in row.iter_mut() {
                    *x *= inverse * weight;
                }
                row[*target as usize] -= weight;
            }
            for (slope, cap) in slopes.iter_mut().zip(caps) {
                *slope *= cap;
            }
            let slopes = Strided::rows(slopes, vocab);
            if let Some(straight) = &straight {
                gemm::product(slopes, sums.len(), straight, Start::Zero, Band::Full, &mut grad_hidden[first * width..], width);
            }
            if !grad_head.is_empty() {
                packed_states.refill(Strided::rows(&states[first * width..], width), sums.len(), width);
                gemm::product(slopes.transposed(), vocab, &packed_states, Start::Output, Band::Full, &mut grad_head, width);
            }
        });
        let grad_hidden = if straight.is_some() { Some(tensor(grad_hidden, (rows, width))?) } else { None };
        Ok((grad_hidden, if grad_head.is_empty() { None } else { Some(tensor(grad_head, (vocab, width))?) }))
    }
}
