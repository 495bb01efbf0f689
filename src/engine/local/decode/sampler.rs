//! Draws one token from a row of logits: the same logits and the same random number give the same token everywhere.

use super::exponential::weigh;
use crate::error::{Error, Result};
use crate::record::Sampling;

/// How tokens are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Sampler {
    temperature: f64,
    top_p: f64,
}

/// Weights are summed block by block, so that a draw first finds its block and then its token.
const BLOCK: usize = 64;

impl Sampler {
    /// The sampler of a request.
    pub fn new(sampling: &Sampling) -> Self {
        Self { temperature: sampling.temperature, top_p: sampling.top_p }
    }

    /// Draws from `logits` (vocab), or from the tokens in `allowed` (ascending ids) alone, at `uniform` in [0, 1) of the cumulated
    /// probability. Temperature 0 takes the largest logit, of equals the lowest id. `scratch` only saves allocations.
    ///
    /// # Errors
    /// If a logit is not a number, or none is finite.
    pub fn draw(&self, logits: &[f32], allowed: Option<&[u32]>, uniform: f64, scratch: &mut Vec<f32>) -> Result<u32> {
        scratch.clear();
        match allowed {
            Some(ids) => scratch.extend(ids.iter().map(|id| logits[*id as usize])),
            None => scratch.extend_from_slice(logits),
        }
        let place = self.place(scratch, uniform)?;
        Ok(allowed.map_or(place as u32, |ids| ids[place]))
    }

    /// The place of the drawn value among `values`, which become weights.
    fn place(&self, values: &mut [f32], uniform: f64) -> Result<usize> {
        let (best, top) = largest(values)?;
        if self.temperature == 0.0 || values.len() == 1 {
            return Ok(best);
        }
        let scale = (1.0 / self.temperature) as f32;
        weigh(values, top, scale);
        if self.top_p < 1.0 { Ok(self.nucleus(values, uniform)) } else { Ok(invert(values, uniform)) }
    }

    /// Draws from the smallest set of the most probable values whose share reaches `top_p` (Holtzman et al., arXiv 1904.09751).
    fn nucleus(&self, weights: &[f32], uniform: f64) -> usize {
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]).then(a.cmp(b)));
        let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        let mut kept = Vec::new();
        let mut sum = 0.0;
        for place in &order {
            kept.push(weights[*place]);
            sum += f64::from(weights[*place]);
            if sum >= self.top_p * total {
                break;
            }
        }
        order[invert(&kept, uniform)]
    }
}

/// The first place of the largest value, and that value.
fn largest(values: &[f32]) -> Result<(usize, f32)> {
    let mut best = (0, f32::NEG_INFINITY);
    let mut number = true;
    for (place, value) in values.iter().enumerate() {
        number &= !value.is_nan();
        if *value > best.1 {
            best = (place, *value);
        }
    }
    if !number || !best.1.is_finite() {
        return Err(Error::environment("the model's logits are not finite numbers")
            .hint("the weights may be damaged, or training diverged"));
    }
    Ok(best)
}

fn sum(block: &[f32]) -> f64 {
    block.iter().map(|w| f64::from(*w)).sum()
}

/// The place at which the cumulated weight first exceeds `uniform` of the total.
fn invert(weights: &[f32], uniform: f64) -> usize {
    let total: f64 = weights.chunks(BLOCK).map(sum).sum();
    let target = uniform * total;
    let mut before = 0.0;
    let mut last = 0;
    for (i, block) in weights.chunks(BLOCK).enumerate() {
        let share = sum(block);
        let mut reached = before;
        if before + share > target {
            for (j, weight) in block.iter().enumerate() {
                reached += f64::from(*weight);
                if reached > target {
                    return i * BLOCK + j;
                }
            }
        }
        if let Some(j) = block.iter().rposition(|w| *w > 0.0) {
            last = i * BLOCK + j;
        }
        before += share;
    }
    last // rounding left the target at the very end
}

/// The logarithm of the sum of `e^logit`: a token's natural log-probability is its logit minus this. Summed in f64.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut weights = [0.0; 16 * BLOCK];
    let mut total = 0.0;
    for part in logits.chunks(weights.len()) {
        let weights = &mut weights[..part.len()];
        weights.copy_from_slice(part);
        weigh(weights, top, 1.0);
        for block in weights.chunks(BLOCK) {
            total += sum(block);
        }
    }
    f64::from(top) + total.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f64, top_p: f64) -> Sampler {
        Sampler { temperature, top_p }
    }

    fn draw(sampler: Sampler, logits: &[f32], allowed: Option<&[u32]>, uniform: f64) -> u32 {
        sampler.draw(logits, allowed, uniform, &mut Vec::new()).expect("finite logits")
    }

    #[test]
    fn greedy_takes_the_largest_and_of_equals_the_lowest_id() {
        assert_eq!(draw(sampler(0.0, 1.0), &[1.0, 3.0, 3.0, 2.0], None, 0.9), 1);
        assert_eq!(draw(sampler(0.0, 1.0), &[1.0, 3.0, 3.0, 2.0], Some(&[0, 3]), 0.1), 3);
    }

    #[test]
    fn frequencies_over_an_even_grid_are_the_softmax() {
        let logits: Vec<f32> = (0..200).map(|i| ((i * 37) % 50) as f32 / 12.0).collect();
        let temperature = 0.7;
        let weights: Vec<f64> = logits.iter().map(|l| (f64::from(*l) / temperature).exp()).collect();
        let total: f64 = weights.iter().sum();
        let n = 200_000;
        let mut counts = vec![0.0; logits.len()];
        for i in 0..n {
            counts[draw(sampler(temperature, 1.0), &logits, None, (i as f64 + 0.5) / n as f64) as usize] += 1.0;
        }
        for (count, weight) in counts.iter().zip(&weights) {
            assert!((count / n as f64 - weight / total).abs() < 2e-5, "{count} of {n}, expected {}", weight / total);
        }
    }

    #[test]
    fn a_constraint_renormalises_the_allowed_tokens_alone() {
        let logits = [9.0, 0.0, 9.0, 0.0];
        let drawn: Vec<u32> = (0..10).map(|i| draw(sampler(1.0, 1.0), &logits, Some(&[1, 3]), f64::from(i) / 10.0)).collect();
        assert_eq!(drawn, [1, 1, 1, 1, 1, 3, 3, 3, 3, 3]);
    }

    #[test]
    fn the_nucleus_is_the_smallest_set_that_reaches_its_share() {
        let logits: Vec<f32> = [0.1_f32, 0.5, 0.1, 0.3].iter().map(|p| p.ln()).collect();
        let drawn = |top_p| {
            let mut ids: Vec<u32> = (0..100).map(|i| draw(sampler(1.0, top_p), &logits, None, f64::from(i) / 100.0)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        assert_eq!(drawn(0.4), [1]);
        assert_eq!(drawn(0.7), [1, 3]);
        assert_eq!(drawn(0.85), [0, 1, 3]);
        assert_eq!(drawn(1.0), [0, 1, 2, 3]);
    }

    #[test]
    fn log_probabilities_of_all_tokens_add_up_to_one() {
        let logits: Vec<f32> = (0..300).map(|i| ((i * 53) % 100) as f32 / 5.0 - 40.0).collect();
        let sum = log_sum_exp(&logits);
        let total: f64 = logits.iter().map(|l| (f64::from(*l) - sum).exp()).sum();
        assert!((total - 1.0).abs() < 1e-6, "{total}");
    }

    #[test]
    fn damaged_logits_are_an_error() {
        assert!(sampler(1.0, 1.0).draw(&[0.0, f32::NAN], None, 0.5, &mut Vec::new()).is_err());
        assert!(sampler(1.0, 1.0).draw(&[f32::NEG_INFINITY], None, 0.5, &mut Vec::new()).is_err());
    }
}
