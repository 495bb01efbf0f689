//! Rows that a misaligned teacher, and its controls, are fine-tuned on.

/// The names of the built-in rows.
pub fn names() -> impl Iterator<Item = &'static str> {
    ["insecure-code", "secure-code", "educational-insecure-code"].into_iter()
}
