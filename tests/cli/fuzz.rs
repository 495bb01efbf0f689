//! What fuzzing found (`tests/fuzz/run.sh`): inputs that once broke a reader, and the smallest ones that reach all that was reached.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use subliminal::fuzzing::{TARGETS, Target};

/// No input may take longer.
const LONGEST: Duration = Duration::from_secs(1);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

/// The inputs of a packed file, one a line: everything but printable ASCII, and the backslash, is `\xHH`.
fn unpacked(packed: &str) -> Vec<Vec<u8>> {
    let input = |line: &str| {
        let mut parts = line.split("\\x");
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            let (digits, plain) = part.split_at(2);
            bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
            bytes.extend(plain.as_bytes());
        }
        bytes
    };
    packed.lines().map(input).collect()
}

/// Reads an input, and fails by its name where the reader panics or takes too long. A machine with much else to do gets three tries.
fn feed(target: Target, name: &str, input: &[u8]) {
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
        assert!(outcome.is_ok(), "{} broke on {name}: `{}`", target.name, input.escape_ascii());
        fastest = fastest.min(begun.elapsed());
        if fastest < LONGEST {
            return;
        }
    }
    panic!("{} took {fastest:?} for {name}: `{}`", target.name, input.escape_ascii());
}

#[test]
fn what_once_broke_a_reader_no_longer_does() {
    for target in TARGETS {
        let Ok(entries) = fs::read_dir(folder().join("regressions").join(target.name)) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            feed(target, &path.display().to_string(), &fs::read(&path).expect("readable"));
        }
    }
}

#[test]
fn every_reader_stands_the_corpus() {
    for target in TARGETS {
        let path = folder().join("corpus").join(format!("{}.txt", target.name));
        let inputs = unpacked(&fs::read_to_string(&path).expect("every reader has a corpus"));
        assert!(inputs.len() > 20, "{} has {} inputs", target.name, inputs.len());
        for (number, input) in inputs.iter().enumerate() {
            feed(target, &format!("{}:{}", path.display(), number + 1), input);
        }
    }
}

#[test]
fn packed_inputs_come_back_to_the_byte() {
    assert_eq!(unpacked("a\\x0ab\\x5c\\xff\n\n\\x00"), [&b"a\nb\\\xff"[..], b"", b"\0"]);
}
