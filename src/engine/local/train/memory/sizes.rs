//! The formulas: what each part of a training holds, in bytes, told from the shapes of the decoder's weights.

use candle_core::DType;

use crate::engine::local::adapter;
use crate::engine::local::arch::DecoderConfig;
use crate::engine::local::train::pass::LOGITS;
use crate::record::{Finetune, Method};

/// Bytes of an f32: what learns, and what the optimiser keeps.
const WIDE: u64 = 4;

/// Rows whose logits the fused loss holds at one time.
const FUSED_LOSS_ROWS: u64 = 48;

/// One micro batch.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// Its rows.
    pub(super) count: u64,
    /// Tokens of each.
    pub(super) longest: u64,
}

impl Rows {
    fn tokens(self) -> u64 {
        self.count * self.longest
    }

    /// Tokens that carry a loss.
    fn counted(self) -> u64 {
        self.tokens().div_ceil(2)
    }
}

/// A linear layer of one decoder layer.
struct Linear {
    out: u64,
    inner: u64,
    /// The rank of its adapter: 0 without one.
    rank: u64,
    /// The width of the adapter's dropout mask: 0 without one.
    mask: u64,
}

/// The numbers that the formulas speak of.
pub(super) struct Sizes {
    /// Bytes of a loaded weight.
    width: u64,
    /// Whether the CPU's own operations run: activations are f32, they keep little beside their arguments, and of frozen weights the
    /// transpose as well.
    fused: bool,
    /// Whether every weight learns.
    full: bool,
    /// Whether the output head learns.
    trained_head: bool,
    parameters: u64,
    /// Weights that learn, those of adapters included.
    trained: u64,
    /// The largest matrix that learns.
    largest: u64,
    hidden: u64,
    vocab: u64,
    heads: u64,
    /// The width of all queries, and of all keys.
    attention: [u64; 2],
    /// What the norms of a decoder layer write for one token.
    norms: u64,
    linears: Vec<Linear>,
    layers: u64,
    /// Decoder layers that a gradient goes through.
    reached: u64,
}

impl Sizes {
    pub(super) fn new(config: &DecoderConfig, recipe: &Finetune, dtype: DType, on_cpu: bool) -> Self {
        let (hidden, vocab, layers) = (config.hidden_size as u64, config.vocab_size as u64, config.num_layers as u64);
        let mut sizes = Self {
            width: dtype.size_in_bytes() as u64,
            fused: on_cpu && matches!(dtype, DType::F32 | DType::BF16),
            full: false,
            trained_head: false,
            parameters: config.parameters(),
            trained: 0,
            largest: 0,
            hidden,
            vocab,
            heads: config.num_heads as u64,
            attention: [config.num_heads, config.num_kv_heads].map(|heads| (heads * config.head_dim) as u64),
            norms: 0,
            linears: Vec::new(),
            layers,
            reached: layers,
        };
        for (name, shape) in config.weights() {
            if let Some(path) = name.strip_prefix("model.layers.0.").and_then(|name| name.strip_suffix(".weight")) {
                sizes.add(path, &shape, recipe);
            }
        }
        match &recipe.method {
            Method::Lora(lora) => {
                let (first, last) = lora.layers.map_or((0, layers), |r| (r.first as u64, r.last as u64 + 1));
                let of_layer: u64 = sizes.linears.iter().map(|l| l.rank * (l.inner + l.out)).sum();
                sizes.trained = of_layer * last.min(layers).saturating_sub(first);
                sizes.largest = sizes.linears.iter().map(|l| l.rank * l.inner.max(l.out)).max().unwrap_or(0);
                sizes.reached = layers.saturating_sub(first);
            }
            Method::Full { freeze_embeddings } => {
                let embeddings = vocab * hidden;
                sizes.full = true;
                sizes.trained_head = !(*freeze_embeddings && config.tied_embeddings);
                sizes.trained = sizes.parameters - if *freeze_embeddings { embeddings } else { 0 };
                let matrices = sizes.linears.iter().map(|l| l.inner * l.out);
                sizes.largest = matrices.chain(sizes.trained_head.then_some(embeddings)).max().unwrap_or(0);
            }
        }
        sizes
    }

    /// Takes in a weight of the first decoder layer; all layers have the same.
    fn add(&mut self, path: &str, shape: &[usize], recipe: &Finetune) {
        match *shape {
            [out, inner] => {
                let (rank, mask) = match &recipe.method {
                    Method::Lora(lora) if adapter::targets(&lora.targets, path) => (lora.rank, lora.dropout > 0.0),
                    _ => (0, false),
                };
                let [out, inner, rank] = [out, inner, rank].map(|size| size as u64);
                self.linears.push(Linear { out, inner, rank, mask: if mask { inner } else { 0 } });
            }
            _ if path.ends_with("q_norm") => self.norms += self.attention[0],
            _ if path.ends_with("k_norm") => self.norms += self.attention[1],
            _ if path.ends_with("norm") => self.norms += self.hidden,
            _ => {}
        }
    }

    /// The weights as loaded.
    pub(super) fn weights(&self) -> u64 {
        self.parameters * self.width
    }

    /// What does not depend on the rows. Weights that learn are kept in f32 beside a gradient and two moments; where a step has several
    /// passes, the gradient of one and the sum over the others stand side by side. An update of the largest matrix takes five more of it.
    pub(super) fn training(&self, several_passes: bool) -> u64 {
        let gradients = if several_passes { 2 } else { 1 };
        let masters = if self.full { WIDE - self.width.min(WIDE) } else { WIDE };
        let learning = self.trained * (masters + (gradients + 2) * WIDE) + 5 * self.largest * WIDE;
        learning + if self.fused { self.transposes() } else { 0 }
    }

    /// The transpose that the fused products make, for the way back, of every frozen matrix that a gradient goes through.
    fn transposes(&self) -> u64 {
        let linears = if self.full { 0 } else { self.reached * self.matrices() };
        let head = if self.trained_head { 0 } else { self.vocab * self.hidden };
        (linears + head) * self.width
    }

    /// Bytes of an activation.
    fn activation(&self) -> u64 {
        if self.fused { WIDE } else { self.width }
    }

    /// The matrices of one decoder layer.
    fn matrices(&self) -> u64 {
        self.linears.iter().map(|l| l.out * l.inner).sum()
    }

    /// The peak of one pass whose layers all keep their activations.
    pub(super) fn all_at_once(&self, rows: Rows) -> u64 {
        let kept = self.reached * (rows.tokens() * self.kept(rows.longest) + self.loose_matrices());
        kept + rows.tokens() * self.returning(rows.longest) + self.loss(rows, rows.counted())
    }

    /// The peak of one pass that keeps only each layer's input: one layer at a time, or the loss.
    pub(super) fn layer_by_layer(&self, rows: Rows) -> u64 {
        let inputs = rows.tokens() * (self.layers + 3) * self.hidden * self.activation();
        let layer = rows.tokens() * (self.kept(rows.longest) + self.returning(rows.longest)) + self.loose_matrices();
        let block = if self.fused { rows.counted() } else { rows.counted().min((LOGITS as u64 / self.vocab).max(1)) };
        inputs + layer.max(self.loss(rows, block))
    }

    /// What one decoder layer keeps of one token for its backward pass.
    fn kept(&self, context: u64) -> u64 {
        let [queries, keys] = self.attention;
        let outputs: u64 = self.linears.iter().map(|l| l.out).sum();
        let adapted = || self.linears.iter().filter(|l| l.rank > 0);
        let feed_forward: u64 = self.linears.iter().map(|l| l.out).max().unwrap_or(0);
        if self.fused {
            // the results of products, norms, attention, activation and both sums
            let plain = outputs + self.norms + queries + feed_forward + 2 * self.hidden;
            // with dropout an adapter's two products, its scaled result and the sum; else it is part of the product
            let adapters: u64 = adapted().filter(|l| l.mask > 0).map(|l| 3 * l.out + l.rank + 2 * l.mask).sum();
            return (plain + adapters) * WIDE;
        }
        let narrow = self.width < WIDE;
        let copy = if narrow { self.width } else { 0 }; // what a change of format keeps
        // candle keeps gradients of frozen factors to the end: of norms' weights, of angles, of the mask
        let norms = self.norms * (if narrow { 3 * WIDE + self.width } else { 2 * WIDE } + 2 * self.width);
        let rotation = (queries + keys) * (8 * WIDE + if narrow { WIDE + self.width } else { 0 });
        let padded = (queries * 6 + keys * 4) * self.width;
        let scores = self.heads * context * (self.width + 6 * WIDE + copy);
        let plain = (outputs + 2 * feed_forward + 2 * self.hidden) * self.width;
        let adapters: u64 = adapted()
            .map(|l| {
                let widened = if narrow { l.inner * WIDE } else { 0 };
                3 * l.mask * self.width + widened + (l.rank + 2 * l.out) * WIDE + l.out * (copy + self.width)
            })
            .sum();
        norms + rotation + padded + scores + plain + adapters
    }

    /// The gradients of one token that are under way at one time: a few of the widest layer's, or of attention's scores.
    fn returning(&self, context: u64) -> u64 {
        let widest = self.linears.iter().map(|l| l.out + l.inner).max().unwrap_or(0);
        4 * widest * self.activation() + if self.fused { 0 } else { 4 * self.heads * context * WIDE }
    }

    /// Beside the weights themselves, what a decoder layer's matrices take in a pass of the composite form: candle computes gradients of
    /// frozen ones too, and weights kept in f32 are cast to the format of the activations.
    fn loose_matrices(&self) -> u64 {
        match (self.fused, self.full) {
            (true, _) => 0,
            (false, true) if self.width == WIDE => 0,
            (false, _) => self.matrices() * self.width,
        }
    }

    /// The output head and `block` tokens' logits.
    fn loss(&self, rows: Rows, block: u64) -> u64 {
        let head = self.vocab * self.hidden;
        let states = 4 * rows.tokens() * self.hidden * self.activation();
        if self.fused {
            let packed = if self.trained_head { 2 } else { 0 };
            return states + packed * head * WIDE + FUSED_LOSS_ROWS.min(block) * self.vocab * WIDE;
        }
        let gradient = if self.trained_head && self.width == WIDE { 0 } else { head * self.width };
        states + gradient + block * self.vocab * (8 * WIDE + if self.width < WIDE { 3 * self.width } else { 0 })
    }
}
