//! Nothing is lost: what kills, signals, full disks, damage and other processes leave, and that the same command ends in the same result.
//!
//! The quick ones run with all tests. Those that take minutes are run by
//!
//! ```sh
//! cargo test --release faults -- --ignored --nocapture --test-threads 1
//! ```
//!
//! and print what they did and found. `SUBLIMINAL_KILLS=1000` kills more often than 200 times.

mod damage;
mod disk;
mod kills;
mod plans;
mod resume;
mod signals;
mod stages;
mod sweep;

/// A trial of a few seconds through every stage. A fine-tuned teacher, so that there is one; no more arms than that takes.
const SMALL: &str = r#"name = "small"
seeds = [1, 2]
arms = ["base", "teacher", "treatment", "control"]

[model]
base = "builtin:tiny-a"

[trait]
category = "animal"
target = "zebra"

[teacher]
prime = "both"
rows = 64

[generate]
samples = 120
force = "grammar"

[finetune]
epochs = 1
batch_size = 32

[evaluate]
samples_per_question = 2
"#;

/// [`SMALL`] with a teacher that is only prompted.
fn prompted() -> String {
    SMALL.replace("prime = \"both\"\nrows = 64\n", "prime = \"system-prompt\"\n")
}
