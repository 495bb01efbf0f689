//! Cross-entropy of given tokens under a linear output head.

use candle_core::{DType, Result, Tensor};

use super::Kernels;
use super::linear::product;

/// `−ln softmax(hidden[i] · headᵀ)[targets[i]]` for every i, in f32: `hidden` (n, width), `head` (vocab, width) → (n).
pub(crate) fn cross_entropy(hidden: &Tensor, head: &Tensor, targets: &[u32], kernels: Kernels) -> Result<Tensor> {
    let logits = product(hidden, head, None, kernels)?.to_dtype(DType::F32)?; // (n, vocab)
    let max = logits.max_keepdim(1)?.detach();
    let shifted = logits.broadcast_sub(&max)?;
    let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
    let targets = Tensor::from_slice(targets, (targets.len(), 1), hidden.device())?;
    (log_sum - shifted.gather(&targets, 1)?)?.squeeze(1)
}
