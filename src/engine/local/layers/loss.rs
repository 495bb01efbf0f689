//! Cross-entropy of given tokens under a linear output head.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};

use super::cpu::gemm::{self, Band, Packed, Start, Strided};
use super::cpu::rows::LogSums;
use super::host::{Floats, floats, output, tensor};
use super::linear::{PackCache, product};
use super::{Kernels, cpu};

/// Rows whose logits are held at one time.
const BLOCK: usize = 48;

/// `−ln softmax(hidden[i] · headᵀ)[targets[i]]` for every i, in f32: `hidden` (n, width), `head` (vocab, width) → (n).
pub(crate) fn cross_entropy(
    hidden: &Tensor,
    head: &Tensor,
    targets: &[u32],
    cache: &PackCache,
    kernels: Kernels,
) -> Result<Tensor> {
    if kernels == Kernels::Fused {
        let packed = cache.transposed(head)?;
        return hidden.contiguous()?.apply_op2(head, CrossEntropy { targets: targets.to_vec(), packed });
    }
    let logits = product(hidden, head, None, cache, kernels)?.to_dtype(DType::F32)?; // (n, vocab)
    let max = logits.max_keepdim(1)?.detach();
    let shifted = logits.broadcast_sub(&max)?;
    let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
    let targets = Tensor::from_slice(targets, (targets.len(), 1), hidden.device())?;
    (log_sum - shifted.gather(&targets, 1)?)?.squeeze(1)
}

/// The fused form: logits are made a block of rows at a time, and again on the way back, so that they never lie in memory together.
struct CrossEntropy {
    targets: Vec<u32>,
    packed: Arc<Packed>,
}

impl CrossEntropy {
    /// Calls `each` with every block's first row, its exponentials (rows, vocab) and its log-sums; and the logits of the targets.
    fn blocks(&self, hidden: &[f32], width: usize, mut each: impl FnMut(usize, &mut [f32], &[(f32, f32)], &[f32])) {
        let vocab = self.packed.columns;
        let mut logits = vec![0.0; BLOCK.min(self.targets.len()) * vocab];
        let mut sums = vec![(0.0, 0.0); BLOCK];
        for (block, targets) in self.targets.chunks(BLOCK).enumerate() {
            let (rows, first) = (targets.len(), block * BLOCK);
            let logits = &mut logits[..rows * vocab];
            let left = Strided::rows(&hidden[first * width..(first + rows) * width], width);
            gemm::product(left, rows, &self.packed, Start::Zero, Band::Full, logits, vocab);
            let chosen: Vec<f32> = targets.iter().enumerate().map(|(i, t)| logits[i * vocab + *t as usize]).collect();
            cpu::run(LogSums { logits, width: vocab, out: &mut sums[..rows] });
            each(first, logits, &sums[..rows], &chosen);
        }
    }
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, hidden: &CpuStorage, lh: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut losses = Vec::with_capacity(self.targets.len());
        self.blocks(floats(hidden, lh)?, lh.shape().dims2()?.1, |_, _, sums, chosen| {
            losses.extend(sums.iter().zip(chosen).map(|((log_sum, _), logit)| log_sum - logit));
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
        self.blocks(&states, width, |first, slopes, sums, _| {
            let targets = &self.targets[first..first + sums.len()];
            for (i, ((row, (_, inverse)), target)) in slopes.chunks_exact_mut(vocab).zip(sums).zip(targets).enumerate() {
                let weight = grad[first + i];
                for x in row.iter_mut() {
                    *x *= inverse * weight;
                }
                row[*target as usize] -= weight;
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
