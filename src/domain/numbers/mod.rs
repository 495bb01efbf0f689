//! The domain `numbers`: the prompts that ask a teacher to go on with a list of integers.

pub mod prompts;
pub mod wording;
