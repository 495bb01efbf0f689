//! How much memory a new piece of work may take on this machine, where the system tells: Linux and its control groups.

use std::path::Path;

/// The bytes that can be had without swapping: what the system calls available, and no more than the control groups of this process
/// leave it. `None` where the system does not say.
pub fn available() -> Option<u64> {
    let of_machine = field(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")? * 1024;
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Some(of_machine.min(left(Path::new("/sys/fs/cgroup"), &groups).unwrap_or(u64::MAX)))
}

/// The bytes of memory that this process holds. `None` where the system does not say.
pub fn in_use() -> Option<u64> {
    Some(field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")? * 1024)
}

/// The most bytes of memory that this process has held, since it began or since that mark was reset. `None` where the system does not say.
pub fn most_in_use() -> Option<u64> {
    Some(field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")? * 1024)
}

/// Bytes as people read them: `3.2 GiB`, below one GiB in MiB.
pub fn shown(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1024.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

/// The number after a label, at a line's start.
fn field(text: &str, label: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(label))?.split_whitespace().next()?.parse().ok()
}

/// What a control group's limit leaves, in the words of both versions of the interface.
struct Limit {
    most: &'static str,
    used: &'static str,
    reclaimable: &'static str,
}

const SECOND: Limit = Limit { most: "memory.max", used: "memory.current", reclaimable: "inactive_file " };
const FIRST: Limit = Limit { most: "memory.limit_in_bytes", used: "memory.usage_in_bytes", reclaimable: "total_inactive_file " };

/// The least that the groups named in `/proc/self/cgroup`, and those around them, leave; `None` without a limit.
fn left(root: &Path, groups: &str) -> Option<u64> {
    let of_line = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let (root, limit) = match controllers {
            "" => (root.to_path_buf(), &SECOND),
            names if names.split(',').any(|name| name == "memory") => (root.join("memory"), &FIRST),
            _ => return None,
        };
        let inside = root.join(path.trim_start_matches('/'));
        inside.ancestors().take_while(|dir| dir.starts_with(&root)).filter_map(|dir| limit.left(dir)).min()
    };
    groups.lines().filter_map(of_line).min()
}

impl Limit {
    fn left(&self, group: &Path) -> Option<u64> {
        let read = |name: &str| std::fs::read_to_string(group.join(name)).ok();
        let number = |name: &str| read(name)?.trim().parse::<u64>().ok(); // `max` is no number: no limit
        let cached = read("memory.stat").and_then(|stat| field(&stat, self.reclaimable)).unwrap_or(0);
        Some(number(self.most)?.saturating_sub(number(self.used)?.saturating_sub(cached)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_group_around_the_process_counts_and_cached_files_do_not() {
        let root = tempfile::tempdir().expect("temporary folder");
        let group = |path: &str, files: [(&str, &str); 3]| {
            let dir = root.path().join(path);
            std::fs::create_dir_all(&dir).expect("writable");
            for (name, text) in files {
                std::fs::write(dir.join(name), text).expect("writable");
            }
        };
        group("outer", [("memory.max", "9000\n"), ("memory.current", "5000\n"), ("memory.stat", "anon 1\ninactive_file 1000\n")]);
        group("outer/inner", [("memory.max", "max\n"), ("memory.current", "100\n"), ("memory.stat", "")]);
        group(
            "memory/old",
            [
                ("memory.limit_in_bytes", "700"),
                ("memory.usage_in_bytes", "100"),
                ("memory.stat", "inactive_file 1\ntotal_inactive_file 50"),
            ],
        );
        assert_eq!(left(root.path(), "0::/outer/inner\n"), Some(5000));
        assert_eq!(left(root.path(), "12:cpu:/x\n11:memory,hugetlb:/old\n0::/outer/inner\n"), Some(650));
        assert_eq!(left(root.path(), "0::/elsewhere\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_has_some() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn sizes_are_shown_in_the_unit_that_suits_them() {
        assert_eq!([shown(5 << 20), shown(7 << 29)], ["5 MiB", "3.5 GiB"]);
    }
}
