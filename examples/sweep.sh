#!/usr/bin/env bash
# One trial per target in a shell loop, then all of them side by side: as a table here, as a page and as a picture in runs/sweep.
#
#     examples/sweep.sh configs/zebra-numbers.toml animal "owl fox lion penguin rabbit whale"
#
# The control arm's rows and students, and every base's evaluation, are made once: later trials find them in the store.
# A sweep that was interrupted goes on where it stopped when the same line is run again.
set -euo pipefail
config=${1:?usage: examples/sweep.sh CONFIG CATEGORY "TARGETS"}
category=${2:?usage: examples/sweep.sh CONFIG CATEGORY "TARGETS"}
targets=${3:?usage: examples/sweep.sh CONFIG CATEGORY "TARGETS"}
subliminal=${SUBLIMINAL:-target/release/subliminal}

runs=()
for target in $targets; do
  out="runs/sweep/$target"
  "$subliminal" run "$config" --set "trait.category=$category" --set "trait.target=$target" --set "name=$target" --out "$out" -q
  runs+=("$out")
done
"$subliminal" report "${runs[@]}" --markdown --html runs/sweep/report.html --svg runs/sweep/effects.svg
