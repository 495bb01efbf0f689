//! The tokens that all prompts begin with, a system prompt and a template's opening: read once, and forked for every prompt.

use crate::engine::local::arch::{Decoder, KvCache, Ragged};
use crate::error::Result;

/// What all prompts of a call begin with, in a cache of one row.
pub struct Prefix {
    tokens: usize,
    cache: Option<KvCache>,
}

impl Prefix {
    /// Tokens saved below which a pass of its own costs more than it saves.
    const WORTH: usize = 64;

    /// Reads what the prompts have in common, if that pays. Every prompt keeps at least one token of its own, whose hidden state tells what
    /// comes next.
    ///
    /// # Errors
    /// If the pass fails.
    pub fn read<'a>(decoder: &Decoder, prompts: impl IntoIterator<Item = &'a [u32]>) -> Result<Self> {
        let mut prompts = prompts.into_iter();
        let first = prompts.next().unwrap_or_default();
        let (mut common, mut others) = (first.len().saturating_sub(1), 0);
        for prompt in prompts {
            let most = common.min(prompt.len().saturating_sub(1));
            common = first.iter().zip(&prompt[..most]).take_while(|(a, b)| a == b).count();
            others += 1;
        }
        if common * others < Self::WORTH {
            return Ok(Self { tokens: 0, cache: None });
        }
        let mut cache = KvCache::new(1);
        decoder.read_ends(&Ragged { tokens: &first[..common], lengths: &[common] }, &[1], Some(&mut cache))?;
        Ok(Self { tokens: common, cache: Some(cache) })
    }

    /// How many tokens need not be read again.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// What is left to read of a prompt.
    pub fn rest<'a>(&self, prompt: &'a [u32]) -> &'a [u32] {
        &prompt[self.tokens..]
    }

    /// A cache of `rows` rows that have read it.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn fork(&self, rows: usize) -> Result<KvCache> {
        self.cache.as_ref().map_or_else(|| Ok(KvCache::new(rows)), |cache| cache.forked(rows))
    }
}
