//! Small tools that know nothing of the trial: files, hashes, memory, named random streams, statistics, the terminal, HTTP.

pub mod bounded;
pub mod clock;
pub mod fs;
pub mod gpu;
pub mod hash;
pub mod http;
pub mod interrupt;
pub mod jsonl;
pub mod memory;
pub mod statistics;
pub mod streams;
