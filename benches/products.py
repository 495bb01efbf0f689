"""Our products with frozen weights beside PyTorch's best, in turn, as a Markdown table; see products.sh."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ["cargo", "bench", "--bench", "kernels", "--"]


def ours(threads):
    """The rate of every product of the kernels' bench, by format and shape, in 10⁹ multiply-adds a second."""
    output = subprocess.run([*BENCH, "--quick", "--noplot"], cwd=ROOT, check=True, capture_output=True, text=True,
                            env={**os.environ, "RAYON_NUM_THREADS": str(threads)}).stdout
    found, name = {}, None
    for line in output.splitlines():
        if match := re.match(r"x Wᵀ/(\S+)/(\S+)", line):
            name = f"{match[1]} {match[2].replace('×', 'x')}"
        if match := re.search(r"thrpt:\s*\[\S+ \S+ (\S+) Gelem/s \S+ \S+\]", line):
            found[name] = float(match[1])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    subprocess.run([*BENCH[:4], "--no-run"], cwd=ROOT, check=True)
    shapes = [name.split()[1] for name in ours(args.threads) if name.startswith("f32")]
    peer = [sys.executable, str(ROOT / "benches/peers/torch_products.py"), "--threads", str(args.threads), *shapes]
    rounds = []
    for i in range(args.runs):
        theirs = json.loads(subprocess.run(peer, check=True, capture_output=True, text=True).stdout)
        rounds.append((ours(args.threads), theirs))
        print(f"{i + 1} of {args.runs}", file=sys.stderr, flush=True)
    print("| product, rows × inputs × outputs | ours, 10⁹ multiply-adds/s | PyTorch's best | ratio, median [least, most] |")
    print("|---|---:|---:|---|")
    for name in rounds[0][0]:
        pairs = [(mine[name], theirs[name]) for mine, theirs in rounds]
        ratios = sorted(a / b for a, b in pairs)
        mine, other = (statistics.median(side) for side in zip(*pairs))
        print(f"| {name.replace('x', ' × ')} | {mine:.0f} | {other:.0f} | {statistics.median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}] |")


if __name__ == "__main__":
    main()
