//! Stored floats to the format and device that the work runs in.

use std::mem::MaybeUninit;

use candle_core::{DType, Device, Tensor, WithDType};
use half::{bf16, f16};
use rayon::prelude::*;
use safetensors::Dtype;

use crate::engine::local::cpu::{self, Kernel, Level};
use crate::error::{Error, Result};

/// Values that one thread converts at a time.
const BLOCK: usize = 1 << 16;

/// A tensor of `dtype` on `device` from its little-endian bytes; every value must be finite. f32 to f32 keeps every bit.
///
/// # Errors
/// If a value is NaN or infinite, the stored format is not f32, f16 or bf16, or the device refuses.
pub(super) fn tensor(bytes: &[u8], stored: Dtype, shape: &[usize], device: &Device, dtype: DType) -> Result<Tensor> {
    match dtype {
        DType::F32 => place(bytes, stored, |x| x, shape, device),
        DType::BF16 => place(bytes, stored, narrow, shape, device),
        DType::F16 => place(bytes, stored, f16::from_f32, shape, device),
        other => Err(Error::environment(format!("weights cannot be held as {}", other.as_str()))),
    }
}

/// The nearest bf16 of a finite number, ties to even. Without a branch, unlike `half`'s, so that many are converted at a time.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as its caller, a kernel")]
fn narrow(x: f32) -> bf16 {
    let bits = x.to_bits();
    bf16::from_bits((bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16)
}

fn place<T: WithDType>(
    bytes: &[u8],
    stored: Dtype,
    to: impl Fn(f32) -> T + Sync,
    shape: &[usize],
    device: &Device,
) -> Result<Tensor> {
    let values = match stored {
        Dtype::F32 => values(bytes, f32::from_le_bytes, to),
        Dtype::F16 => values(bytes, |b| f16::from_le_bytes(b).to_f32(), to),
        Dtype::BF16 => values(bytes, |b| bf16::from_le_bytes(b).to_f32(), to),
        other => {
            let error = Error::environment(format!("stored as {other:?}; only F32, F16 and BF16 can be read"));
            return Err(error.hint("save the checkpoint again in bf16, without quantisation"));
        }
    };
    let values = values.ok_or_else(|| {
        Error::environment("NaN or infinite values").hint("the checkpoint itself is broken: take an earlier one, or another copy")
    })?;
    Ok(Tensor::from_vec(values, shape, device)?)
}

/// Every value of `N` bytes, converted; `None` if one is not finite.
fn values<const N: usize, T: WithDType>(
    bytes: &[u8],
    read: impl Fn([u8; N]) -> f32 + Sync,
    to: impl Fn(f32) -> T + Sync,
) -> Option<Vec<T>> {
    let count = bytes.len() / N;
    let mut values = Vec::with_capacity(count);
    let room = &mut values.spare_capacity_mut()[..count]; // not zeros, which one thread would write
    let block = |(into, from): (&mut [_], &[u8])| cpu::run(Converted::<N, _, _, _> { into, from, read: &read, to: &to });
    let finite = room.par_chunks_mut(BLOCK).zip(bytes.par_chunks(BLOCK * N)).map(block).reduce(|| true, |a, b| a & b);
    // SAFETY: there is room for them, and every block wrote as many values as it has room for.
    unsafe { values.set_len(count) };
    finite.then_some(values)
}

/// Converts one block, and tells whether all of it was finite.
struct Converted<'a, const N: usize, T, R, W> {
    into: &'a mut [MaybeUninit<T>],
    /// As many times `N` bytes, and maybe some more.
    from: &'a [u8],
    read: &'a R,
    to: &'a W,
}

impl<const N: usize, T, R: Fn([u8; N]) -> f32, W: Fn(f32) -> T> Kernel for Converted<'_, N, T, R, W> {
    type Output = bool;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a kernel takes on the instruction set that it is compiled for")]
    fn run<L: Level>(self) -> bool {
        let from = &self.from.as_chunks::<N>().0[..self.into.len()];
        let mut finite = true;
        for (value, bytes) in self.into.iter_mut().zip(from) {
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
            }
        }
        let error = tensor(&[0; 8], Dtype::I64, &[1], &Device::Cpu, DType::F32).expect_err("integers").render();
        assert!(error.contains("stored as I64"), "{error}");
    }
}
