//! Small tools that know nothing of the trial: files, hashes, memory, processes, named random streams, statistics, HTTP.

pub mod bounded;
pub mod clock;
pub mod fs;
pub mod gpu;
pub mod growing;
pub mod hash;
pub mod http;
pub mod interrupt;
pub mod jsonl;
pub mod memory;
pub mod peak;
pub mod process;
pub mod statistics;
pub mod streams;
