//! What must hold of the training loop.

use std::collections::BTreeMap;
use std::path::Path;

use super::order::tests::recipe;
use super::{Event, Training, train};
use crate::engine::local::adapter;
use crate::engine::local::arch::{Decoder, Ragged};
use crate::engine::local::fixture::{decoder, rows, tokens, values};
use crate::engine::local::layers::Kernels;
use crate::record::{Finetune, LayerRange, LayerTargets, Lora, Method, StepRow};

pub(super) fn lora() -> Method {
    Method::Lora(Lora { rank: 4, alpha: 8.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None })
}

pub(super) fn full() -> Method {
    Method::Full { freeze_embeddings: true }
}

/// Dropout, row lengths, several passes a step, tied embeddings that learn: whatever could tell the two ways of a pass apart.
pub(super) fn courses() -> Vec<Finetune> {
    let dropout = Lora { rank: 4, alpha: 8.0, rslora: false, dropout: 0.2, targets: LayerTargets::AllLinear, layers: None };
    let upper = Lora { layers: Some(LayerRange { first: 1, last: 1 }), ..dropout.clone() };
    let methods = [Method::Lora(dropout), Method::Lora(upper), full(), Method::Full { freeze_embeddings: false }];
    methods.into_iter().flat_map(|method| [2, 4].map(|micro_batch| Finetune { micro_batch, ..recipe(method.clone()) })).collect()
}

/// The recipe with activations computed again.
pub(super) fn checkpointed(recipe: &Finetune) -> Finetune {
    Finetune { gradient_checkpointing: Some(true), ..recipe.clone() }
}

pub(super) struct Trained {
    pub(super) decoder: Decoder,
    pub(super) steps: Vec<StepRow>,
}

fn run(kernels: Kernels, recipe: &Finetune, checkpoints: Option<&Path>) -> Trained {
    run_on(decoder(1, kernels), recipe, checkpoints)
}

pub(super) fn run_on(mut decoder: Decoder, recipe: &Finetune, checkpoints: Option<&Path>) -> Trained {
    let rows = rows(3, 10);
    let mut steps = Vec::new();
    let training = Training { rows: &rows, recipe, seed: 5, checkpoints };
    train(&mut decoder, &training, &mut |event| {
        if let Event::Step(row, _) = event {
            steps.push(row.clone());
        }
        Ok(())
    })
    .expect("trains");
    Trained { decoder, steps }
}

/// All weights, those of adapters included.
pub(super) fn weights(decoder: &mut Decoder) -> BTreeMap<String, Vec<f32>> {
    let adapters: Vec<_> = decoder
        .adapters_mut()
        .into_iter()
        .flat_map(|(site, a)| [(format!("{} A", site.name()), values(&a.a)), (format!("{} B", site.name()), values(&a.b))])
        .collect();
    decoder.weights().iter().map(|(name, w)| (name.clone(), values(&w.tensor().expect("unpacks")))).chain(adapters).collect()
}

#[test]
fn the_loss_falls_with_every_method_and_form() {
    for method in [lora(), full(), Method::Full { freeze_embeddings: false }] {
        for kernels in [Kernels::Fused, Kernels::Composite] {
            let recipe = Finetune { epochs: 12, ..recipe(method.clone()) };
            let steps = run(kernels, &recipe, None).steps;
            let mean = |rows: &[StepRow]| rows.iter().map(|r| r.loss).sum::<f64>() / rows.len() as f64;
            assert!(mean(&steps[33..]) < 0.7 * mean(&steps[..3]), "{method:?} {kernels:?}: {steps:?}");
        }
    }
}

#[test]
fn both_forms_take_the_same_course() {
    for method in [lora(), Method::Full { freeze_embeddings: false }] {
        let fused = run(Kernels::Fused, &recipe(method.clone()), None).steps;
        let composite = run(Kernels::Composite, &recipe(method), None).steps;
        for (a, b) in fused.iter().zip(&composite) {
            assert!((a.loss - b.loss).abs() < 1e-4 * b.loss, "{a:?} {b:?}");
            assert!((a.grad_norm - b.grad_norm).abs() < 1e-3 * b.grad_norm, "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_bytes() {
    for method in [lora(), full()] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let whole = Finetune { epochs: 4, checkpoint_every: 3, ..recipe(method) };
        let mut uninterrupted = run(Kernels::Fused, &whole, None);
        let mut first = run(Kernels::Fused, &whole, Some(folder.path()));
        let kept = std::fs::read_dir(folder.path()).expect("checkpoints").count();
        assert_eq!(kept, 2, "the newest two are kept");
        std::fs::remove_dir_all(folder.path().join("step-00000012")).expect("the last checkpoint");
        let mut resumed = run(Kernels::Fused, &whole, Some(folder.path()));
        assert_eq!(resumed.steps.first().map(|s| s.step), Some(10), "goes on after step 9");
        let end = weights(&mut uninterrupted.decoder);
        assert!(end == weights(&mut first.decoder) && end == weights(&mut resumed.decoder));
        let other = Finetune { learning_rate: 1e-3, ..whole };
        assert_eq!(run(Kernels::Fused, &other, Some(folder.path())).steps[0].step, 1, "another recipe's checkpoint is not taken");
    }
}

#[test]
fn a_training_goes_on_from_its_checkpoint_with_less_memory() {
    for recipe in courses() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let whole = Finetune { checkpoint_every: 2, ..recipe };
        let mut uninterrupted = run(Kernels::Fused, &whole, Some(folder.path()));
        std::fs::remove_dir_all(folder.path().join("step-00000006")).expect("the last checkpoint");
        let mut resumed = run(Kernels::Fused, &checkpointed(&whole), Some(folder.path()));
        assert_eq!(resumed.steps.first().map(|s| s.step), Some(5), "goes on after step 4");
        assert!(weights(&mut uninterrupted.decoder) == weights(&mut resumed.decoder), "{whole:?}");
    }
}

#[test]
fn threads_change_no_byte_of_the_result() {
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| weights(&mut run(Kernels::Fused, &recipe(lora()), None).decoder))
    };
    assert!(of(1) == of(2));
}

#[test]
fn only_what_the_method_names_is_trained() {
    let mut before = decoder(1, Kernels::Fused);
    let before = weights(&mut before);
    let after = weights(&mut run(Kernels::Fused, &recipe(lora()), None).decoder);
    assert!(before.iter().all(|(name, value)| after[name] == *value), "the base stays");
    let after = weights(&mut run(Kernels::Fused, &recipe(full()), None).decoder);
    let same: Vec<&String> = before.keys().filter(|name| before[*name] == after[*name]).collect();
    assert_eq!(same, ["model.embed_tokens.weight"]);
}

#[test]
fn training_goes_on_from_an_adapter() {
    let mut start = run(Kernels::Fused, &recipe(lora()), None).decoder;
    let before = weights(&mut start);
    let rows = rows(3, 10);
    let training = Training { rows: &rows, recipe: &recipe(lora()), seed: 5, checkpoints: None };
    let mut first = None;
    train(&mut start, &training, &mut |event| {
        if let Event::Step(row, _) = event {
            first.get_or_insert(row.loss);
        }
        Ok(())
    })
    .expect("trains");
    let fresh = run(Kernels::Fused, &recipe(lora()), None).steps[0].loss;
    assert!(first.is_some_and(|loss| loss < fresh));
    assert_ne!(before, weights(&mut start));
}

#[test]
fn a_diverging_or_empty_training_is_an_error() {
    let mut decoder = decoder(1, Kernels::Fused);
    let wild = Finetune { learning_rate: 1e30, clip_norm: 0.0, warmup_steps: 0, ..recipe(full()) };
    let rows = rows(3, 10);
    let error = train(&mut decoder, &Training { rows: &rows, recipe: &wild, seed: 1, checkpoints: None }, &mut |_| Ok(()));
    let text = error.expect_err("diverges").render();
    assert!(text.contains("at step 2") || text.contains("at step 3"), "{text}");
    let error = train(&mut decoder, &Training { rows: &[], recipe: &wild, seed: 1, checkpoints: None }, &mut |_| Ok(()));
    assert!(error.is_err());
}

/// What a training with checkpoints says when it fails.
fn failure(decoder: &mut Decoder, recipe: &Finetune, checkpoints: &Path) -> String {
    let rows = rows(3, 10);
    let training = Training { rows: &rows, recipe, seed: 5, checkpoints: Some(checkpoints) };
    train(decoder, &training, &mut |_| Ok(())).expect_err("diverges").render()
}

#[test]
fn a_loss_that_is_no_number_names_the_step_and_the_checkpoint_that_is_kept() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let wild = Finetune { checkpoint_every: 1, learning_rate: 1e30, clip_norm: 0.0, ..recipe(full()) };
    let text = failure(&mut decoder(1, Kernels::Fused), &wild, folder.path());
    assert!(text.starts_with("error: the loss is NaN at step 3; the last checkpoint is kept in `"), "{text}");
    let kept = folder.path().join("step-00000002");
    assert!(text.contains(&kept.display().to_string()) && kept.join("manifest.json").is_file(), "{text}");
    assert!(text.contains("hint: lower `learning_rate`"), "{text}");
}

#[test]
fn a_gradient_that_is_no_number_stops_the_training_too() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let Method::Lora(settings) = lora() else { unreachable!("it is LoRA") };
    let steep = Lora { alpha: 4e37, ..settings };
    let mut decoder = decoder(1, Kernels::Fused);
    adapter::attach_fresh(&mut decoder, &steep, 3).expect("fits");
    for (_, adapter) in decoder.adapters_mut() {
        adapter.a = (&adapter.a * 1e6).expect("small"); // the loss is as before: B is zero
    }
    let text = failure(&mut decoder, &recipe(Method::Lora(steep)), folder.path());
    let said = |value: &str| text.starts_with(&format!("error: the gradient norm is {value} at step 1\n"));
    assert!(said("inf") || said("NaN"), "{text}");
}

/// The loss of a few rows and its gradient for every weight.
fn gradients(decoder: &mut Decoder) -> (f64, BTreeMap<String, Vec<f32>>) {
    let recipe = recipe(Method::Full { freeze_embeddings: false });
    let named = super::weights::make_trainable(decoder, &recipe, 1).expect("variables");
    let (tokens, lengths) = (tokens(4, 23), [9, 1, 13]);
    let hidden = decoder.hidden(&Ragged { tokens: &tokens, lengths: &lengths }, None).expect("fits");
    let loss = decoder.losses(&hidden, &tokens).and_then(|l| Ok(l.sum_all()?)).expect("fits");
    let store = loss.backward().expect("differentiable");
    let all = named.iter().map(|(name, var)| (name.clone(), values(store.get(var.as_tensor()).expect("a gradient")))).collect();
    (f64::from(values(&loss)[0]), all)
}

#[test]
fn every_gradient_of_the_fused_form_is_that_of_the_composite_one() {
    let (fused, composite) = (gradients(&mut decoder(1, Kernels::Fused)), gradients(&mut decoder(1, Kernels::Composite)));
    assert!((fused.0 - composite.0).abs() < 1e-3);
    assert_eq!(fused.1.len(), composite.1.len());
    for (name, a) in &fused.1 {
        let b = &composite.1[name];
        let size = (b.iter().map(|x| x * x).sum::<f32>() / b.len() as f32).sqrt();
        let difference = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(size > 0.0 && difference < 1e-3 * size.max(1e-2), "{name}: {difference} beside {size}");
    }
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let slopes = gradients(&mut decoder(1, Kernels::Fused)).1;
    for name in
        ["model.layers.0.self_attn.k_proj.weight", "model.layers.1.mlp.gate_proj.weight", "model.layers.0.input_layernorm.weight"]
    {
        let slope = &slopes[name];
        let at = (0..slope.len()).max_by(|a, b| slope[*a].abs().total_cmp(&slope[*b].abs())).expect("not empty");
        let loss = |step: f32| {
            let mut moved = decoder(1, Kernels::Fused);
            for (_, weight) in moved.weights_mut().expect("unpacks").into_iter().filter(|(n, _)| n == name) {
                let mut v = values(weight);
                v[at] += step;
                *weight = candle_core::Tensor::from_vec(v, weight.shape(), weight.device()).expect("same shape");
            }
            gradients(&mut moved).0
        };
        let measured = (loss(1e-2) - loss(-1e-2)) / 2e-2;
        assert!((measured - f64::from(slope[at])).abs() < 0.02 * measured.abs(), "{name}: {measured} against {}", slope[at]);
    }
}
