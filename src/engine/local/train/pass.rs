//! One micro batch, forward and backward: with the activations of all layers kept, or with only each layer's input kept and the rest
//! computed again on the way back (Chen et al., arXiv 1604.06174). In the fused form both give the same gradients to the bit.

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};

use super::EncodedRow;
use super::adamw::Parameter;
use super::dropout::RowDropout;
use super::weights::EMBEDDINGS;
use crate::engine::local::arch::{Decoder, Ragged};
use crate::engine::local::layers::{Batch, Dropout, Kernels, Tape, noted};
use crate::error::Result;

/// Logits that the composite form holds at one time where activations are not kept.
pub(super) const LOGITS: usize = 1 << 24;

/// Rows that go through the decoder together.
pub(super) struct Pass<'a> {
    decoder: &'a Decoder,
    parameters: &'a [Parameter],
    tokens: Vec<u32>,
    lengths: Vec<usize>,
    /// How many tokens at every row's end have hidden states that predict a counted one; the last one only seems to.
    ends: Vec<usize>,
    /// For every counted token, the place whose hidden state predicts it, among the ends; then the token, and its weight in the loss.
    from: Vec<u32>,
    targets: Vec<u32>,
    weights: Vec<f32>,
}

/// What a pass found.
pub(super) struct Found {
    /// One a parameter, where one reached it.
    pub(super) gradients: Vec<Option<Tensor>>,
    /// Of every counted token.
    pub(super) losses: Vec<f32>,
    /// Tokens through the decoder.
    pub(super) tokens: usize,
}

/// A layer's input, and what else it takes to go back through the layer.
struct Entry {
    input: Tensor,
    /// Dropout masks drawn before.
    masks: u64,
    /// Whether something before the layer learns.
    reached: bool,
    /// What the layer made of it; absent where it is to be made again.
    made: Option<Made>,
}

/// A layer's output, and the way back through the layer: its tape in the fused form, candle's graph in the composite one.
struct Made {
    output: Tensor,
    tape: Option<Tape>,
}

impl Made {
    /// The gradients of what the layer was made from, given that of its output.
    fn backward(self, slope: Tensor) -> Result<GradStore> {
        match self.tape {
            Some(tape) => Ok(tape.backward(self.output, slope)?),
            None => Ok(pull(&self.output, &slope)?.backward()?),
        }
    }
}

impl<'a> Pass<'a> {
    /// Lays out rows; a counted token weighs its row's number of them to the `power`, over `total`.
    pub(super) fn new(decoder: &'a Decoder, parameters: &'a [Parameter], rows: &[&EncodedRow], power: f64, total: f64) -> Self {
        let tokens = rows.iter().flat_map(|r| &r.tokens).copied().collect();
        let lengths: Vec<usize> = rows.iter().map(|r| r.tokens.len()).collect();
        let ends: Vec<usize> = rows.iter().map(|r| r.end()).collect();
        let (mut from, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        for (row, end) in rows.iter().zip(&ends) {
            let counted = row.counted();
            let weight = ((counted.len() as f64).powf(power) / total) as f32;
            weights.extend(std::iter::repeat_n(weight, counted.len()));
            from.extend((start..).take(counted.len()));
            targets.extend_from_slice(&row.tokens[counted]);
            start += *end as u32;
        }
        Self { decoder, parameters, tokens, lengths, ends, from, targets, weights }
    }

    /// Forward and backward, one layer's graph at a time: on the way back each lets go of its activations. Where they are to be made
    /// `again`, only each layer's input is kept until then.
    pub(super) fn run(&self, mut dropout: Option<RowDropout>, again: bool) -> Result<Found> {
        let mut found = self.nothing();
        let (batch, embedded) = self.decoder.begin(&self.rows(), Some(&self.ends), None)?;
        let (mut entries, mut x, mut reached) = (Vec::new(), embedded.detach(), embedded.track_op());
        for index in 0..self.decoder.config().num_layers {
            let masks = dropout.as_ref().map_or(0, |d| d.calls);
            let input = if reached && !again { Var::from_tensor(&x)?.as_tensor().clone() } else { x };
            let made = self.layer(index, &input, &batch, &mut dropout)?;
            let was_reached = reached;
            reached |= made.output.track_op();
            x = made.output.detach();
            entries.push(Entry { input, masks, reached: was_reached, made: (!again).then_some(made) });
        }
        let mut upstream = self.loss_and_slope(&x, reached, &mut found)?;
        drop(x);
        while let Some(Entry { input, masks, reached, made }) = entries.pop() {
            let Some(slope) = upstream.take() else { break }; // nothing learns from here down
            let (input, made) = if let Some(made) = made {
                (input, made)
            } else {
                if let Some(dropout) = &mut dropout {
                    dropout.calls = masks;
                }
                let input = if reached { Var::from_tensor(&input)?.as_tensor().clone() } else { input };
                let made = self.layer(entries.len(), &input, &batch, &mut dropout)?;
                (input, made)
            };
            let store = made.backward(slope)?;
            self.collect(&mut found, &store)?;
            upstream = if reached { store.get(&input).map(Tensor::detach) } else { None };
        }
        if let Some(slope) = upstream {
            self.embeddings(&embedded, &slope, &mut found)?;
        }
        Ok(found)
    }

    fn rows(&self) -> Ragged<'_> {
        Ragged { tokens: &self.tokens, lengths: &self.lengths }
    }

    fn nothing(&self) -> Found {
        Found { gradients: vec![None; self.parameters.len()], losses: Vec::new(), tokens: self.tokens.len() }
    }

    fn layer(&self, index: usize, x: &Tensor, batch: &Batch, dropout: &mut Option<RowDropout>) -> Result<Made> {
        let mut dropout = dropout.as_mut().map(|d| d as &mut dyn Dropout);
        let mut run = || self.decoder.layer(index, x, batch, None, &mut dropout);
        Ok(match self.decoder.kernels() {
            Kernels::Fused => {
                let (output, tape) = noted(run)?;
                Made { output, tape: Some(tape) }
            }
            Kernels::Composite => Made { output: run()?, tape: None },
        })
    }

    /// The hidden states that predict the counted tokens: (counted, hidden).
    fn counted(&self, hidden: &Tensor) -> Result<Tensor> {
        let from = Tensor::from_slice(&self.from, self.from.len(), self.decoder.device())?;
        Ok(hidden.index_select(&from, 0)?)
    }

    /// The losses of some counted tokens, and the gradients of their weighted sum.
    fn loss(&self, states: &Tensor, part: std::ops::Range<usize>) -> Result<(Vec<f32>, GradStore)> {
        let losses = self.decoder.losses(states, &self.targets[part.clone()])?; // (counted)
        let weights = Tensor::from_slice(&self.weights[part.clone()], part.len(), self.decoder.device())?;
        let values = losses.to_vec1::<f32>()?;
        Ok((values, (losses * weights)?.sum_all()?.backward()?))
    }

    /// The loss from the last layer's output on, and that output's gradient where something before it learns.
    fn loss_and_slope(&self, last: &Tensor, reached: bool, found: &mut Found) -> Result<Option<Tensor>> {
        let last = if reached { Var::from_tensor(last)?.as_tensor().clone() } else { last.clone() };
        let counted = self.counted(&self.decoder.finish(&last)?)?;
        let states = Var::from_tensor(&counted.detach())?;
        let mut slope: Option<Tensor> = None;
        for part in self.blocks() {
            let these = states.narrow(0, part.start, part.len())?;
            let (targets, weights) = (&self.targets[part.clone()], &self.weights[part.clone()]);
            if let Some((losses, gradient)) = self.decoder.weighted_losses(&these, targets, weights)? {
                found.losses.extend(losses);
                add(&mut slope, Some(&gradient))?;
                continue;
            }
            let (losses, store) = self.loss(&these, part)?;
            found.losses.extend(losses);
            self.collect(found, &store)?;
            add(&mut slope, store.get(states.as_tensor()))?;
        }
        let Some(slope) = slope.filter(|_| counted.track_op()) else { return Ok(None) };
        let store = pull(&counted, &slope)?.backward()?;
        self.collect(found, &store)?;
        Ok(store.get(&last).map(Tensor::detach))
    }

    /// The counted tokens whose logits are made together: all of them where the operation itself goes by blocks.
    fn blocks(&self) -> Vec<std::ops::Range<usize>> {
        let all = self.targets.len();
        let block = match self.decoder.kernels() {
            Kernels::Fused => all,
            Kernels::Composite => (LOGITS / self.decoder.config().vocab_size).max(1),
        };
        (0..all).step_by(block.max(1)).map(|start| start..(start + block).min(all)).collect()
    }

    /// The way from the first layer's input into the embeddings. A tied head's gradient comes first, as it does where all runs at once.
    fn embeddings(&self, embedded: &Tensor, slope: &Tensor, found: &mut Found) -> Result<()> {
        let mut sum = pull(embedded, slope)?;
        if let Some(at) = self.parameters.iter().position(|p| p.name == EMBEDDINGS)
            && let Some(of_head) = found.gradients[at].take()
        {
            sum = (sum + pull(self.parameters[at].value.as_tensor(), &of_head)?)?;
        }
        self.collect(found, &sum.backward()?)
    }

    fn collect(&self, found: &mut Found, store: &GradStore) -> Result<()> {
        for (sum, parameter) in found.gradients.iter_mut().zip(self.parameters) {
            add(sum, store.get(parameter.value.as_tensor()))?;
        }
        Ok(())
    }
}

/// Adds a gradient to a sum, where there is one. Candle's gradients may hold on to the graph that they came from: detached, they let go.
pub(super) fn add(sum: &mut Option<Tensor>, gradient: Option<&Tensor>) -> Result<()> {
    if let Some(gradient) = gradient {
        *sum = Some(match sum.take() {
            Some(before) => (before + gradient.detach())?,
            None => gradient.detach(),
        });
    }
    Ok(())
}

/// A number whose gradient for `y` is `slope`.
fn pull(y: &Tensor, slope: &Tensor) -> Result<Tensor> {
    Ok((y * slope)?.sum_all()?.to_dtype(DType::F32)?)
}
