//! Where the work runs and in which number format: what the user asked for comes in, a device with the reason for each choice goes out.
//! The only file that knows the build's features.

use candle_core::{DType, Device as CandleDevice};

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
    /// Why this device and this format.
    pub reason: String,
}

impl Place {
    /// The CPU in f32: what every test and the built-in family use.
    pub fn cpu() -> Self {
        Self { device: CandleDevice::Cpu, dtype: DType::F32, name: "cpu".into(), reason: "f32 on the CPU".into() }
    }

    /// What changes results and so enters artifact keys: the kind of device and the number format, e.g. `cpu f32`.
    pub fn numerics(&self) -> String {
        let kind = self.name.split(':').next().unwrap_or("cpu");
        format!("{kind} {}", self.dtype.as_str())
    }
}

/// Chooses a device and number format.
///
/// # Errors
/// If the device is not in this build or this machine, or it does not bear the format.
pub fn pick(device: Device, dtype: Dtype) -> Result<Place> {
    let (device, name, why_device) = open(device)?;
    let (dtype, why_dtype) = match dtype {
        Dtype::F32 => (DType::F32, "f32 as asked"),
        Dtype::Bf16 if device.is_cpu() => {
            return Err(
                Error::input("`dtype = \"bf16\"` is not supported on the CPU").hint("use `f32`, or a CUDA or Metal device")
            );
        }
        Dtype::Bf16 => (DType::BF16, "bf16 as asked"),
        Dtype::Auto if device.is_cpu() => (DType::F32, "f32, exact and fastest there"),
        Dtype::Auto => (DType::BF16, "bf16 because GPUs compute it at twice the speed and half the memory of f32"),
    };
    Ok(Place { device, dtype, name, reason: format!("{why_device}; {why_dtype}") })
}

/// What this build was made with beside the CPU.
pub fn build_features() -> String {
    let all = [
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
        ("mkl", cfg!(feature = "mkl")),
        ("accelerate", cfg!(feature = "accelerate")),
    ];
    let on: Vec<&str> = all.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
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
        assert_eq!(place.numerics(), "cpu f32");
        assert!(place.reason.contains("as asked"), "{}", place.reason);
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
