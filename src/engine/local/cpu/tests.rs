//! Kernels against plain loops, on every instruction set of this processor.

use super::attention::{Backward, Scratch, Span, forward};
use half::bf16;

use super::gemm::narrow::{self, Left, Narrow};
use super::gemm::{self, Band, Packed, Start, Strided, product};
use super::level::Simd;
use super::math::{exp, tanh};
use super::rows::{Activation, Gelu, Silu, SoftCap, gated_unit_backward, sums};
use super::simd::{Kernel, Level, on_every_level};
use super::{thin, zeros};

/// The first three of some cases for Miri, which takes a thousand times as long; else all.
fn few<T>(cases: &[T]) -> &[T] {
    if cfg!(miri) { &cases[..3] } else { cases }
}

fn numbers(seed: u64, len: usize) -> Vec<f32> {
    use rand::Rng;
    let mut random = crate::tool::streams::named(seed, "kernel", 0);
    (0..len).map(|_| random.random_range(-1.0f32..1.0)).collect()
}

#[test]
fn products_equal_one_chain_of_multiply_adds_for_any_shape() {
    for &(rows, depth, columns) in few(&[(1, 7, 3), (2, 64, 16), (13, 1, 40), (5, 300, 33), (25, 257, 64), (300, 20, 90)]) {
        let (left, right) = (numbers(1, rows * depth), numbers(2, depth * columns));
        let mut out = vec![f32::NAN; rows * columns];
        let packed = Packed::new(Strided::rows(&right, columns), depth, columns);
        product(Strided::rows(&left, depth), rows, &packed, Start::Zero, Band::Full, &mut out, columns);
        for i in 0..rows {
            for j in 0..columns {
                let plain =
                    (0..depth).fold(0.0f64, |sum, k| sum + f64::from(left[i * depth + k]) * f64::from(right[k * columns + j]));
                assert!((f64::from(out[i * columns + j]) - plain).abs() < 1e-4, "({i}, {j}) of {rows} × {depth} × {columns}");
            }
        }
        let alone = {
            let mut alone = vec![0.0; columns];
            product(Strided::rows(&left[(rows - 1) * depth..], depth), 1, &packed, Start::Zero, Band::Full, &mut alone, columns);
            alone
        };
        assert_eq!(alone, out[(rows - 1) * columns..], "a row alone has the same bits");
    }
}

#[test]
fn thin_products_have_the_bits_of_any_product() {
    for &(rows, width, rank) in few(&[(1, 7, 3), (13, 40, 1), (25, 65, 8), (5, 32, 16), (14, 33, 17), (2100, 90, 40)]) {
        let (wide, small, left) = (numbers(1, rows * width), numbers(2, rank * width), numbers(3, rows * rank));
        let packed = Packed::new(Strided::rows(&small, width).transposed(), width, rank);
        let expected = gemm::fresh(Strided::rows(&wide, width), rows, &packed, None);
        let packed = Packed::new(Strided::rows(&wide, width), rows, width);
        let turned = gemm::fresh(Strided::rows(&left, rank).transposed(), rank, &packed, None);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            assert_eq!(pool.install(|| thin::product(&wide, &small, rank)), expected, "{rows} × {width} × {rank}");
            let found = pool.install(|| thin::turned_product(&left, rank, &wide));
            assert_eq!(found, turned, "{rank} × {rows} × {width}");
        }
    }
}

/// Every element against a sum in f64 of what was rounded to bf16, on the level in use; the test at the end runs this on the others.
#[test]
fn narrow_products_equal_plain_sums_for_any_shape_and_each_row_is_on_its_own() {
    let shapes = [(1, 7, 3), (2, 64, 16), (17, 1, 64), (5, 300, 33), (16, 33, 40), (33, 2100, 65), (300, 20, 90)];
    for &(rows, depth, columns) in few(&shapes) {
        let left = numbers(1, rows * depth);
        let right: Vec<bf16> = numbers(2, depth * columns).into_iter().map(bf16::from_f32).collect(); // (columns, depth)
        let bias = numbers(3, columns);
        let packed = Narrow::of_rows(&right, depth, columns);
        let run = |left: &[f32], bias: Option<&[f32]>| {
            let (mut rounded, mut out) = (Left::default(), vec![f32::NAN; left.len() / depth * columns]);
            rounded.refill(left, depth);
            narrow::product(&rounded, &packed, bias, &mut out, columns);
            out
        };
        let (out, biased) = (run(&left, None), run(&left, Some(&bias)));
        let exact = |i: usize, j: usize| -> f64 {
            (0..depth).map(|k| f64::from(bf16::from_f32(left[i * depth + k])) * f64::from(right[j * depth + k])).sum()
        };
        for (at, sum) in out.iter().enumerate() {
            let (i, j) = (at / columns, at % columns);
            let plain = exact(i, j);
            assert!((f64::from(*sum) - plain).abs() < 1e-4, "({i}, {j}) of {rows} × {depth} × {columns}: {sum}, not {plain}");
            assert!((f64::from(biased[at]) - plain - f64::from(bias[j])).abs() < 1e-4, "with a bias");
        }
        assert_eq!(run(&left[(rows - 1) * depth..], None), out[(rows - 1) * columns..], "a row alone has the same bits");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("three threads");
        assert_eq!(pool.install(|| run(&left, None)), out, "threads change nothing");
    }
}

#[test]
fn packed_matrices_give_their_columns_back_and_turn_exactly() {
    for &(depth, columns) in few(&[(1, 1), (7, 3), (33, 65), (64, 90), (100, 16)]) {
        let values: Vec<bf16> = numbers(4, depth * columns).into_iter().map(bf16::from_f32).collect(); // (columns, depth)
        let wide: Vec<f32> = values.iter().map(|x| x.to_f32()).collect();
        let narrow = Narrow::of_rows(&values, depth, columns);
        let packed = Packed::new(Strided::rows(&wide, depth).transposed(), depth, columns);
        let mut row = vec![0.0; depth];
        for j in 0..columns {
            narrow.column(j, &mut row);
            assert_eq!(row, wide[j * depth..(j + 1) * depth]);
            packed.column(j, &mut row);
            assert_eq!(row, wide[j * depth..(j + 1) * depth]);
        }
        let (narrow, packed, mut column) = (narrow.transposed(), packed.transposed(), vec![0.0; columns]);
        for k in 0..depth {
            let expected: Vec<f32> = (0..columns).map(|j| wide[j * depth + k]).collect();
            narrow.column(k, &mut column);
            assert_eq!(column, expected);
            packed.column(k, &mut column);
            assert_eq!(column, expected);
        }
    }
}

/// Runs the tests of kernels, layers and decoders once more on each of the processor's other levels, in processes of their own.
#[test]
fn every_level_passes_the_tests_of_kernels_layers_and_decoders() {
    if std::env::var_os("SUBLIMINAL_SIMD").is_some() {
        return; // this is such a process
    }
    for level in Simd::there() {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this test"));
        child.args([
            "engine::local::cpu",
            "engine::local::layers",
            "engine::local::arch",
            "engine::local::model",
            "engine::local::train::invariants",
        ]);
        let out = child.env("SUBLIMINAL_SIMD", level.name()).output().expect("runs");
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && said.contains("test result: ok"), "{}: {said}", level.name());
        assert!(!said.contains(" 0 passed"), "{}: {said}", level.name());
    }
}

#[test]
fn a_right_hand_side_that_grew_equals_one_packed_at_once() {
    let (depth, columns) = (37, 70);
    let (left, right) = (numbers(1, 3 * depth), numbers(2, depth * columns));
    let matrix = Strided::rows(&right, columns);
    let run = |packed: &Packed| {
        let mut out = vec![0.0; 3 * columns];
        product(Strided::rows(&left, depth), 3, packed, Start::Zero, Band::Full, &mut out, columns);
        out
    };
    let mut by_rows = Packed::of_columns(columns);
    right.chunks_exact(columns).for_each(|row| by_rows.push_row(row));
    let mut by_columns = Packed::of_depth(depth);
    (0..columns).for_each(|j| by_columns.push_column(&right.iter().skip(j).step_by(columns).copied().collect::<Vec<_>>()));
    let whole = run(&Packed::new(matrix, depth, columns));
    assert_eq!(whole, run(&by_rows));
    assert_eq!(whole, run(&by_columns));
}

#[derive(Clone)]
struct Exponentials(Vec<f32>);

impl Kernel for Exponentials {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<L: Level>(self) -> Vec<f32> {
        self.0.iter().map(|x| exp::<L>(*x)).collect()
    }
}

#[test]
fn exponentials_are_exact_to_a_few_units_on_every_level() {
    let inputs: Vec<f32> = (-8700..=8800).map(|i| i as f32 / 100.0).collect();
    for level in on_every_level(&Exponentials(inputs.clone())) {
        for (x, y) in inputs.iter().zip(level) {
            let exact = f64::from(*x).exp();
            assert!((f64::from(y) - exact).abs() <= 4e-7 * exact, "e^{x} is {exact}, not {y}");
        }
    }
}

/// A function of one number, for every number.
#[derive(Clone)]
struct Each<F>(Vec<f32>, F);

trait Function: Clone {
    fn of<L: Level>(&self, x: f32) -> [f32; 2];
}

impl<F: Function> Kernel for Each<F> {
    type Output = Vec<[f32; 2]>;

    #[inline(always)]
    fn run<L: Level>(self) -> Vec<[f32; 2]> {
        self.0.iter().map(|x| self.1.of::<L>(*x)).collect()
    }
}

#[derive(Clone)]
struct Tanh;

impl Function for Tanh {
    #[inline(always)]
    fn of<L: Level>(&self, x: f32) -> [f32; 2] {
        let y = tanh::<L>(x);
        [y, 1.0 - y * y]
    }
}

#[derive(Clone)]
struct Gate<A>(A);

impl<A: Activation + Clone> Function for Gate<A> {
    #[inline(always)]
    fn of<L: Level>(&self, x: f32) -> [f32; 2] {
        let (value, slope) = self.0.value_and_slope::<L>(x);
        assert!((self.0.gate::<L>(x, 1.0) - value).abs() <= 1e-6 * value.abs());
        [value, slope]
    }
}

fn assert_computes(function: impl Function, exact: impl Fn(f64) -> f64, tolerance: f64) {
    let inputs: Vec<f32> = (-4000..=4000).map(|i| i as f32 / 200.0).collect();
    for level in on_every_level(&Each(inputs.clone(), function)) {
        for (x, [y, slope]) in inputs.iter().zip(level) {
            let (at, step) = (f64::from(*x), 1e-5);
            assert!(
                (f64::from(y) - exact(at)).abs() <= tolerance * exact(at).abs().max(1e-3),
                "f({x}) is {}, not {y}",
                exact(at)
            );
            let measured = (exact(at + step) - exact(at - step)) / (2.0 * step);
            assert!((f64::from(slope) - measured).abs() < 1e-5, "f'({x}) is {measured}, not {slope}");
        }
    }
}

#[test]
fn activations_and_their_slopes_are_exact_on_every_level() {
    assert_computes(Tanh, f64::tanh, 5e-7);
    assert_computes(Gate(Silu), |x| x / (1.0 + (-x).exp()), 2e-6);
    let gelu = |x: f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh());
    assert_computes(Gate(Gelu), gelu, 2e-6);
}

#[test]
fn zeros_sums_and_a_gates_slopes_fill_their_buffers_whatever_their_length() {
    for &len in few(&[1, 17, 40, (1 << 16) + 5]) {
        let [gate, up, grad] = [1, 2, 3].map(|seed| numbers(seed, len));
        assert_eq!(zeros(len), vec![0.0; len]);
        assert_eq!(sums(&gate, &up), gate.iter().zip(&up).map(|(x, y)| x + y).collect::<Vec<_>>());
        let (of_gate, of_up) = gated_unit_backward(Silu, &gate, &up, &grad);
        assert_eq!((of_gate.len(), of_up.len()), (len, len));
        for i in 0..len {
            let [x, y, g] = [gate[i], up[i], grad[i]].map(f64::from);
            let sigmoid = 1.0 / (1.0 + (-x).exp());
            assert!((f64::from(of_up[i]) - g * x * sigmoid).abs() < 1e-6, "{i} of {len}");
            let slope = sigmoid * (1.0 + x * (1.0 - sigmoid));
            assert!((f64::from(of_gate[i]) - g * y * slope).abs() < 1e-6, "{i} of {len}");
        }
    }
}

#[test]
fn a_soft_cap_is_gentle_near_zero_and_firm_far_out() {
    let mut values = [0.0, 1e-4, -3.0, 40.0, -1e9];
    let mut slopes = [f32::NAN; 5];
    super::run(SoftCap { values: &mut values, cap: 4.0, slopes: &mut slopes });
    let exact = [0.0, 1e-4, -4.0 * 0.75f32.tanh(), 4.0, -4.0];
    assert!(values.iter().zip(exact).all(|(a, b)| (a - b).abs() <= 5e-7 * b.abs()), "{values:?}");
    assert_eq!((slopes[0], slopes[4]), (1.0, 0.0));
}

/// Attention of one head in plain loops, in f64: the mixed values of every row of queries.
fn plain_attention(span: Span, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f64> {
    let at = |data: &[f32], row: usize, i: usize| f64::from(data[row * span.width + i]);
    let mut out = Vec::new();
    for row in 0..span.queries * span.group {
        let end = span.past + row / span.group + 1;
        let seen = end.saturating_sub(span.window)..end;
        let score = |key: usize| {
            let score = (0..span.width).map(|i| at(q, row, i) * at(k, key, i)).sum::<f64>();
            span.soft_cap.map_or(score, |cap| f64::from(cap) * (score / f64::from(cap)).tanh()).exp()
        };
        let total: f64 = seen.clone().map(score).sum();
        out.extend((0..span.width).map(|i| seen.clone().map(|key| score(key) * at(v, key, i)).sum::<f64>() / total));
    }
    out
}

#[test]
fn attention_equals_plain_loops_with_any_window_and_cap() {
    for (queries, past, group) in if cfg!(miri) {
        [(9, 0, 2), (2, 17, 3), (1, 16, 1), (1, 1, 1)]
    } else {
        [(70, 0, 2), (5, 100, 3), (1, 64, 1), (90, 500, 20)]
    } {
        for &window in few(&[4, 1, usize::MAX, 33, 64]) {
            for soft_cap in [None, Some(1.5)] {
                let span = Span { queries, past, group, width: 8, window, soft_cap };
                let (q, context) = (numbers(1, queries * group * 8), queries + past);
                let (k, v) = (numbers(2, context * 8), numbers(3, context * 8));
                let keys = Packed::new(Strided::rows(&k, 8).transposed(), 8, context);
                let values = Packed::new(Strided::rows(&v, 8), context, 8);
                let mut out = vec![f32::NAN; q.len()];
                forward(span, &q, &keys, &values, &mut Scratch::default(), &mut out);
                for (a, b) in out.iter().zip(plain_attention(span, &q, &k, &v)) {
                    assert!((f64::from(*a) - b).abs() < 1e-5, "{a} against {b}: {queries} {past} {window} {soft_cap:?}");
                }
            }
        }
    }
}

#[test]
fn attentions_gradients_are_its_slopes_with_any_window_and_cap() {
    // the slopes take thousands of forward passes: too many for Miri
    let cases = [(usize::MAX, None), (3, None), (usize::MAX, Some(0.7)), (5, Some(1.5))];
    for &(window, soft_cap) in if cfg!(miri) { &cases[3..] } else { &cases[..] } {
        let span = Span { queries: 40, past: 0, group: 2, width: 4, window, soft_cap };
        let inputs = [numbers(1, 320), numbers(2, 160), numbers(3, 160)];
        let weights = numbers(4, 320);
        let (mut grad_q, mut grad_k, mut grad_v) = (vec![0.0; 320], vec![0.0; 160], vec![0.0; 160]);
        let [q, k, v] = &inputs;
        let into = (&mut grad_q[..], &mut grad_k[..], &mut grad_v[..]);
        Backward { span, q, k, v, grad: &weights, grad_q: into.0, grad_k: into.1, grad_v: into.2 }.run(&mut Scratch::default());
        for (which, gradient) in [grad_q, grad_k, grad_v].iter().enumerate() {
            for at in (0..gradient.len()).step_by(if cfg!(miri) { 160 } else { 7 }) {
                let loss = |step: f32| {
                    let mut moved = inputs.clone();
                    moved[which][at] += step;
                    let [q, k, v] = &moved;
                    let (stepped, out) = (f64::from(moved[which][at]), plain_attention(span, q, k, v));
                    (stepped, out.iter().zip(&weights).map(|(o, w)| o * f64::from(*w)).sum::<f64>())
                };
                let ((above, more), (below, less)) = (loss(1e-3), loss(-1e-3));
                let measured = (more - less) / (above - below);
                let apart = (f64::from(gradient[at]) - measured).abs();
                assert!(apart < 1e-4 * measured.abs().max(0.1), "{which}, {at}: {} against {measured}", gradient[at]);
            }
        }
    }
}
