#!/usr/bin/env bash
# How the cost of sampling grows with the work: tokens/s over the rows that are asked for, one and two threads, and the length of the
# prompts. Prints tables as Markdown and draws target/versus/scaling.svg.
#
#     benches/scaling.sh [--shape smollm2-135m] [--dtype bf16] [--runs 3]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
place=target/versus
if ! [ -x "$place/python/bin/python" ]; then
  python3 -m venv "$place/python"
  "$place/python/bin/pip" install -q -r benches/peers/requirements.txt
fi
exec "$place/python/bin/python" benches/scaling.py "$@"
