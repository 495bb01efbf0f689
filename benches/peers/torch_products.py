"""The peer for products: activations times a frozen weight with PyTorch, plain and with the weight packed by oneDNN beforehand.

    python torch_products.py [--threads 2] ROWSxINxOUT ...

Prints one JSON object: for each dtype and shape the better rate of the two, in 10⁹ multiply-adds a second, as the median of some rounds.
"""
import argparse
import json
import statistics
import time

import torch

NAMES = {"f32": torch.float32, "bf16": torch.bfloat16}


def rate(work, size, rounds=9, seconds=0.05):
    """Multiply-adds a second, in 10⁹: the median of rounds of some 50 ms."""
    work()
    rates = []
    for _ in range(rounds):
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            work()
            count += 1
        rates.append(size * count / (time.perf_counter() - started) / 1e9)
    return statistics.median(rates)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    found = {}
    with torch.no_grad():
        for name, dtype in NAMES.items():
            for shape in args.shapes:
                rows, inner, out = map(int, shape.split("x"))
                x, weight = torch.randn(rows, inner).to(dtype), torch.randn(out, inner).to(dtype)
                packed = torch.ops.mkldnn._reorder_linear_weight(weight, rows)
                ways = [
                    lambda: torch.nn.functional.linear(x, weight),
                    lambda: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], ""),
                ]
                found[f"{name} {shape}"] = max(rate(way, rows * inner * out) for way in ways)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
