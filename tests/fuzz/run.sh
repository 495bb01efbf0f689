#!/usr/bin/env bash
# Fuzzes every reader of what comes from outside and prints a Markdown table of what was run.
#
#   tests/fuzz/run.sh [EXECUTIONS]        10,000,000 in all unless said; about an hour on two cores
#   TARGETS="cot reply" tests/fuzz/run.sh 1000000
#   KEEP=1 tests/fuzz/run.sh              also puts the smallest inputs that reach all that was reached into tests/fuzz/corpus
#
# Needs rustup with a nightly toolchain, `cargo install cargo-fuzz`, a C++ compiler, and perl for KEEP=1. An input that panics, takes
# more than a second or more memory than MEMORY MiB ends the run with an error; its place is printed, `cargo fuzz tmin` makes it small,
# and tests/fuzz/regressions/TARGET/ keeps it once the cause is gone: `cargo test --release --test cli fuzz` reads those and the corpus.
set -euo pipefail
cd "$(dirname "$0")/../.."

executions=${1:-10000000}
memory=${MEMORY:-1024}
work=$PWD/target/fuzz
export CARGO_TARGET_DIR=$work

# Each reader's share of the executions, in thousandths: the fast ones get more.
shares="numbers:170 safetensors:140 index:120 cot:130 reply:110 model_config:80 report:60 adapter_config:60 rows:60 code:50 template:12 tokenizer:5 config:3"

# The corpus has an input a line: printable ASCII stands for itself, everything else and the backslash is \xHH.
unpacked() { # FILE FOLDER
  local n=0
  while IFS= read -r line; do printf '%b' "$line" >"$2/kept-$n"; n=$((n + 1)); done <"$1"
}
packed() { # FOLDER
  for file in "$1"/*; do perl -0777 -pe 's/([^ -\[\]-~])/sprintf "\\x%02x", ord $1/ge' "$file"; echo; done
}

# Inputs to begin with: what the repository holds anyway.
seeds() { # TARGET FOLDER
  case $1 in
    config) cp configs/*.toml "$2" ;;
    rows) head -qn 2 tests/fixtures/*.jsonl | split -l 1 - "$2/row-" ;;
    template) cp tests/fixtures/templates/*.jinja "$2" 2>/dev/null || true ;;
  esac
  if [ -f "tests/fuzz/corpus/$1.txt" ]; then unpacked "tests/fuzz/corpus/$1.txt" "$2"; fi
  if [ -d "tests/fuzz/regressions/$1" ]; then cp "tests/fuzz/regressions/$1"/* "$2"; fi
}

# The versions of the program's own lock file, and what the fuzzer needs beside them.
cp Cargo.lock tests/fuzz/Cargo.lock
chosen=${TARGETS:-$(for pair in $shares; do echo "${pair%:*}"; done)}
[ -n "${BUILT:-}" ] || cargo +nightly fuzz build --fuzz-dir tests/fuzz --sanitizer none >&2 # BUILT=1: they are there

echo "| reader | executions | seconds | a second | peak memory, MiB | code edges | corpus |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
total=0
for pair in $shares; do
  target=${pair%:*}
  case " $(echo $chosen) " in *" $target "*) ;; *) continue ;; esac
  runs=$((executions * ${pair#*:} / 1000))
  corpus=$work/corpus/$target
  mkdir -p "$corpus" "$work/findings"
  seeds "$target" "$corpus"
  longest=$(sed -n "s/.*target(\"$target\", \([0-9]*\),.*/\1/p" src/fuzzing/mod.rs)
  options=(-runs="$runs" -max_len="$longest" -timeout=1 -rss_limit_mb="$memory" -malloc_limit_mb="$memory" -print_final_stats=1)
  if [ -f "tests/fuzz/dictionaries/$target" ]; then options+=("-dict=tests/fuzz/dictionaries/$target"); fi
  log=$work/$target.log
  binary=$work/x86_64-unknown-linux-gnu/release/$target
  [ -x "$binary" ] || binary=$(find "$work" -path "*/release/$target" -type f | head -n 1)
  begun=$(date +%s)
  if ! "$binary" "$corpus" "${options[@]}" -artifact_prefix="$work/findings/$target-" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "error: $target found something: see $log, and the input in $work/findings" >&2
    exit 1
  fi
  seconds=$(($(date +%s) - begun))
  stat() { sed -n "s/^stat::$1: *//p" "$log"; }
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  done=$(stat number_of_executed_units)
  total=$((total + done))
  echo "| $target | $done | $seconds | $(stat average_exec_per_sec) | $(stat peak_rss_mb) | $edges | $(find "$corpus" -type f | wc -l) |"
  if [ -n "${KEEP:-}" ]; then
    small=$work/small/$target
    rm -rf "$small" && mkdir -p "$small"
    "$binary" -merge=1 -max_len="$longest" -timeout=1 -rss_limit_mb="$memory" "$small" "$corpus" >"$work/$target.merge.log" 2>&1
    packed "$small" | awk '{ size += length($0) + 1 } size < 80000' >"tests/fuzz/corpus/$target.txt"
  fi
done
echo
echo "$total executions; none panicked, took over a second or over $memory MiB."
