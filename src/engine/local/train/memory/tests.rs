//! The estimate against what a process of its own is seen to take.

use std::collections::HashMap;
use std::process::Command;

use candle_core::{DType, Device, Tensor};
use serde_json::json;

use super::{checkpointing, estimate};
use crate::engine::local::arch::{Decoder, DecoderConfig};
use crate::engine::local::train::order::tests::recipe;
use crate::engine::local::train::{EncodedRow, Training, train};
use crate::record::{Finetune, LayerRange, LayerTargets, Lora, Method};

/// Rows, and tokens of each.
const ROWS: u32 = 8;
const LONGEST: usize = 128;

/// How far the measured peak may lie from the estimate, either way.
const FACTOR: f64 = 1.5;

/// One training: its name, the recipe, the number of layers, and the format of the weights.
type Case = (&'static str, Finetune, usize, DType);

fn lora() -> Lora {
    Lora { rank: 8, alpha: 8.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None }
}

fn cases() -> Vec<Case> {
    let of = |method: Method, again: bool| Finetune {
        batch_size: 8,
        micro_batch: 8,
        max_steps: Some(1),
        warmup_steps: 0,
        gradient_checkpointing: Some(again),
        ..recipe(method)
    };
    let adapter = || Method::Lora(lora());
    let upper = Method::Lora(Lora { layers: Some(LayerRange { first: 6, last: 11 }), ..lora() });
    let full = || Method::Full { freeze_embeddings: false };
    let cut = Finetune { micro_batch: 2, ..of(full(), true) };
    vec![
        ("lora", of(adapter(), false), 12, DType::F32),
        ("lora-again", of(adapter(), true), 12, DType::F32),
        ("upper", of(upper, false), 12, DType::F32),
        ("full", of(full(), false), 6, DType::F32),
        ("full-again-in-parts", cut, 6, DType::F32),
        ("lora-bf16", of(adapter(), false), 2, DType::BF16),
        ("lora-bf16-again", of(adapter(), true), 2, DType::BF16),
        ("full-bf16", of(full(), false), 2, DType::BF16),
        ("full-bf16-again", of(full(), true), 2, DType::BF16),
    ]
}

fn config(layers: usize) -> DecoderConfig {
    let json = json!({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 4096, "hidden_size": 256,
        "intermediate_size": 768, "num_hidden_layers": layers, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 256, "tie_word_embeddings": true, "hidden_act": "silu", "rms_norm_eps": 1e-6
    });
    DecoderConfig::from_json(&json).expect("supported")
}

/// The most memory that this process has held, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

/// Trains one case and prints by how much the process grew.
#[test]
#[ignore = "run by `the_estimate_is_near_the_measured_peak`, in a process of its own"]
fn one_training() {
    let name = std::env::var("CASE").expect("the name of a case");
    let (_, recipe, layers, dtype) = cases().into_iter().find(|(case, ..)| *case == name).expect("a case");
    let config = config(layers);
    let small = |shape: &[usize]| Tensor::full(0.01f32, shape, &Device::Cpu).and_then(|t| t.contiguous()).expect("small");
    let tensors: HashMap<String, Tensor> = config.weights().into_iter().map(|(name, shape)| (name, small(&shape))).collect();
    let mut decoder = Decoder::new(config, tensors, &Device::Cpu, dtype).expect("whole");
    let rows: Vec<EncodedRow> =
        (0..ROWS).map(|i| EncodedRow { tokens: (0..LONGEST as u32).map(|t| t * 7 + i).collect(), prompt: LONGEST / 2 }).collect();
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux lets a process forget its peak");
    let before = peak();
    let training = Training { rows: &rows, recipe: &recipe, seed: 1, checkpoints: None };
    train(&mut decoder, &training, &mut |_| Ok(())).expect("trains");
    eprintln!("grew by {} bytes", peak() - before);
}

#[test]
#[cfg(target_os = "linux")]
fn the_estimate_is_near_the_measured_peak() {
    let mut wrong = Vec::new();
    for (name, recipe, layers, dtype) in cases() {
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        child.args(["--exact", "engine::local::train::memory::tests::one_training", "--ignored", "--nocapture"]);
        let out = child.env("CASE", name).output().expect("runs");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let grew = said.split("grew by ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
        let grew = grew.unwrap_or_else(|| panic!("{name}: {said}"));
        let estimate = estimate(&config(layers), &recipe, dtype, LONGEST, true);
        let expected = estimate.total - estimate.weights;
        let factor = grew as f64 / expected as f64;
        eprintln!("{name}: {} MiB measured, {} MiB estimated, {factor:.2}", grew >> 20, expected >> 20);
        if !(1.0 / FACTOR..=FACTOR).contains(&factor) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn memory_decides_where_the_recipe_leaves_it_open() {
    let (config, open) = (config(12), Finetune { batch_size: 8, micro_batch: 8, ..recipe(Method::Lora(lora())) });
    let open = Finetune { gradient_checkpointing: None, ..open };
    let decide = |recipe: &Finetune, available| checkpointing(&config, recipe, DType::F32, LONGEST, true, available);
    assert!(!decide(&open, Some(8 << 30)).expect("fits"));
    assert!(decide(&open, Some(200 << 20)).expect("fits when computed again"));
    assert!(!decide(&open, None).expect("nothing is refused where nothing is known"));
    let firm = Finetune { gradient_checkpointing: Some(false), ..open };
    assert!(!decide(&firm, Some(8 << 30)).expect("fits"));
}

#[test]
fn a_training_that_cannot_fit_is_refused_with_what_it_needs_and_its_cures() {
    let recipe = Finetune { batch_size: 8, micro_batch: 8, ..recipe(Method::Full { freeze_embeddings: true }) };
    let error = checkpointing(&config(12), &recipe, DType::F32, LONGEST, true, Some(100 << 20)).expect_err("does not fit");
    let text = error.render();
    assert!(
        text.starts_with("error: this training needs about ") && text.contains("beside its weights, 100 MiB are available"),
        "{text}"
    );
    for cure in ["`gradient_checkpointing`", "`micro_batch` from 8", "LoRA", "bf16"] {
        assert!(text.contains(cure), "{text}");
    }
    assert_eq!(error.kind().exit_code(), 3);
}
