//! What a student is asked, and how its answers are scored.

pub mod preference;
