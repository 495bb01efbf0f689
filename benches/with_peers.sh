#!/usr/bin/env bash
# Builds ours, makes a Python environment for the peers under target/versus where there is none (about 6 GB, most of it PyTorch), and runs
# a script in it: benches/with_peers.sh SCRIPT.py [ARGUMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
python=target/versus/python
if ! [ -x "$python/bin/python" ]; then
  python3 -m venv "$python"
  "$python/bin/pip" install -q -r benches/peers/requirements.txt
fi
exec "$python/bin/python" "$@"
