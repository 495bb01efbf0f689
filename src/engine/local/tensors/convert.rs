//! Stored floats to the format and device that the work runs in.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{DType, Device, Tensor, WithDType};
use half::{bf16, f16};
use rayon::prelude::*;
use safetensors::Dtype;

use crate::engine::local::cpu::{self, Kernel, Level};
use crate::engine::local::layers::Frozen;
use crate::error::{Error, Result};

/// Values that one thread converts at a time.
const BLOCK: usize = 1 << 16;

/// A tensor of `dtype` on `device` from its little-endian bytes; every value must be finite. f32 to f32 keeps every bit.
///
/// # Errors
/// If a value is NaN or infinite, the stored format is not f32, f16 or bf16, or the device refuses.
pub(super) fn tensor(bytes: &[u8], stored: Dtype, shape: &[usize], device: &Device, dtype: DType) -> Result<Tensor> {
    let stored = Stored::new(bytes, stored)?;
    match dtype {
        DType::F32 => place(stored, |x| x, shape, device),
        DType::BF16 => place(stored, narrow, shape, device),
        DType::F16 => place(stored, f16::from_f32, shape, device),
        other => Err(Error::environment(format!("weights cannot be held as {}", other.as_str()))),
    }
}

/// A matrix (out, in), packed for products on the CPU in f32 or bf16, from its little-endian bytes; every value must be finite.
///
/// # Errors
/// As [`tensor`].
pub(super) fn frozen(bytes: &[u8], stored: Dtype, shape: (usize, usize), dtype: DType) -> Result<Frozen> {
    let stored = Stored::new(bytes, stored)?;
    let finite = AtomicBool::new(true);
    let note = |all_were: bool| {
        if !all_were {
            finite.store(false, Ordering::Relaxed);
        }
    };
    let frozen = match dtype {
        DType::F32 => Frozen::wide(shape, |row, into| note(stored.replace(row * shape.1, |x| x, into))),
        DType::BF16 => Frozen::narrow(shape, |row, into| note(stored.replace(row * shape.1, narrow, into))),
        other => return Err(Error::environment(format!("weights of {} cannot be packed", other.as_str()))),
    };
    if finite.into_inner() { Ok(frozen) } else { Err(not_finite()) }
}

/// The nearest bf16 of a finite number, ties to even. Without a branch, unlike `half`'s, so that many are converted at a time.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as its caller, a kernel")]
fn narrow(x: f32) -> bf16 {
    let bits = x.to_bits();
    bf16::from_bits((bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16)
}

fn not_finite() -> Error {
    Error::environment("NaN or infinite values").hint("the checkpoint itself is broken: take an earlier one, or another copy")
}

/// Every value of a tensor, converted.
fn place<T: WithDType>(stored: Stored<'_>, to: impl Fn(f32) -> T + Sync, shape: &[usize], device: &Device) -> Result<Tensor> {
    let count = stored.count();
    let mut values = Vec::with_capacity(count);
    let room = &mut values.spare_capacity_mut()[..count]; // not zeros, which one thread would write
    let blocks = room.par_chunks_mut(BLOCK).enumerate();
    let finite = blocks.map(|(i, into)| stored.convert(i * BLOCK, &to, into)).reduce(|| true, |a, b| a & b);
    // SAFETY: there is room for them, and every block wrote as many values as it has room for.
    unsafe { values.set_len(count) };
    if finite { Ok(Tensor::from_vec(values, shape, device)?) } else { Err(not_finite()) }
}

/// A tensor's little-endian bytes.
#[derive(Clone, Copy)]
struct Stored<'a> {
    bytes: &'a [u8],
    format: Format,
}

/// How its floats are stored.
#[derive(Clone, Copy)]
enum Format {
    F32,
    F16,
    BF16,
}

impl<'a> Stored<'a> {
    fn new(bytes: &'a [u8], stored: Dtype) -> Result<Self> {
        let format = match stored {
            Dtype::F32 => Format::F32,
            Dtype::F16 => Format::F16,
            Dtype::BF16 => Format::BF16,
            other => {
                let error = Error::environment(format!("stored as {other:?}; only F32, F16 and BF16 can be read"));
                return Err(error.hint("save the checkpoint again in bf16, without quantisation"));
            }
        };
        Ok(Self { bytes, format })
    }

    /// How many values there are.
    fn count(self) -> usize {
        match self.format {
            Format::F32 => self.bytes.len() / 4,
            Format::F16 | Format::BF16 => self.bytes.len() / 2,
        }
    }

    /// Writes the values from the given one on, converted, as many as there is room for; tells whether all were finite.
    fn convert<T>(self, first: usize, to: impl Fn(f32) -> T, into: &mut [MaybeUninit<T>]) -> bool {
        match self.format {
            Format::F32 => self.run(first, f32::from_le_bytes, to, into),
            Format::F16 => self.run(first, |b| f16::from_le_bytes(b).to_f32(), to, into),
            Format::BF16 => self.run(first, |b| bf16::from_le_bytes(b).to_f32(), to, into),
        }
    }

    /// [`Stored::convert`] over values that are there.
    fn replace<T: Copy>(self, first: usize, to: impl Fn(f32) -> T, into: &mut [T]) -> bool {
        // SAFETY: both are laid out alike, and nothing but values is written.
        self.convert(first, to, unsafe { &mut *(std::ptr::from_mut(into) as *mut [MaybeUninit<T>]) })
    }

    fn run<const N: usize, T>(
        self,
        first: usize,
        read: impl Fn([u8; N]) -> f32,
        to: impl Fn(f32) -> T,
        into: &mut [MaybeUninit<T>],
    ) -> bool {
        let from = &self.bytes.as_chunks::<N>().0[first..][..into.len()];
        cpu::run(Converted { into, from, read, to })
    }
}

/// Converts floats, and tells whether all were finite.
struct Converted<'a, const N: usize, T, R, W> {
    into: &'a mut [MaybeUninit<T>],
    /// As many.
    from: &'a [[u8; N]],
    read: R,
    to: W,
}

impl<const N: usize, T, R: Fn([u8; N]) -> f32, W: Fn(f32) -> T> Kernel for Converted<'_, N, T, R, W> {
    type Output = bool;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a kernel takes on the instruction set that it is compiled for")]
    fn run<L: Level>(self) -> bool {
        let mut finite = true;
        for (value, bytes) in self.into.iter_mut().zip(self.from) {
            let float = (self.read)(*bytes);
            finite &= float.is_finite();
            value.write((self.to)(float));
        }
        finite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READABLE: [Dtype; 3] = [Dtype::F32, Dtype::F16, Dtype::BF16];

    fn bytes(stored: Dtype, values: &[f32]) -> Vec<u8> {
        match stored {
            Dtype::BF16 => values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
            Dtype::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    #[test]
    fn every_format_is_read_as_candle_itself_converts_it() {
        let many: Vec<f32> = (0..BLOCK + 77).map(|i| (i as f32 - 30_000.0) * 0.37e-2).collect(); // more than one block
        for (stored, candle) in READABLE.into_iter().zip([DType::F32, DType::F16, DType::BF16]) {
            let expected = Tensor::from_slice(&many, many.len(), &Device::Cpu).and_then(|t| t.to_dtype(candle)).expect("floats");
            for dtype in [DType::F32, DType::BF16, DType::F16] {
                let read = tensor(&bytes(stored, &many), stored, &[many.len()], &Device::Cpu, dtype).expect("finite");
                assert_eq!(read.dtype(), dtype);
                let wide = |t: &Tensor| t.to_dtype(DType::F32).and_then(|t| t.to_vec1::<f32>()).expect("floats");
                assert_eq!(wide(&read), wide(&expected.to_dtype(dtype).expect("floats")), "{stored:?} to {dtype:?}");
            }
        }
    }

    #[test]
    fn a_matrix_is_packed_as_its_tensor_would_be() {
        for (out, inner) in [(1, 1), (16, 32), (17, 33), (70, 50), (300, 260)] {
            let values: Vec<f32> = (0..out * inner).map(|i| ((i % 97) as f32 - 48.0) * 0.37e-2).collect();
            let x: Vec<f32> = (0..3 * inner).map(|i| (i % 29) as f32 - 14.0).collect();
            for stored in READABLE {
                let bytes = bytes(stored, &values);
                for dtype in [DType::F32, DType::BF16] {
                    let apart = tensor(&bytes, stored, &[out, inner], &Device::Cpu, dtype).expect("finite");
                    let packed =
                        [Frozen::of(&apart).expect("packs"), frozen(&bytes, stored, (out, inner), dtype).expect("finite")];
                    let mut products = [vec![0.0; 3 * out], vec![1.0; 3 * out]];
                    packed.iter().zip(&mut products).for_each(|(weight, y)| weight.forward(&x, None, y));
                    assert_eq!(products[0], products[1], "{out} × {inner}, {stored:?} to {dtype:?}");
                    // and both are the product, up to the order of sums
                    let wide = apart.to_dtype(DType::F32).and_then(|t| t.to_vec2::<f32>()).expect("floats");
                    for (row, y) in x.chunks_exact(inner).zip(products[0].chunks_exact(out)) {
                        for (weight, y) in wide.iter().zip(y) {
                            let sum: f64 = row.iter().zip(weight).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                            assert!((sum - f64::from(*y)).abs() < 1e-3, "{sum} {y}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_finite_number_is_rounded_as_half_does() {
        for high in (0..0x7f80_u32).chain(0x8000..0xff80) {
            for low in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
                let x = f32::from_bits(high << 16 | low);
                assert_eq!(narrow(x).to_bits(), bf16::from_f32(x).to_bits(), "{x:e}");
            }
        }
    }

    #[test]
    fn what_is_not_a_finite_float_is_refused() {
        for stored in READABLE {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let bytes = bytes(stored, &[1.0, bad, 2.0]);
                assert!(tensor(&bytes, stored, &[3], &Device::Cpu, DType::F32).is_err(), "{bad} as {stored:?}");
                for dtype in [DType::F32, DType::BF16] {
                    assert!(frozen(&bytes, stored, (3, 1), dtype).is_err(), "{bad} as {stored:?}, packed in {dtype:?}");
                }
            }
        }
        let error = tensor(&[0; 8], Dtype::I64, &[1], &Device::Cpu, DType::F32).expect_err("integers").render();
        assert!(error.contains("stored as I64"), "{error}");
    }
}
