//! One step of sampling and one of LoRA training: `cargo bench --bench steps`.
//!
//! The decoder has the sizes of the 135M shape, but 6 layers instead of 30 and random weights. `SUBLIMINAL_SIMD` forces an instruction
//! set; throughput is in tokens.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use subliminal::engine::local::arch::{Decoder, DecoderConfig, KvCache, Ragged};
use subliminal::engine::local::train::{EncodedRow, Training, train};
use subliminal::record::{Finetune, LayerTargets, Lora, Method, Schedule};

fn decoder(dtype: DType) -> Decoder {
    let config = json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536,
        "num_hidden_layers": 6, "num_attention_heads": 9, "num_key_value_heads": 3, "max_position_embeddings": 2048,
        "tie_word_embeddings": true, "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000.0
    });
    let config = DecoderConfig::from_json(&config).expect("a supported model");
    let tensors: HashMap<String, Tensor> = config
        .weights()
        .into_iter()
        .map(|(name, shape)| {
            let weight = if shape.len() == 1 {
                Tensor::ones(shape, DType::F32, &Device::Cpu)
            } else {
                Tensor::randn(0.0f32, 0.02, shape, &Device::Cpu)
            };
            (name, weight.expect("there is memory"))
        })
        .collect();
    Decoder::new(config, tensors, &Device::Cpu, dtype).expect("the tensors fit")
}

/// Rows with a prompt of 88 tokens that were read.
fn prefilled(decoder: &Decoder, rows: usize) -> KvCache {
    let lengths = vec![88; rows];
    let tokens: Vec<u32> = (0..88 * rows as u32).map(|i| i * 7919 % 49152).collect();
    let mut cache = KvCache::new(rows);
    decoder.hidden(&Ragged { tokens: &tokens, lengths: &lengths }, Some(&mut cache)).expect("runs");
    cache
}

fn sampling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a decode step after 88 tokens");
    for dtype in [DType::F32, DType::BF16] {
        let decoder = decoder(dtype);
        for rows in [1_usize, 8, 32, 128] {
            let (tokens, lengths) = (vec![5; rows], vec![1; rows]);
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new(dtype.as_str(), format!("{rows} rows")), |b| {
                b.iter_batched_ref(
                    || prefilled(&decoder, rows),
                    |cache| {
                        let hidden = decoder.hidden(&Ragged { tokens: &tokens, lengths: &lengths }, Some(cache)).expect("runs");
                        decoder.logits(&hidden).expect("runs")
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

fn training(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a LoRA step of 8 rows of 120 tokens");
    let tokens: Vec<u32> = (0..120).map(|i| i * 7919 % 49152).collect();
    let rows = vec![EncodedRow { tokens, prompt: 88 }; 8];
    let lora = Lora { rank: 8, alpha: 8.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None };
    let recipe = Finetune {
        method: Method::Lora(lora),
        epochs: 1,
        max_steps: Some(1),
        batch_size: 8,
        micro_batch: 8,
        gradient_checkpointing: Some(false),
        learning_rate: 2e-4,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        weight_decay: 0.0,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        clip_norm: 1.0,
        shuffle: false,
        length_power: 0.0,
        checkpoint_every: 0,
        checkpoint_minutes: 0.0,
    };
    for dtype in [DType::F32, DType::BF16] {
        let mut decoder = decoder(dtype);
        let training = Training { rows: &rows, recipe: &recipe, seed: 0, checkpoints: None };
        group.throughput(Throughput::Elements(8 * 120));
        group.bench_function(dtype.as_str(), |b| b.iter(|| train(&mut decoder, &training, &mut |_| Ok(())).expect("trains")));
    }
    group.finish();
}

criterion_group! { name = steps; config = Criterion::default().sample_size(10); targets = sampling, training }
criterion_main!(steps);
