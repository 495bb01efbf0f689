//! AdamW (Loshchilov & Hutter, arXiv 1711.05101) as PyTorch computes it, with its state in f32 and in reach of a checkpoint.

use candle_core::{DType, Result, Tensor, Var};

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
        for (parameter, gradient) in self.parameters.iter_mut().zip(gradients) {
            let gradient = if scale == 1.0 { gradient.clone() } else { (gradient * scale)? };
            parameter.first = ((&parameter.first * b1)? + (&gradient * (1.0 - b1))?)?;
            parameter.second = ((&parameter.second * b2)? + (gradient.sqr()? * (1.0 - b2))?)?;
            let root = ((parameter.second.sqrt()? / correction.1.sqrt())? + self.epsilon)?;
            let change = ((&parameter.first / &root)? * (learning_rate / correction.0))?;
            let decayed = (parameter.value.as_detached_tensor() * (1.0 - learning_rate * self.weight_decay))?;
            parameter.value.set(&(decayed - change)?)?;
        }
        Ok(())
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
