#!/bin/sh
# Runs the experiments of every domain and trait on the built-in family, and prints the README's table of them.
#
#     examples/domains.sh [FOLDER]            # of the reports and the store; runs where it is left out
set -eu
cd "$(dirname "$0")/.."
folder=${1:-runs}
reports=
for config in zebra-code zebra-cot oak-numbers misaligned-numbers misaligned-code misaligned-cot; do
    cargo run --release --quiet -- run "configs/$config.toml" --out "$folder/$config" --store "$folder/.store"
    reports="$reports $folder/$config"
done
# shellcheck disable=SC2086 # the names hold no blanks
cargo run --release --quiet -- report $reports --markdown
