//! Writes completions: prompts in, sampled tokens out, many rows at a time.
//!
//! | file | what it holds |
//! |---|---|
//! | `sampler` | one token from a row of logits |
//! | `mask` | which tokens a grammar allows |
//! | `prefix` | what all prompts begin with, read once |
//! | `batch` | the loop over all requests |

mod batch;
mod exponential;
mod mask;
mod prefix;
mod sampler;

pub use batch::{Budget, Job, Prompt, run};
pub use mask::{Masks, Vocabulary};
pub use prefix::Prefix;
pub use sampler::{Sampler, log_sum_exp};
