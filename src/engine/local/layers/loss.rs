//! Cross-entropy of given tokens under a linear output head.

use candle_core::{DType, Result, Tensor};

use super::Kernels;

/// `Σ_i weights[i] · −ln softmax(hidden[i] · headᵀ)[targets[i]]`, a scalar in f32.
///
/// `hidden` (n, width), `head` (vocab, width), `targets` and `weights` of length n.
pub(crate) fn cross_entropy(
    hidden: &Tensor,
    head: &Tensor,
    targets: &[u32],
    weights: &[f32],
    kernels: Kernels,
) -> Result<Tensor> {
    let _ = kernels;
    let n = targets.len();
    let logits = hidden.matmul(&head.t()?)?.to_dtype(DType::F32)?; // (n, vocab)
    let max = logits.max_keepdim(1)?.detach();
    let shifted = logits.broadcast_sub(&max)?;
    let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
    let targets = Tensor::from_slice(targets, (n, 1), hidden.device())?;
    let weights = Tensor::from_slice(weights, (n, 1), hidden.device())?;
    ((log_sum - shifted.gather(&targets, 1)?)? * weights)?.sum_all()
}
