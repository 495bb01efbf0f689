#!/usr/bin/env bash
# Ours against transformers, PEFT and llama.cpp on the same work, run in turn on this machine; prints medians and ratios as Markdown.
#
#     benches/versus.sh [--runs 5] [--only sampling,training,...] [--shape smollm2-135m] [--threads N]
#
# Makes random-weight checkpoints under target/versus the first time.
exec "$(dirname "$0")/with_peers.sh" benches/versus.py "$@"
