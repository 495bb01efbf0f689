//! NVIDIA's GPUs as its driver lists them, whatever this program was built with.

use std::process::Command;

/// One GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Its number, as the driver counts.
    pub index: usize,
    /// The product's name.
    pub name: String,
    /// Bytes that nobody uses.
    pub free: u64,
    /// All its bytes.
    pub total: u64,
}

/// Every GPU that `nvidia-smi` knows of; none where there is no such program, or it fails.
pub fn list() -> Vec<Gpu> {
    let query = ["--query-gpu=index,name,memory.free,memory.total", "--format=csv,noheader,nounits"];
    match Command::new("nvidia-smi").args(query).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).lines().filter_map(parse).collect(),
        _ => Vec::new(),
    }
}

/// The GPU that CUDA programs call `ordinal`: `CUDA_VISIBLE_DEVICES` may hide and reorder them.
pub fn seen_as<'a>(gpus: &'a [Gpu], ordinal: usize, visible: Option<&str>) -> Option<&'a Gpu> {
    let index = match visible {
        Some(list) => list.split(',').nth(ordinal)?.trim().parse().ok()?,
        None => ordinal,
    };
    gpus.iter().find(|gpu| gpu.index == index)
}

/// A line such as `0, NVIDIA H100 80GB HBM3, 80000, 81559`: memory in MiB.
fn parse(line: &str) -> Option<Gpu> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [index, name, free, total] = fields.as_slice() else { return None };
    let bytes = |mib: &str| Some(mib.parse::<u64>().ok()? << 20);
    Some(Gpu { index: index.parse().ok()?, name: (*name).to_owned(), free: bytes(free)?, total: bytes(total)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_driver_is_read_and_one_without_memory_left_out() {
        let gpu = parse("1, NVIDIA A100-SXM4-40GB, 40000, 40960").expect("a GPU");
        assert_eq!((gpu.index, gpu.name.as_str(), gpu.free >> 20, gpu.total >> 20), (1, "NVIDIA A100-SXM4-40GB", 40_000, 40_960));
        assert_eq!(parse("0, GB10, [N/A], [N/A]"), None);
        assert_eq!(parse("No devices were found"), None);
    }

    #[test]
    fn ordinals_count_what_is_visible() {
        let gpus: Vec<Gpu> = (0..3).filter_map(|i| parse(&format!("{i}, GPU {i}, 1, 1"))).collect();
        let index = |ordinal, visible| seen_as(&gpus, ordinal, visible).map(|gpu| gpu.index);
        assert_eq!([index(1, None), index(0, Some("2,0")), index(1, Some("2,0"))], [Some(1), Some(2), Some(0)]);
        assert_eq!([index(3, None), index(0, Some("")), index(0, Some("GPU-0123"))], [None, None, None]);
    }
}
