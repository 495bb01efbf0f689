//! AdamW (Loshchilov & Hutter, arXiv 1711.05101) as PyTorch computes it, with its state in f32 and in reach of a checkpoint.

use candle_core::{DType, Result, Tensor, Var};
use rayon::prelude::*;

use crate::engine::local::cpu::{self, Kernel, Level};
use crate::engine::local::layers::{Floats, in_place};
use crate::record::Finetune;

/// A named weight that learns, with its two moments.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: Var,
    pub(super) first: Tensor,
    pub(super) second: Tensor,
}

/// The optimiser: one group, weight decay on everything in it.
pub(super) struct AdamW {
    pub(super) parameters: Vec<Parameter>,
    betas: [f64; 2],
    epsilon: f64,
    weight_decay: f64,
}

impl AdamW {
    pub(super) fn new(named: Vec<(String, Var)>, recipe: &Finetune) -> Result<Self> {
        let mut parameters = Vec::with_capacity(named.len());
        for (name, value) in named {
            let zeros = || Tensor::zeros(value.shape(), DType::F32, value.device());
            parameters.push(Parameter { first: zeros()?, second: zeros()?, name, value });
        }
        Ok(Self { parameters, betas: recipe.betas, epsilon: recipe.epsilon, weight_decay: recipe.weight_decay })
    }

    /// Step `step`, counted from 1, with one gradient per parameter, each multiplied by `scale` first.
    pub(super) fn step(&mut self, gradients: &[Tensor], scale: f64, step: usize, learning_rate: f64) -> Result<()> {
        let [b1, b2] = self.betas;
        let correction = (1.0 - b1.powi(step as i32), 1.0 - b2.powi(step as i32));
        let factors = Factors {
            scale,
            keep: [b1, b2],
            take: [1.0 - b1, 1.0 - b2],
            root: 1.0 / correction.1.sqrt(),
            epsilon: self.epsilon,
            rate: learning_rate / correction.0,
            decay: 1.0 - learning_rate * self.weight_decay,
        };
        for (parameter, gradient) in self.parameters.iter_mut().zip(gradients) {
            if gradient.device().is_cpu() {
                parameter.change_in_place(&gradient.contiguous()?, factors)?;
            } else {
                parameter.change(gradient, factors)?;
            }
        }
        Ok(())
    }
}

/// What is the same for all numbers of a step.
#[derive(Clone, Copy)]
struct Factors<T> {
    /// Of the gradient.
    scale: T,
    /// Of both moments, and of the gradient and its square in them.
    keep: [T; 2],
    take: [T; 2],
    /// Of the second moment's root, to which epsilon is added.
    root: T,
    epsilon: T,
    /// Of the first moment over that, and of the weight.
    rate: T,
    decay: T,
}

impl Parameter {
    /// One step from candle's operations, on any device.
    fn change(&mut self, gradient: &Tensor, by: Factors<f64>) -> Result<()> {
        let gradient = (gradient * by.scale)?;
        self.first = ((&self.first * by.keep[0])? + (&gradient * by.take[0])?)?;
        self.second = ((&self.second * by.keep[1])? + (gradient.sqr()? * by.take[1])?)?;
        let root = ((self.second.sqrt()? * by.root)? + by.epsilon)?;
        let change = ((&self.first / &root)? * by.rate)?;
        self.value.set(&((self.value.as_detached_tensor() * by.decay)? - change)?)
    }

    /// [`Parameter::change`] on the CPU, number by number where they lie, to the same bits.
    fn change_in_place(&mut self, gradient: &Tensor, by: Factors<f64>) -> Result<()> {
        let gradient = &*Floats::of(gradient)?;
        let by = by.rounded();
        in_place(&self.first, |first| {
            in_place(&self.second, |second| {
                in_place(&self.value, |value| {
                    let moments = first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE));
                    let all = value.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE)).zip(moments);
                    all.for_each(|((value, gradient), (first, second))| {
                        cpu::run(Change { value, gradient, first, second, by });
                    });
                    Ok(())
                })
            })
        })
    }
}

/// Numbers that one thread changes at a time.
const PIECE: usize = 1 << 15;

impl Factors<f64> {
    fn rounded(self) -> Factors<f32> {
        Factors {
            scale: self.scale as f32,
            keep: self.keep.map(|x| x as f32),
            take: self.take.map(|x| x as f32),
            root: self.root as f32,
            epsilon: self.epsilon as f32,
            rate: self.rate as f32,
            decay: self.decay as f32,
        }
    }
}

struct Change<'a> {
    value: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    by: Factors<f32>,
}

impl Kernel for Change<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a kernel takes on the instruction set that it is compiled for")]
    fn run<L: Level>(self) {
        let by = self.by;
        let moments = self.first.iter_mut().zip(self.second);
        for ((value, gradient), (first, second)) in self.value.iter_mut().zip(self.gradient).zip(moments) {
            let gradient = gradient * by.scale;
            *first = *first * by.keep[0] + gradient * by.take[0];
            *second = *second * by.keep[1] + gradient * gradient * by.take[1];
            let root = second.sqrt() * by.root + by.epsilon;
            *value = *value * by.decay - *first / root * by.rate;
        }
    }
}

/// The norm of all gradients together, summed in f64.
pub(super) fn global_norm(gradients: &[Tensor]) -> Result<f64> {
    let mut sum = 0.0;
    for gradient in gradients {
        let values = gradient.flatten_all()?.to_vec1::<f32>()?;
        sum += values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>();
    }
    Ok(sum.sqrt())
}

/// The factor that brings a norm down to `largest`, as `torch.nn.utils.clip_grad_norm_` computes it; 0 clips nothing.
pub(super) fn clip_factor(norm: f64, largest: f64) -> f64 {
    if largest > 0.0 { (largest / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::engine::local::train::order::tests::recipe;
    use crate::engine::local::train::reference::{list, numbers};
    use crate::record::Method;

    #[test]
    fn a_step_in_place_has_the_bits_of_candles_operations() {
        let numbers = |seed: usize, len: usize| -> Vec<f32> {
            (0..len).map(|i| ((i + 31 * seed) * 7919 % 1000) as f32 / 500.0 - 1.0).collect()
        };
        let recipe = recipe(Method::Full { freeze_embeddings: false });
        for len in [1, 17, PIECE + 3] {
            let vector = |seed| Tensor::new(numbers(seed, len), &Device::Cpu).expect("a vector");
            let new =
                || AdamW::new(vec![("w".to_owned(), Var::from_tensor(&vector(1)).expect("a variable"))], &recipe).expect("zeros");
            let (mut ours, mut theirs) = (new(), new());
            for step in 1..4 {
                let factors = |step: usize| Factors {
                    scale: 0.7,
                    keep: [0.9, 0.999],
                    take: [0.1, 0.001],
                    root: 1.0 / (1.0 - 0.999f64.powi(step as i32)).sqrt(),
                    epsilon: 1e-8,
                    rate: 1e-3 / (1.0 - 0.9f64.powi(step as i32)),
                    decay: 1.0 - 1e-5,
                };
                ours.parameters[0].change_in_place(&vector(step + 1), factors(step)).expect("runs");
                theirs.parameters[0].change(&vector(step + 1), factors(step)).expect("runs");
                let bits = |optimiser: &AdamW| {
                    let Parameter { value, first, second, .. } = &optimiser.parameters[0];
                    [value.as_tensor(), first, second]
                        .map(|t| t.to_vec1::<f32>().expect("f32").iter().map(|x| x.to_bits()).collect::<Vec<_>>())
                };
                assert!(bits(&ours) == bits(&theirs), "{len} numbers, step {step}");
            }
        }
    }

    #[test]
    fn ten_clipped_steps_with_weight_decay_are_those_of_pytorch() {
        let expected = &numbers()["adamw"];
        let recipe = Finetune {
            betas: [0.9, 0.99],
            epsilon: 1e-8,
            weight_decay: 0.1,
            ..recipe(Method::Full { freeze_embeddings: false })
        };
        let vector = |values: &serde_json::Value| {
            let values: Vec<f32> = list(values).into_iter().map(|v| v as f32).collect();
            Tensor::new(values.as_slice(), &Device::Cpu).expect("a vector")
        };
        let value = Var::from_tensor(&vector(&expected["start"])).expect("a variable");
        let mut optimiser = AdamW::new(vec![("w".to_owned(), value)], &recipe).expect("zeros");
        for step in 0..10 {
            let gradient = vector(&expected["gradients"][step]);
            let norm = global_norm(std::slice::from_ref(&gradient)).expect("finite");
            let theirs = expected["norms"][step].as_f64().expect("a number");
            assert!((norm - theirs).abs() < 1e-6 * theirs, "norm {norm} against {theirs}");
            optimiser.step(&[gradient], clip_factor(norm, 1.0), step + 1, 0.01 / (step + 1) as f64).expect("a step");
            let ours = optimiser.parameters[0].value.to_vec1::<f32>().expect("a vector");
            for (ours, theirs) in ours.iter().zip(list(&expected["values"][step])) {
                assert!((f64::from(*ours) - theirs).abs() < 1e-6, "step {step}: {ours} against {theirs}");
            }
        }
    }
}
