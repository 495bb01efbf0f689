//! Which rows each step sees.

use rand::seq::SliceRandom;

use crate::record::Finetune;
use crate::tool::streams;

/// The course of a training over `rows` rows: every epoch is cut into steps of `batch_size`, the last of them shorter if need be.
#[derive(Debug, Clone)]
pub(super) struct Order {
    rows: usize,
    batch: usize,
    /// The seed of the shuffles; `None` keeps the file's order.
    shuffle: Option<u64>,
    /// Steps in all.
    pub(super) steps: usize,
    /// The epoch whose order is at hand.
    epoch: Option<(usize, Vec<usize>)>,
}

impl Order {
    pub(super) fn new(rows: usize, recipe: &Finetune, seed: u64) -> Self {
        let batch = recipe.batch_size.max(1);
        let steps = recipe.max_steps.unwrap_or(recipe.epochs * rows.div_ceil(batch));
        Self { rows, batch, shuffle: recipe.shuffle.then_some(seed), steps, epoch: None }
    }

    /// The rows of step `step`, counted from 0.
    pub(super) fn step(&mut self, step: usize) -> Vec<usize> {
        let per_epoch = self.rows.div_ceil(self.batch);
        let (epoch, place) = (step / per_epoch, step % per_epoch * self.batch);
        if self.epoch.as_ref().is_none_or(|(have, _)| *have != epoch) {
            self.epoch = Some((epoch, self.shuffled(epoch)));
        }
        let rows = self.epoch.as_ref().map_or(&[][..], |(_, rows)| rows);
        rows[place..(place + self.batch).min(self.rows)].to_vec()
    }

    /// Epochs done after `done` steps.
    pub(super) fn epochs(&self, done: usize) -> f64 {
        let per_epoch = self.rows.div_ceil(self.batch);
        (done / per_epoch) as f64 + ((done % per_epoch * self.batch) as f64 / self.rows as f64)
    }

    fn shuffled(&self, epoch: usize) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.rows).collect();
        if let Some(seed) = self.shuffle {
            rows.shuffle(&mut streams::named(seed, "train-order", epoch as u64));
        }
        rows
    }
}

/// Cuts a step into passes of at most `micro_batch` rows: places in the step, by the rows' lengths. A step that is cut is cut among rows
/// of like length, the longest first, so that little is padded and memory's peak comes first; one that is not keeps its order.
pub(super) fn passes(lengths: &[usize], micro_batch: usize) -> Vec<Vec<usize>> {
    let mut places: Vec<usize> = (0..lengths.len()).collect();
    if lengths.len() > micro_batch.max(1) {
        places.sort_by_key(|&place| std::cmp::Reverse(lengths[place])); // stable: one order for one step
    }
    places.chunks(micro_batch.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::record::{Method, Schedule};

    /// A recipe for small tests.
    pub(in crate::engine::local) fn recipe(method: Method) -> Finetune {
        Finetune {
            method,
            epochs: 2,
            max_steps: None,
            batch_size: 4,
            micro_batch: 2,
            gradient_checkpointing: Some(false),
            learning_rate: 1e-2,
            schedule: Schedule::Linear,
            warmup_steps: 1,
            weight_decay: 0.01,
            betas: [0.9, 0.99],
            epsilon: 1e-8,
            clip_norm: 1.0,
            shuffle: true,
            length_power: 0.0,
            checkpoint_every: 0,
            checkpoint_minutes: 0.0,
        }
    }

    #[test]
    fn every_epoch_sees_every_row_once_in_its_own_order() {
        let mut order = Order::new(10, &recipe(Method::Full { freeze_embeddings: true }), 7);
        assert_eq!(order.steps, 6);
        let epoch = |order: &mut Order, n: usize| (0..3).flat_map(|s| order.step(3 * n + s)).collect::<Vec<_>>();
        let (first, second) = (epoch(&mut order, 0), epoch(&mut order, 1));
        assert_ne!(first, second);
        assert_eq!(first, epoch(&mut order, 0), "an epoch's order does not depend on what came before");
        for mut rows in [first, second] {
            rows.sort_unstable();
            assert_eq!(rows, (0..10).collect::<Vec<_>>());
        }
        assert_eq!(order.epochs(4), 1.4);
    }
    #[test]
    fn a_step_is_cut_among_rows_of_like_length_and_left_alone_where_it_is_not_cut() {
        let lengths = [5, 9, 5, 2, 7];
        assert_eq!(passes(&lengths, 2), [vec![1, 4], vec![0, 2], vec![3]]);
        assert_eq!(passes(&lengths, 5), [vec![0, 1, 2, 3, 4]]);
    }
}
