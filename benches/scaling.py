"""Sampling speed as the work grows, as tables and a picture; see scaling.sh."""
import argparse
import json
import math
import random
import statistics
import sys

from versus import FAMILIES, OURS, PLACE, inputs, measure, rate_of_ours

ROWS = [1, 4, 16, 64, 256, 512]
THREADS = [1, 2]
PROMPTS = [32, 128, 512, 1024]
NEW_TOKENS = 16


def write_rows(name, rows, words):
    """Prompts of so many random numbers."""
    file, chance = PLACE / f"{name}.jsonl", random.Random(rows * 10_000 + words)
    file.write_text("".join(json.dumps({"prompt": " ".join(str(chance.randrange(1000)) for _ in range(words))}) + "\n" for _ in range(rows)))
    return str(file)


def words_for(model, tokens):
    """How many words make a rendered prompt of about so many tokens, by the checkpoint's own tokenizer."""
    from transformers import PreTrainedTokenizerFast

    tokenizer, chance = PreTrainedTokenizerFast.from_pretrained(model), random.Random(0)
    words = [str(chance.randrange(1000)) for _ in range(tokens)]

    def length(n):
        chat = tokenizer.apply_chat_template([{"role": "user", "content": " ".join(words[:n])}], tokenize=False, add_generation_prompt=True)
        return len(tokenizer(chat, add_special_tokens=False)["input_ids"])

    return min(range(1, tokens), key=lambda n: abs(length(n) - tokens))


def sample(model, prompts, threads, args):
    """Median tokens/s and peak MiB of a few runs."""
    command = [OURS, "sample", "--model", model, "--prompts", prompts, "--out", str(PLACE / "out.jsonl"), "--max-tokens", str(NEW_TOKENS),
               "--dtype", args.dtype, "--threads", str(threads), "--ignore-stop"]
    found = []
    for _ in range(args.runs):
        output, _, memory = measure(command)
        found.append((rate_of_ours(output), memory))
        print(f"{prompts} {threads} threads: {found[-1][0]:.1f} tokens/s, {memory:.0f} MiB", file=sys.stderr, flush=True)
    return [statistics.median(values) for values in zip(*found)]


def picture(title, curves):
    """Curves of tokens/s over rows, both on scales of powers, as SVG."""
    width, height, left, bottom = 560, 300, 54, 40
    rates = [rate for _, points in curves for _, rate in points]
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    x = lambda rows: left + (width - left - 90) * math.log2(rows) / math.log2(ROWS[-1])
    y = lambda rate: 24 + (height - 24 - bottom) * (1 - (math.log10(rate) - low) / (high - low))
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" role="img">',
           f"<title>{title}</title><rect width='100%' height='100%' fill='#fff'/>"]
    for power in range(low, high + 1):
        svg.append(f'<path d="M{left} {y(10**power):.1f}H{width - 90}" stroke="#ddd"/><text x="{left - 6}" y="{y(10**power) + 4:.1f}" '
                   f'text-anchor="end" fill="#555">{10**power:,}</text>')
    for rows in ROWS:
        svg.append(f'<text x="{x(rows):.1f}" y="{height - bottom + 18}" text-anchor="middle" fill="#555">{rows}</text>')
    svg.append(f'<text x="{left}" y="14" fill="#222">tokens/s</text><text x="{(width - 90 + left) / 2}" y="{height - 4}" text-anchor="middle" fill="#222">rows</text>')
    for (name, points), tone in zip(curves, ("#888", "#1c5fc0")):
        line = "L".join(f"{x(rows):.1f} {y(rate):.1f}" for rows, rate in points)
        svg.append(f'<path d="M{line}" fill="none" stroke="{tone}" stroke-width="2"/><text x="{width - 84}" y="{y(points[-1][1]) + 4:.1f}" fill="{tone}">{name}</text>')
        svg += [f'<circle cx="{x(rows):.1f}" cy="{y(rate):.1f}" r="3" fill="{tone}"/>' for rows, rate in points]
    return "".join(svg) + "</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=FAMILIES, default="smollm2-135m")
    parser.add_argument("--dtype", default="bf16")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    model, _ = inputs(args.shape)
    found = {}
    for rows in ROWS:
        prompts = write_rows(f"rows-{rows}", rows, 8)
        for threads in THREADS:
            found[rows, threads] = sample(model, prompts, threads, args)
    print(f"| rows ({args.shape}, {args.dtype}, {NEW_TOKENS} new tokens) | tokens/s, 1 thread | 2 threads | ratio | peak memory, 2 threads |")
    print("|---:|---:|---:|---:|---:|")
    for rows in ROWS:
        (one, _), (two, memory) = found[rows, 1], found[rows, 2]
        print(f"| {rows} | {one:.1f} | {two:.1f} | {two / one:.2f} | {memory:.0f} MiB |")
    print(f"\n| prompt tokens, about (32 rows, 2 threads) | new tokens/s | all tokens/s | peak memory |\n|---:|---:|---:|---:|")
    for length in PROMPTS:
        rate, memory = sample(model, write_rows(f"prompts-{length}", 32, words_for(model, length)), 2, args)
        print(f"| {length} | {rate:.1f} | {rate * (length + NEW_TOKENS) / NEW_TOKENS:.0f} | {memory:.0f} MiB |")
    curves = [(f"{threads} thread{'s' if threads > 1 else ''}", [(rows, found[rows, threads][0]) for rows in ROWS]) for threads in THREADS]
    (PLACE / "scaling.svg").write_text(picture(f"Sampling speed over rows, {args.shape}, {args.dtype}", curves))


if __name__ == "__main__":
    main()
