#!/usr/bin/env bash
# Looks for undefined behaviour in the code that is marked `unsafe`, by two tools that need a nightly toolchain:
#
#   tests/sanitize.sh           both
#   tests/sanitize.sh miri      the interpreter alone: rustup +nightly component add miri rust-src
#   tests/sanitize.sh address   the sanitizer alone: Linux on x86-64
#
# What each covers, and what neither does:
#
# | code | Miri | AddressSanitizer |
# | --- | --- | --- |
# | cpu/gemm (sheets shared between tasks, tiles, packing), rows, attention: buffers that are written before they are read | the portable level, with small shapes | every level that this processor has, all shapes |
# | cpu/simd (AVX2, AVX-512), gemm/narrow/dot (AVX-512 bf16) | no: it knows few of these instructions | yes, where the processor has them |
# | gemm/narrow/amx (the matrix unit, in assembly) | no | its reads and writes no, the Rust around it yes |
# | tensors/convert (a buffer that is written before it is read) | with a few values | yes |
# | tensors/file (memory maps) | no: it knows no files that are mapped | yes |
# | main (set_var before any thread) | no | no: one line, by reading it |
#
# The sanitizer also reads again what fuzzing found (tests/cli/fuzz.rs).
set -euo pipefail
cd "$(dirname "$0")/.."

which=${1:-both}
export CARGO_INCREMENTAL=1

if [ "$which" = both ] || [ "$which" = miri ]; then
  echo "== Miri: the kernels on the portable level"
  # Threads that wait for work live until the end: no leak. Isolation off: the kernels share work between as many threads as the system says, and read SUBLIMINAL_SIMD.
  MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-tree-borrows -Zmiri-ignore-leaks -Zmiri-env-forward=SUBLIMINAL_SIMD -Zmiri-env-forward=RAYON_NUM_THREADS" \
    SUBLIMINAL_SIMD=portable RAYON_NUM_THREADS=2 CARGO_TARGET_DIR=target/miri \
    cargo +nightly miri test --lib -- local::cpu::tests convert::tests::what_is_not --skip every_level
fi

if [ "$which" = both ] || [ "$which" = address ]; then
  echo "== AddressSanitizer: kernels on every level, memory maps, what fuzzing found"
  # The stack of a sanitized program is larger; leaks are not looked for: threads that wait for work live until the end.
  export RUSTFLAGS=-Zsanitizer=address ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0 CARGO_TARGET_DIR=target/address
  cargo +nightly test --release --target x86_64-unknown-linux-gnu --lib -- local::cpu:: layers:: tensors::
  cargo +nightly test --release --target x86_64-unknown-linux-gnu --test cli -- fuzz::
fi
