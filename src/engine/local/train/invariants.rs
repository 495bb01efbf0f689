//! What must hold of the training of any family.

use candle_core::{DType, Device, Tensor};

use super::EncodedRow;
use super::adamw::AdamW;
use super::order::tests::recipe;
use super::pass::Pass;
use super::tests::{Trained, checkpointed, courses, full, lora, run_on, weights};
use super::weights::make_trainable;
use crate::engine::local::adapter;
use crate::engine::local::arch::{Decoder, Ragged};
use crate::engine::local::fixture::{
    assert_close, config, config_of, decoder, decoder_of, every_family, rows, tensors, tokens, values,
};
use crate::engine::local::layers::Kernels;
use crate::record::{Finetune, Lora, Method, StepRow};

/// A small random decoder of every family, with its name: called again, the same ones again.
fn families(kernels: Kernels) -> Vec<(&'static str, Decoder)> {
    every_family(1).iter().map(|(family, json)| (*family, decoder_of(&config_of(json), 1, kernels))).collect()
}

/// Every family's training by `recipe`.
fn trained(kernels: Kernels, recipe: &Finetune) -> Vec<(&'static str, Trained)> {
    families(kernels).into_iter().map(|(family, decoder)| (family, run_on(decoder, recipe, None))).collect()
}

/// Asserts that two courses are the same but for rounding.
fn assert_same_course(a: &[StepRow], b: &[StepRow], tolerance: f64, of: &str) {
    assert_eq!(a.len(), b.len(), "{of}");
    for (a, b) in a.iter().zip(b) {
        assert!((a.loss - b.loss).abs() <= tolerance * b.loss, "{of}: {a:?} {b:?}");
        assert!((a.grad_norm - b.grad_norm).abs() <= 10.0 * tolerance * b.grad_norm, "{of}: {a:?} {b:?}");
    }
}

fn logits(decoder: &Decoder) -> Vec<f32> {
    let tokens = tokens(9, 12);
    let hidden = decoder.hidden(&Ragged { tokens: &tokens, lengths: &[12] }, None).expect("fits");
    values(&decoder.logits(&hidden).expect("fits"))
}

fn settings() -> Lora {
    let Method::Lora(settings) = lora() else { unreachable!("it is LoRA") };
    settings
}

#[test]
fn one_pass_of_eight_equals_eight_passes_of_one() {
    for power in [0.0, -0.75] {
        let dropout = Method::Lora(Lora { rslora: true, dropout: 0.2, ..settings() });
        let of = |micro_batch| Finetune { batch_size: 8, micro_batch, length_power: power, ..recipe(dropout.clone()) };
        for ((family, one), (_, eight)) in trained(Kernels::Fused, &of(8)).iter().zip(trained(Kernels::Fused, &of(1))) {
            assert_same_course(&one.steps, &eight.steps, 1e-5, family);
        }
    }
}

#[test]
fn a_pass_gives_the_bits_of_candles_way_back_through_all_tokens() {
    let rows = rows(3, 5);
    let rows: Vec<&EncodedRow> = rows.iter().collect();
    let tokens: Vec<u32> = rows.iter().flat_map(|row| &row.tokens).copied().collect();
    let lengths: Vec<usize> = rows.iter().map(|row| row.tokens.len()).collect();
    let (mut from, mut targets, mut start) = (Vec::new(), Vec::new(), 0);
    for row in &rows {
        from.extend(row.counted().map(|i| (start + i - 1) as u32));
        targets.extend_from_slice(&row.tokens[row.counted()]);
        start += row.tokens.len();
    }
    let from = Tensor::from_slice(&from, from.len(), &Device::Cpu).expect("a row");
    for method in [lora(), full(), Method::Full { freeze_embeddings: false }] {
        for (family, mut decoder) in families(Kernels::Fused) {
            let recipe = recipe(method.clone());
            let named = make_trainable(&mut decoder, &recipe, 1).expect("variables");
            for (_, variable) in named.iter().filter(|_| matches!(method, Method::Lora(_))) {
                let moved = (variable.as_tensor() + 0.03).expect("a number"); // else the second half of an adapter is zero
                variable.set(&moved).expect("the same shape");
            }
            let parameters = AdamW::new(named, &recipe).expect("moments").parameters;
            let found = Pass::new(&decoder, &parameters, &rows, 0.0, 7.0).run(None, false).expect("runs");

            let hidden = decoder.hidden(&Ragged { tokens: &tokens, lengths: &lengths }, None).expect("fits");
            let losses = decoder.losses(&hidden.index_select(&from, 0).expect("there"), &targets).expect("fits");
            assert_eq!(found.losses, values(&losses), "{family}");
            let weights = Tensor::full(1.0f32 / 7.0, targets.len(), &Device::Cpu).expect("a row");
            let store = losses.mul(&weights).and_then(|l| l.sum_all()).and_then(|l| l.backward()).expect("differentiable");
            for (parameter, gradient) in parameters.iter().zip(&found.gradients) {
                let (ours, theirs) = (gradient.as_ref().expect("reached"), store.get(parameter.value.as_tensor()));
                assert!(values(ours) == values(theirs.expect("reached")), "{family}, {method:?}: {}", parameter.name);
            }
        }
    }
}

#[test]
fn activations_computed_again_change_no_bit_of_the_fused_form() {
    for recipe in courses() {
        let kept = trained(Kernels::Fused, &recipe);
        for ((family, mut kept), (_, mut again)) in kept.into_iter().zip(trained(Kernels::Fused, &checkpointed(&recipe))) {
            assert_same_course(&kept.steps, &again.steps, 0.0, family);
            assert!(weights(&mut kept.decoder) == weights(&mut again.decoder), "{family}: {recipe:?}");
        }
    }
}

#[test]
fn activations_computed_again_change_nothing_that_counts_of_the_composite_form() {
    for recipe in courses() {
        let kept = trained(Kernels::Composite, &recipe);
        for ((family, kept), (_, again)) in kept.into_iter().zip(trained(Kernels::Composite, &checkpointed(&recipe))) {
            assert_same_course(&kept.steps, &again.steps, 1e-5, family);
        }
    }
}

#[test]
fn adapters_are_nothing_at_first_and_survive_saving_and_merging() {
    let bases = families(Kernels::Fused);
    for (i, (family, base)) in bases.iter().enumerate() {
        let again = || families(Kernels::Fused).swap_remove(i).1;
        let mut fresh = again();
        adapter::attach_fresh(&mut fresh, &settings(), 3).expect("fits");
        assert_eq!(logits(base), logits(&fresh), "{family}: a fresh adapter changes nothing");
        let mut trained = run_on(again(), &recipe(lora()), None).decoder;
        assert_ne!(logits(base), logits(&trained), "{family}");
        let folder = tempfile::tempdir().expect("temporary folder");
        adapter::save(&trained, &settings(), "a/base", folder.path()).expect("writable");
        let mut loaded = again();
        let read = adapter::load(&mut loaded, folder.path()).expect("reads what it wrote");
        assert_eq!((read.rank, read.alpha), (4, 8.0));
        assert_eq!(logits(&trained), logits(&loaded), "{family}");
        trained.merge_adapters().expect("merges");
        assert_close(&logits(&loaded), &logits(&trained), 1e-4);
    }
}

/// Steps over which a course in bf16 is near the exact one.
const NEAR: usize = 6;

/// The small decoder with weights and activations in bf16.
fn bf16() -> Decoder {
    Decoder::new(config(), tensors(1), &Device::Cpu, DType::BF16).expect("whole")
}

#[test]
fn weights_in_bf16_are_trained_by_f32_adapters_and_masters() {
    for method in [lora(), full(), Method::Full { freeze_embeddings: false }] {
        let recipe = Finetune { epochs: 12, ..recipe(method.clone()) };
        let (fine, mut rough) = (run_on(decoder(1, Kernels::Fused), &recipe, None), run_on(bf16(), &recipe, None));
        // at eight bits of precision a course is near the exact one for as long as rounding has not added up
        for (fine, rough) in fine.steps.iter().zip(&rough.steps).take(NEAR) {
            assert!((fine.loss - rough.loss).abs() < 0.03 * fine.loss, "{method:?}: {fine:?} {rough:?}");
        }
        let ends = |steps: &[StepRow]| (steps[0].loss, steps[steps.len() - 1].loss);
        let (first, last) = ends(&rough.steps);
        assert!(last < 0.7 * first, "{method:?}: {first} to {last}");
        let learning: Vec<DType> = match method {
            Method::Lora(_) => rough.decoder.adapters_mut().iter().flat_map(|(_, a)| [a.a.dtype(), a.b.dtype()]).collect(),
            Method::Full { .. } => {
                rough.decoder.weights().iter().skip(1).map(|(_, weight)| weight.tensor().expect("unpacks").dtype()).collect()
            }
        };
        assert!(learning.iter().all(|dtype| *dtype == DType::F32), "{method:?}");
        let again = run_on(bf16(), &checkpointed(&recipe), None);
        assert_same_course(&rough.steps[..NEAR], &again.steps[..NEAR], 1e-2, "bf16");
    }
}
