//! Feeds the reader that the binary is named after, see `src/fuzzing`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use subliminal::fuzzing::{Target, named};

static TARGET: LazyLock<Target> = LazyLock::new(|| named(env!("CARGO_BIN_NAME")).expect("every binary has the name of a target"));

fuzz_target!(
    init: {
        // The default hook ends the process at once, also where the program catches a panic of a library that it uses. One that nobody
        // catches ends it all the same.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    },
    |data: &[u8]| (TARGET.run)(data)
);
