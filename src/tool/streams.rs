//! Named, indexed random streams: `(seed, purpose, index)` gives the same numbers wherever and whenever it is asked for.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::record::StreamId;

/// The generator of one stream.
pub fn stream(id: &StreamId) -> ChaCha8Rng {
    named(id.seed, &id.purpose, id.index)
}

/// The generator of the stream `index` of `purpose` in the replicate `seed`.
pub fn named(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new_derive_key("subliminal random stream 1");
    hasher.update(&seed.to_le_bytes());
    hasher.update(&index.to_le_bytes());
    hasher.update(purpose.as_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use rand::RngCore;

    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_index_and_repeat() {
        let first = |seed, purpose, index| named(seed, purpose, index).next_u64();
        assert_eq!(first(1, "generate", 17), first(1, "generate", 17));
        assert_ne!(first(1, "generate", 17), first(2, "generate", 17));
        assert_ne!(first(1, "generate", 17), first(1, "evaluate", 17));
        assert_ne!(first(1, "generate", 17), first(1, "generate", 18));
    }
}
