//! The two forms of the operations against each other, with gradients, and both against slopes that were measured.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};

use super::{Decoder, DecoderConfig, Ragged, descriptions, logits};
use crate::engine::local::fixture::{assert_close, decoder_of, tensors_of, tokens, values};
use crate::engine::local::layers::{Adapter, Kernels};

const LENGTHS: [usize; 3] = [9, 1, 13];

fn rows() -> Vec<u32> {
    tokens(4, 23)
}

/// The mean loss of a few rows, in f64 over the tokens.
fn loss(decoder: &Decoder) -> (Tensor, f64) {
    let tokens = rows();
    let hidden = decoder.hidden(&Ragged { tokens: &tokens, lengths: &LENGTHS }, None).expect("fits");
    let losses = decoder.losses(&hidden, &tokens).expect("fits");
    let sum = values(&losses).iter().map(|l| f64::from(*l)).sum();
    (losses.sum_all().expect("a sum"), sum)
}

/// The gradient of the loss for every weight that `learns`; an adapter's matrices are named after its place.
fn gradients(decoder: &mut Decoder, learns: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<f32>> {
    let mut vars = Vec::new();
    let mut learn = |name: String, tensor: &mut Tensor| {
        if learns(&name) {
            let var = Var::from_tensor(tensor).expect("a variable");
            *tensor = var.as_tensor().clone();
            vars.push((name, var));
        }
    };
    for (name, tensor) in decoder.weights_mut().expect("unpacks") {
        learn(name, tensor);
    }
    for (site, adapter) in decoder.adapters_mut() {
        learn(format!("{} A", site.name()), &mut adapter.a);
        learn(format!("{} B", site.name()), &mut adapter.b);
    }
    let store = loss(decoder).0.backward().expect("differentiable");
    let gradient = |(name, var): (String, Var)| {
        let gradient = store.get(var.as_tensor()).unwrap_or_else(|| panic!("no gradient reaches {name}"));
        (name, values(gradient))
    };
    vars.into_iter().map(gradient).collect()
}

/// A decoder with an adapter on every linear layer, far from zero.
fn adapted(config: &DecoderConfig, kernels: Kernels) -> Decoder {
    let mut decoder = decoder_of(config, 1, kernels);
    for (i, site) in decoder.sites().into_iter().enumerate() {
        let (out, inner) = decoder.linear(&site).weight.dims().expect("a matrix");
        let draw = |shape: (usize, usize), seed: usize| {
            let numbers: Vec<f32> = tokens(seed as u64, shape.0 * shape.1).iter().map(|t| (*t as f32 - 50.0) / 300.0).collect();
            Tensor::from_vec(numbers, shape, &Device::Cpu).expect("as many numbers as places")
        };
        decoder.attach(&site, Adapter { a: draw((2, inner), 2 * i), b: draw((out, 2), 2 * i + 1), scale: 0.5 });
    }
    decoder
}

fn size(values: &[f32]) -> f64 {
    values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt()
}

fn assert_same_gradients(label: &str, fused: &BTreeMap<String, Vec<f32>>, composite: &BTreeMap<String, Vec<f32>>) {
    assert_eq!(fused.len(), composite.len());
    for (name, fused) in fused {
        let composite = &composite[name];
        let difference: Vec<f32> = fused.iter().zip(composite).map(|(a, b)| a - b).collect();
        let (apart, size) = (size(&difference), size(composite));
        assert!(size > 0.0 && apart < 1e-4 * size.max(1e-2), "{label}, {name}: {apart} apart, beside {size}");
    }
}

#[test]
fn both_forms_have_the_same_logits_and_gradients() {
    for seed in [1, 2, 3] {
        for (label, config) in descriptions(seed) {
            let [mut fused, mut composite] = [Kernels::Fused, Kernels::Composite].map(|k| decoder_of(&config, seed, k));
            assert_close(&logits(&composite, &rows(), &LENGTHS, None), &logits(&fused, &rows(), &LENGTHS, None), 2e-5);
            assert!((loss(&fused).1 - loss(&composite).1).abs() < 1e-4, "{label}");
            assert_same_gradients(label, &gradients(&mut fused, |_| true), &gradients(&mut composite, |_| true));
        }
    }
}

#[test]
fn adapters_on_frozen_weights_have_the_same_gradients_in_both_forms() {
    for (label, config) in descriptions(4) {
        let of = |kernels| gradients(&mut adapted(&config, kernels), |name| name.ends_with(" A") || name.ends_with(" B"));
        let fused = of(Kernels::Fused);
        assert_eq!(fused.len(), config.num_layers * 7 * 2);
        assert_same_gradients(label, &fused, &of(Kernels::Composite));
    }
}

/// For every weight of every family: the loss, moved along the weight's own gradient, must change as fast as the gradient is long.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    for (label, config) in descriptions(5) {
        for (name, gradient) in gradients(&mut decoder_of(&config, 5, Kernels::Fused), |_| true) {
            let long = size(&gradient);
            let at = |step: f64| {
                let mut moved = decoder_of(&config, 5, Kernels::Fused);
                for (_, weight) in moved.weights_mut().expect("unpacks").into_iter().filter(|(n, _)| *n == name) {
                    let along = |(w, g): (f32, &f32)| w + (step / long) as f32 * g;
                    let there: Vec<f32> = values(weight).into_iter().zip(&gradient).map(along).collect();
                    *weight = Tensor::from_vec(there, weight.shape(), &Device::Cpu).expect("the same shape");
                }
                loss(&moved).1
            };
            let step = 0.02 / long.max(1.0);
            let measured = (at(step) - at(-step)) / (2.0 * step);
            assert!((measured - long).abs() < 0.02 * long + 2e-3, "{label}, {name}: {measured} measured, {long} computed");
        }
    }
}

#[test]
fn sixteen_bits_stay_near_thirty_two() {
    for (label, config) in descriptions(6) {
        let exact = logits(&decoder_of(&config, 6, Kernels::Composite), &rows(), &LENGTHS, None);
        let half = Decoder::new(config.clone(), tensors_of(&config, 6), &Device::Cpu, DType::BF16).expect("whole");
        let half = logits(&half, &rows(), &LENGTHS, None);
        let difference: Vec<f32> = exact.iter().zip(&half).map(|(a, b)| a - b).collect();
        let share = size(&difference) / size(&exact);
        // a number in bf16 keeps 8 bits: 0.4 % of it are lost at every one of some twenty steps
        assert!(share > 1e-4 && share < 0.04, "{label}: {share} of the logits' size");
    }
}
