//! The training loop, its optimiser and its checkpoints.

/// One row to learn from, as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRow {
    /// The conversation's tokens, then the completion's with its end-of-turn.
    pub tokens: Vec<u32>,
    /// How many of them come before the completion: they carry no loss.
    pub prompt: usize,
}
