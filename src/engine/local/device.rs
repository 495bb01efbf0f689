//! Where the work runs and in which number format: what the user asked for comes in, a device with the reason for each choice goes out.
//! The only file that knows the build's features.

use candle_core::{DType, Device as CandleDevice, Tensor};

use super::cpu::level;
use super::layers::Kernels;
use crate::error::{Error, Result};
use crate::record::{Device, Dtype};

/// A chosen device and number format.
#[derive(Debug, Clone)]
pub struct Place {
    /// The device.
    pub device: CandleDevice,
    /// The format of frozen weights and activations.
    pub dtype: DType,
    /// The device, for people: `cpu`, `cuda:0`, `metal`.
    pub name: String,
    /// Why this device and this format, and what they do not guarantee.
    pub reason: String,
}

impl Place {
    /// The CPU in f32: what every test and the built-in family use.
    pub fn cpu() -> Self {
        Self { device: CandleDevice::Cpu, dtype: DType::F32, name: "cpu".into(), reason: "f32 on the CPU".into() }
    }

    /// What changes results and so enters artifact keys: the kind of device, the number format, the instructions where they round
    /// otherwise than most, and a library that computes in candle's place, e.g. `cpu f32`, `cpu bf16 amx` or `cpu f32 mkl`.
    pub fn numerics(&self) -> String {
        let kind = self.name.split(':').next().unwrap_or("cpu");
        let library = LIBRARIES.iter().find(|(_, on)| *on && self.device.is_cpu()).map(|(name, _)| format!(" {name}"));
        let rounding = level::level().rounding(self.dtype == DType::BF16).filter(|_| self.device.is_cpu());
        let rounding = rounding.map_or_else(String::new, |name| format!(" {name}"));
        format!("{kind} {}{rounding}{}", self.dtype.as_str(), library.unwrap_or_default())
    }
}

/// Libraries that candle's CPU operations go to, and whether this build has them.
const LIBRARIES: [(&str, bool); 2] = [("mkl", cfg!(feature = "mkl")), ("accelerate", cfg!(feature = "accelerate"))];

/// Devices beside the CPU, and whether this build has them.
const DEVICES: [(&str, bool); 2] = [("cuda", cfg!(feature = "cuda")), ("metal", cfg!(feature = "metal"))];

/// Chooses a device and number format.
///
/// # Errors
/// If the device is not in this build or this machine, or it does not bear the format.
pub fn pick(device: Device, dtype: Dtype) -> Result<Place> {
    let (device, name, why_device) = open(device)?;
    let (dtype, why_dtype) = format_for(&device, &name, dtype)?;
    level::checked()?;
    let guarantee = match Kernels::best(&device, dtype) {
        Kernels::Fused => "",
        Kernels::Composite => "; two runs agree within rounding, not to the byte",
    };
    Ok(Place { device, dtype, name, reason: format!("{why_device}; {why_dtype}{guarantee}") })
}

/// The number format of frozen weights and activations. There is no f16: it ends at 65504, and activations of common models go beyond.
fn format_for(device: &CandleDevice, name: &str, asked: Dtype) -> Result<(DType, &'static str)> {
    match asked {
        Dtype::F32 => Ok((DType::F32, "f32 as asked")),
        Dtype::Bf16 => match computes(device, DType::BF16) {
            Ok(()) => Ok((DType::BF16, "bf16 as asked")),
            Err(e) => Err(Error::environment(format!("`{name}` does not compute in bf16")).because(e).hint("use `--dtype f32`")),
        },
        Dtype::Auto if device.is_cpu() => Ok((DType::F32, "f32, exact and fastest there")),
        Dtype::Auto => Ok(on_a_gpu(computes(device, DType::BF16).is_ok())),
    }
}

/// The format of choice on a GPU, which may have no bf16.
fn on_a_gpu(bf16: bool) -> (DType, &'static str) {
    if bf16 {
        (DType::BF16, "bf16 because GPUs compute it at twice the speed and half the memory of f32")
    } else {
        (DType::F32, "f32 because this device does not compute in bf16")
    }
}

/// Tries a small product in a format. GPUs older than Ampere have no kernels for bf16, and neither MKL nor Accelerate multiplies it.
fn computes(device: &CandleDevice, dtype: DType) -> candle_core::Result<()> {
    let row = Tensor::new(&[[3_f32, 4.0]], device)?.to_dtype(dtype)?;
    let square = row.matmul(&row.t()?)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    if square == [25.0] { Ok(()) } else { candle_core::bail!("a product of 25 came out as {square:?}") }
}

/// What this build was made with beside the CPU.
pub fn build_features() -> String {
    let on: Vec<&str> = DEVICES.iter().chain(&LIBRARIES).filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    if on.is_empty() { "CPU build".to_owned() } else { format!("built with {}", on.join(", ")) }
}

fn open(device: Device) -> Result<(CandleDevice, String, String)> {
    match device {
        Device::Cpu => Ok((CandleDevice::Cpu, "cpu".into(), "the CPU as asked".into())),
        Device::Cuda(n) => Ok((cuda(n)?, format!("cuda:{n}"), format!("CUDA device {n} as asked"))),
        Device::Metal => Ok((metal()?, "metal".into(), "Metal as asked".into())),
        Device::Auto => Ok(best()),
    }
}

/// The best device of this build that opens; the reason names what was passed over.
fn best() -> (CandleDevice, String, String) {
    if cfg!(feature = "cuda") {
        return match cuda(0) {
            Ok(device) => (device, "cuda:0".into(), "the first CUDA device, as this build has CUDA".into()),
            Err(e) => (CandleDevice::Cpu, "cpu".into(), format!("the CPU, as no CUDA device opens ({e:#})")),
        };
    }
    if cfg!(feature = "metal") {
        return match metal() {
            Ok(device) => (device, "metal".into(), "Metal, as this build has it".into()),
            Err(e) => (CandleDevice::Cpu, "cpu".into(), format!("the CPU, as Metal does not open ({e:#})")),
        };
    }
    (CandleDevice::Cpu, "cpu".into(), "the CPU: this is a CPU build".into())
}

fn cuda(ordinal: usize) -> Result<CandleDevice> {
    if !cfg!(feature = "cuda") {
        return Err(Error::environment(format!("cannot use `cuda:{ordinal}`: this build has no CUDA"))
            .hint("build with `cargo build --release --features cuda`, or use `--device cpu`"));
    }
    CandleDevice::new_cuda(ordinal).map_err(|e| {
        Error::environment(format!("cannot open `cuda:{ordinal}`"))
            .because(e)
            .hint("`nvidia-smi` lists the devices that the driver sees")
    })
}

fn metal() -> Result<CandleDevice> {
    if !cfg!(feature = "metal") {
        return Err(Error::environment("cannot use `metal`: this build has no Metal")
            .hint("on a Mac build with `cargo build --release --features metal`, or use `--device cpu`"));
    }
    CandleDevice::new_metal(0).map_err(|e| Error::environment("cannot open `metal`").because(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_computes_in_f32_unless_told_otherwise() {
        let place = pick(Device::Cpu, Dtype::Auto).expect("every machine has a CPU");
        let library = LIBRARIES.iter().find(|(_, on)| *on).map_or_else(String::new, |(name, _)| format!(" {name}"));
        let rounding = level::level().rounding(false).map_or_else(String::new, |name| format!(" {name}"));
        assert_eq!(place.numerics(), format!("cpu f32{rounding}{library}"));
        assert!(place.reason.contains("as asked"), "{}", place.reason);
        assert!(!place.reason.contains("rounding"), "the same plan gives the same bytes: {}", place.reason);
    }

    #[test]
    #[cfg(not(any(feature = "mkl", feature = "accelerate")))]
    fn the_cpu_computes_in_bf16_when_told_to_and_says_what_that_means() {
        let place = pick(Device::Cpu, Dtype::Bf16).expect("every CPU can");
        assert_eq!(place.dtype, DType::BF16);
        assert!(place.numerics().starts_with("cpu bf16"), "{}", place.numerics());
        assert!(place.reason.contains("bf16 as asked") && !place.reason.contains("rounding"), "{}", place.reason);
    }

    #[test]
    fn a_format_that_a_device_does_not_multiply_is_found_out() {
        assert!(computes(&CandleDevice::Cpu, DType::F32).is_ok());
        assert!(computes(&CandleDevice::Cpu, DType::F8E4M3).is_err());
        assert_eq!((on_a_gpu(true).0, on_a_gpu(false).0), (DType::BF16, DType::F32));
    }

    #[test]
    #[cfg(not(any(feature = "cuda", feature = "metal")))]
    fn an_absent_device_is_an_error_with_the_build_command() {
        let error = pick(Device::Cuda(0), Dtype::Auto).expect_err("this build has no CUDA");
        assert!(error.render().contains("--features cuda"), "{}", error.render());
        assert_eq!(error.kind().exit_code(), 3);
        assert!(pick(Device::Metal, Dtype::Auto).is_err());
    }
}
