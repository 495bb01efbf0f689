//! Small tools that know nothing of the trial: files, hashes, named random streams, statistics, HTTP.

pub mod clock;
pub mod fs;
pub mod hash;
pub mod http;
pub mod interrupt;
pub mod jsonl;
pub mod statistics;
pub mod streams;
