//! Keys and values of tokens already seen, row by row. Room grows by doubling, so that a step does not copy what is there.

use candle_core::{Result, Tensor};
use half::bf16;

use super::ragged::Batch;
use crate::engine::local::cpu::gemm::{Element, Packed};

/// The cache of a set of rows, one entry per decoder layer.
#[derive(Default)]
pub struct KvCache {
    lengths: Vec<usize>,
    layers: Vec<LayerCache>,
}

/// Keys and values of one layer.
#[derive(Default)]
pub(crate) enum LayerCache {
    /// Nothing yet.
    #[default]
    Empty,
    /// On any device.
    Tensors(TensorCache),
    /// In the CPU's memory, as the fused attention reads it: one entry per row.
    Host(Vec<HostRow<f32>>),
    /// The same, rounded to bf16.
    Narrow(Vec<HostRow<bf16>>),
}

/// One row's keys and values, one entry per key/value head.
#[derive(Default, Clone)]
pub(crate) struct HostRow<E> {
    pub(crate) heads: Vec<HostHead<E>>,
}

/// One head's keys (after rotation) and values, as right-hand sides of products.
#[derive(Clone)]
pub(crate) struct HostHead<E> {
    /// The transpose of (context, head_dim).
    pub(crate) keys: Packed<E>,
    /// (context, head_dim)
    pub(crate) values: Packed<E>,
}

impl<E: Element> HostRow<E> {
    /// A row without tokens.
    pub(crate) fn new(kv_heads: usize, head_dim: usize) -> Self {
        let head = HostHead { keys: Packed::of_depth(head_dim), values: Packed::of_columns(head_dim) };
        Self { heads: vec![head; kv_heads] }
    }
}

/// Keys (after rotation) and values in tensors with spare room: each (rows · capacity, kv_heads · head_dim).
pub(crate) struct TensorCache {
    keys: Tensor,
    values: Tensor,
    rows: usize,
    capacity: usize,
}

impl KvCache {
    /// An empty cache for `rows` rows.
    pub fn new(rows: usize) -> Self {
        Self { lengths: vec![0; rows], layers: Vec::new() }
    }

    /// How many tokens of each row are cached.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Makes row `i` of the new cache what row `rows[i]` was: drops rows, reorders them, or forks one into many.
    ///
    /// # Errors
    /// If the device refuses.
    ///
    /// # Panics
    /// If an index is not a row.
    pub fn keep(&mut self, rows: &[usize]) -> crate::error::Result<()> {
        for layer in &mut self.layers {
            match layer {
                LayerCache::Empty => {}
                LayerCache::Tensors(cache) => *cache = cache.kept(rows)?,
                LayerCache::Host(old) => *old = kept(std::mem::take(old), rows),
                LayerCache::Narrow(old) => *old = kept(std::mem::take(old), rows),
            }
        }
        self.lengths = rows.iter().map(|&row| self.lengths[row]).collect();
        Ok(())
    }

    /// A cache of `rows` rows, each what the first row of this one is.
    ///
    /// # Errors
    /// If the device refuses.
    pub(crate) fn forked(&self, rows: usize) -> crate::error::Result<Self> {
        let fork = |layer: &LayerCache| {
            Ok(match layer {
                LayerCache::Empty => LayerCache::Empty,
                LayerCache::Tensors(cache) => LayerCache::Tensors(cache.kept(&vec![0; rows])?),
                LayerCache::Host(old) => LayerCache::Host(vec![old[0].clone(); rows]),
                LayerCache::Narrow(old) => LayerCache::Narrow(vec![old[0].clone(); rows]),
            })
        };
        let layers = self.layers.iter().map(fork).collect::<Result<_>>()?;
        Ok(Self { lengths: vec![self.lengths[0]; rows], layers })
    }

    /// Puts the rows of another cache of the same model behind these: freshly read prompts join the rows that are being continued.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn append(&mut self, other: KvCache) -> crate::error::Result<()> {
        if self.lengths.is_empty() {
            *self = other;
            return Ok(());
        }
        for (index, theirs) in other.layers.into_iter().enumerate() {
            match (self.layer(index), theirs) {
                (LayerCache::Tensors(mine), LayerCache::Tensors(theirs)) => mine.append(theirs)?,
                (LayerCache::Host(mine), LayerCache::Host(theirs)) => mine.extend(theirs),
                (LayerCache::Narrow(mine), LayerCache::Narrow(theirs)) => mine.extend(theirs),
                _ => return Err(crate::error::Error::environment("caches of different forms cannot be joined")),
            }
        }
        self.lengths.extend(other.lengths);
        Ok(())
    }

    /// The entry of a layer.
    pub(crate) fn layer(&mut self, index: usize) -> &mut LayerCache {
        while self.layers.len() <= index {
            self.layers.push(LayerCache::Empty);
        }
        &mut self.layers[index]
    }

    /// Counts the tokens of a batch that every layer has taken in.
    pub(crate) fn advance(&mut self, lengths: &[usize]) {
        for (have, new) in self.lengths.iter_mut().zip(lengths) {
            *have += new;
        }
    }
}

/// Moves rows to where they are kept; a row kept several times is copied for all but the last.
fn kept<E: Element>(old: Vec<HostRow<E>>, rows: &[usize]) -> Vec<HostRow<E>> {
    let mut left = vec![0_usize; old.len()];
    for &row in rows {
        left[row] += 1;
    }
    let mut old: Vec<Option<HostRow<E>>> = old.into_iter().map(Some).collect();
    let mut take = |row: usize| {
        left[row] -= 1;
        if left[row] == 0 { old[row].take() } else { old[row].clone() }
    };
    rows.iter().filter_map(|&row| take(row)).collect() // every row is there as often as it was counted
}

impl LayerCache {
    /// Stores the batch's keys and values (tokens, kv_heads · head_dim) and returns all of them, each
    /// (rows, longest context, kv_heads · head_dim); what lies beyond a row's length is arbitrary but finite.
    pub(crate) fn extend(&mut self, keys: &Tensor, values: &Tensor, batch: &Batch) -> Result<(Tensor, Tensor)> {
        let rows = batch.segments.len();
        let need = batch.longest_context();
        if let LayerCache::Empty = self {
            *self = LayerCache::Tensors(TensorCache::with_room(keys, rows, need)?);
        }
        let LayerCache::Tensors(cache) = self else {
            candle_core::bail!("a cache of the fused form was given to the composite one")
        };
        cache.make_room(need)?;
        cache.write(keys, values, batch)?;
        cache.read(need)
    }
}

/// A number that the fused form's cache can hold.
pub(crate) trait Cached: Element {
    /// The rows of a layer's cache, made when first needed.
    fn rows(cache: &mut LayerCache, rows: usize, kv_heads: usize, head_dim: usize) -> Result<&mut Vec<HostRow<Self>>>;
}

impl Cached for f32 {
    fn rows(cache: &mut LayerCache, rows: usize, kv_heads: usize, head_dim: usize) -> Result<&mut Vec<HostRow<f32>>> {
        if let LayerCache::Empty = cache {
            *cache = LayerCache::Host(vec![HostRow::new(kv_heads, head_dim); rows]);
        }
        match cache {
            LayerCache::Host(rows) => Ok(rows),
            _ => candle_core::bail!("a cache of another form or format was given to attention in f32"),
        }
    }
}

impl Cached for bf16 {
    fn rows(cache: &mut LayerCache, rows: usize, kv_heads: usize, head_dim: usize) -> Result<&mut Vec<HostRow<bf16>>> {
        if let LayerCache::Empty = cache {
            *cache = LayerCache::Narrow(vec![HostRow::new(kv_heads, head_dim); rows]);
        }
        match cache {
            LayerCache::Narrow(rows) => Ok(rows),
            _ => candle_core::bail!("a cache of another form or format was given to attention in bf16"),
        }
    }
}

impl TensorCache {
    fn with_room(like: &Tensor, rows: usize, need: usize) -> Result<Self> {
        let capacity = need.next_power_of_two().max(16);
        let zeros = || Tensor::zeros((rows * capacity, like.dim(1)?), like.dtype(), like.device());
        Ok(Self { keys: zeros()?, values: zeros()?, rows, capacity })
    }

    fn make_room(&mut self, need: usize) -> Result<()> {
        if need <= self.capacity {
            return Ok(());
        }
        let capacity = need.next_power_of_two();
        let (rows, old) = (self.rows, self.capacity);
        let grow = |t: &Tensor| -> Result<Tensor> {
            let width = t.dim(1)?;
            t.reshape((rows, old, width))?.pad_with_zeros(1, 0, capacity - old)?.contiguous()?.reshape((rows * capacity, width))
        };
        (self.keys, self.values) = (grow(&self.keys)?, grow(&self.values)?);
        self.capacity = capacity;
        Ok(())
    }

    fn write(&self, keys: &Tensor, values: &Tensor, batch: &Batch) -> Result<()> {
        let places: Vec<u32> = batch
            .segments
            .iter()
            .enumerate()
            .flat_map(|(row, s)| (0..s.len).map(move |i| (row * self.capacity + s.past + i) as u32))
            .collect();
        let places = Tensor::from_vec(places, (keys.dim(0)?, 1), keys.device())?.broadcast_as(keys.shape())?.contiguous()?;
        self.keys.scatter_set(&places, &keys.detach().contiguous()?, 0)?;
        self.values.scatter_set(&places, &values.detach().contiguous()?, 0)
    }

    fn read(&self, need: usize) -> Result<(Tensor, Tensor)> {
        let read = |t: &Tensor| t.reshape((self.rows, self.capacity, t.dim(1)?))?.narrow(1, 0, need);
        Ok((read(&self.keys)?, read(&self.values)?))
    }

    fn append(&mut self, mut other: Self) -> Result<()> {
        self.make_room(other.capacity)?;
        other.make_room(self.capacity)?;
        self.keys = Tensor::cat(&[&self.keys, &other.keys], 0)?;
        self.values = Tensor::cat(&[&self.values, &other.values], 0)?;
        self.rows += other.rows;
        Ok(())
    }

    fn kept(&self, rows: &[usize]) -> Result<Self> {
        let index: Vec<u32> = rows.iter().map(|&r| r as u32).collect();
        let index = Tensor::from_vec(index, rows.len(), self.keys.device())?;
        let select = |t: &Tensor| -> Result<Tensor> {
            let width = t.dim(1)?;
            let chosen = t.reshape((self.rows, self.capacity * width))?.index_select(&index, 0)?;
            chosen.reshape((rows.len() * self.capacity, width))
        };
        Ok(Self { keys: select(&self.keys)?, values: select(&self.values)?, rows: rows.len(), capacity: self.capacity })
    }
}
