#!/usr/bin/env bash
# Ours against transformers and PEFT on the same work, run in turn on this machine; prints medians and ratios as Markdown.
#
#     benches/versus.sh [--runs 5] [--only sampling,training,...] [--shape smollm2-135m] [--threads N]
#
# Makes a Python environment and random-weight checkpoints under target/versus the first time (about 6 GB, most of it PyTorch).
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
place=target/versus
if ! [ -x "$place/python/bin/python" ]; then
  python3 -m venv "$place/python"
  "$place/python/bin/pip" install -q -r benches/peers/requirements.txt
fi
exec "$place/python/bin/python" benches/versus.py "$@"
