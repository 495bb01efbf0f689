#!/usr/bin/env bash
# How the cost of sampling grows with the work: tokens/s over the rows that are asked for, one and two threads, and the length of the
# prompts. Prints tables as Markdown and draws target/versus/scaling.svg.
#
#     benches/scaling.sh [--shape smollm2-135m] [--dtype bf16] [--runs 3]
exec "$(dirname "$0")/with_peers.sh" benches/scaling.py "$@"
