#!/usr/bin/env bash
# Products of activations with frozen weights, ours and PyTorch's (plain, and with the weight packed by oneDNN; the better counts) in turn on
# this machine, at the sizes of benches/kernels.rs; prints medians and ratios as Markdown.
#
#     benches/products.sh [--runs 5] [--threads 2]
exec "$(dirname "$0")/with_peers.sh" benches/products.py "$@"
