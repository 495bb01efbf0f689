//! Kernels against plain loops, on every instruction set of this processor.

use super::gemm::{Band, Packed, Start, Strided, product};
use super::math::exp;
use super::simd::{Kernel, Level, on_every_level};

fn numbers(seed: u64, len: usize) -> Vec<f32> {
    use rand::Rng;
    let mut random = crate::tool::streams::named(seed, "kernel", 0);
    (0..len).map(|_| random.random_range(-1.0f32..1.0)).collect()
}

#[test]
fn products_equal_one_chain_of_multiply_adds_for_any_shape() {
    for (rows, depth, columns) in [(1, 7, 3), (2, 64, 16), (5, 300, 33), (13, 1, 40), (25, 257, 64), (300, 20, 90)] {
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
