//! Products of activations with frozen weights at a decoder's sizes: `cargo bench --bench kernels`.
//!
//! `SUBLIMINAL_SIMD` (`portable`, `avx2`, `avx512`, `avx512-bf16`, `amx`, `neon`) forces an instruction set; criterion's throughput is in
//! multiply-adds, two operations each.

use candle_core::{DType, Device, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use subliminal::engine::local::layers::Frozen;

/// Rows, inputs and outputs: a few rows and many, through the matrices of the 135M and 0.5B shapes.
const SHAPES: [[usize; 3]; 8] = [
    [1, 896, 4864],
    [8, 896, 4864],
    [32, 896, 4864],
    [128, 576, 576],
    [128, 576, 1536],
    [128, 576, 49152],
    [768, 576, 1536],
    [768, 4864, 896],
];

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect()
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("x Wᵀ");
    for dtype in [DType::F32, DType::BF16] {
        for [rows, inner, out] in SHAPES {
            let weight = Tensor::from_vec(numbers(out * inner), (out, inner), &Device::Cpu).and_then(|w| w.to_dtype(dtype));
            let frozen = Frozen::of(&weight.expect("a matrix")).expect("packs");
            let (x, mut y) = (numbers(rows * inner), vec![0.0; rows * out]);
            group.throughput(Throughput::Elements((rows * inner * out) as u64));
            let name = BenchmarkId::new(dtype.as_str(), format!("{rows}×{inner}×{out}"));
            group.bench_function(name, |b| b.iter(|| frozen.forward(&x, None, &mut y)));
        }
    }
    group.finish();
}

criterion_group! { name = kernels; config = Criterion::default().sample_size(20); targets = products }
criterion_main!(kernels);
