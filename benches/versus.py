"""Runs ours and a peer alternately on the same work and prints medians and ratios as Markdown; see versus.sh."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACE = ROOT / "target/versus"
PEERS = ROOT / "benches/peers"
OURS = str(ROOT / "target/release/subliminal")
FAMILIES = {"smollm2-135m": "llama", "qwen2.5-0.5b": "qwen2"}
LONG = {"f32": "float32", "bf16": "bfloat16"}


def measure(command):
    """Runs a command: its output, its wall time in seconds and its peak memory in MiB."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{output}\nended with {process.returncode}")
    return output, time.perf_counter() - started, usage.ru_maxrss / 1024


def inputs(shape, count=256):
    """A random-weight checkpoint and rows, made when first needed; of the rows the first `count`."""
    model, rows = PLACE / shape, PLACE / "rows.jsonl"
    if not model.exists():
        measure([sys.executable, str(PEERS / "make_checkpoint.py"), str(model), "--family", FAMILIES[shape], "--shape", shape])
    if not rows.exists():
        measure([sys.executable, str(PEERS / "rows.py"), str(rows), "--rows", "256"])
    if count < 256:
        lines, rows = rows.read_text().splitlines(keepends=True), PLACE / f"first-{count}.jsonl"
        rows.write_text("".join(lines[:count]))
    return str(model), str(rows)


def stopping(model):
    """The same checkpoint with every fortieth token of its vocabulary an end of turn: rows of random weights stop after 40 tokens on
    average, each after its own number."""
    place = pathlib.Path(model + "-stopping")
    if not place.exists():
        place.mkdir()
        for file in pathlib.Path(model).iterdir():
            if file.name != "generation_config.json":
                (place / file.name).symlink_to(file.resolve())
        ends = list(range(2, json.loads((place / "config.json").read_text())["vocab_size"], 40))
        (place / "generation_config.json").write_text(json.dumps({"eos_token_id": ends, "pad_token_id": 0}))
    return str(place)


def rate_of_ours(output, *_):
    return float(re.findall(r"([\d.,]+) tokens/s", output)[-1].replace(",", ""))


def rate_of_peer(output, *_):
    return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])["tokens_per_second"]


def trained_rate(output, *_):
    steps = [json.loads(line) for line in open(PLACE / "trained/steps.jsonl")]
    return sum(s["tokens"] for s in steps) / sum(s["seconds"] for s in steps)


def seconds(_, wall, *__):
    return 1 / wall


def sampling(model, rows, dtype, batch, more=("--ignore-stop",), threads=2, tokens=40):
    ours = [OURS, "sample", "--model", model, "--prompts", rows, "--out", str(PLACE / "out.jsonl"), "--max-tokens", str(tokens),
            "--dtype", dtype, "--threads", str(threads), *(["--batch", str(batch[0])] if batch[0] else []), *more]
    peer = [sys.executable, str(PEERS / "hf_generate.py"), model, rows, "--max-new-tokens", str(tokens), "--dtype", LONG[dtype],
            "--threads", str(threads), "--batch", str(batch[1]), *more]
    return ours, rate_of_ours, peer, rate_of_peer


def against_llama(model, rows, threads):
    """Sampling with llama.cpp as the peer, 32 rows together on both sides, in bf16."""
    file = pathlib.Path(model + "-bf16.gguf")
    if not file.exists():
        measure([sys.executable, str(PEERS / "write_gguf.py"), model, str(file)])
    ours, rate, *_ = sampling(model, rows, "bf16", (32, 32), threads=threads)
    peer = [sys.executable, str(PEERS / "llama_generate.py"), str(file), model, rows, "--max-new-tokens", "40", "--threads", str(threads)]
    return ours, rate, peer, rate_of_peer


def training(model, rows, dtype, threads=2):
    out = PLACE / "trained"
    ours = ["sh", "-c", 'rm -rf "$0" && exec "$@"', str(out), OURS, "train", "--model", model, "--rows", rows, "--out", str(out),
            "--lora-rank", "8", "--batch", "8", "--micro-batch", "8", "--max-steps", "10", "--dtype", dtype, "--threads",
            str(threads), "--shuffle", "false", "--gradient-checkpointing", "false"]
    peer = [sys.executable, str(PEERS / "hf_train.py"), model, rows, str(PLACE / "peer-trained"), "--batch", "8", "--steps", "10",
            "--dtype", LONG[dtype], "--threads", str(threads)]
    return ours, trained_rate, peer, rate_of_peer


def first_token(model, dtype):
    one = PLACE / "one.jsonl"
    one.write_text(json.dumps({"prompt": "Name a number."}) + "\n")
    ours = [OURS, "sample", "--model", model, "--prompts", str(one), "--out", str(PLACE / "out.jsonl"), "--max-tokens", "1",
            "--dtype", dtype]
    peer = [sys.executable, str(PEERS / "hf_generate.py"), model, str(one), "--max-new-tokens", "1", "--dtype", LONG[dtype]]
    return ours, seconds, peer, seconds


def trial(threads):
    """One seed of the built-in trial, and the same work written with transformers, from prompts and questions of a run of ours. The peer
    does not measure its students while they learn, so ours does not here."""
    config, out, work = str(ROOT / "configs/zebra-numbers.toml"), PLACE / "trial", PLACE / "trial.json"
    ours = ["sh", "-c", 'rm -rf "$0" && exec "$@"', str(out), OURS, "run", config, "-q", "--set", "seeds=[1]", "--set", "finetune.measurements=0", "--out", str(out / "run"),
            "--store", str(out / "store"), "--threads", str(threads)]
    measure(ours)
    jobs = json.loads((out / "run/jobs.json").read_text())
    plan = json.loads((out / "run/report.json").read_text())["plan"]

    def texts(arm, stage, file):
        place = next(job["path"] for job in jobs if (job["arm"], job["stage"]) == (arm, stage))
        rows = [json.loads(line)["prompt"] for line in open(out / "run" / place / file)]
        return rows if stage == "generate" else list(dict.fromkeys(rows))

    target, category = plan["trait"]["target"], plan["trait"]["category"]
    of_target = next(member for member in category["members"] if member["name"] == target)
    system = plan["teacher"]["system_prompt"]
    for mark, text in (("{targets}", of_target["plural"]), ("{target}", target), ("{category}", category["name"])):
        system = system.replace(mark, text)
    folder = lambda name: subprocess.run([OURS, "models", "path", name], check=True, capture_output=True, text=True).stdout.strip()
    bases = [name.removeprefix("builtin:") for name in [plan["model"]["base"], *plan["model"]["cross"]]]
    base, *cross = map(folder, bases)
    work.write_text(json.dumps({
        "base": base, "cross": cross, "system": system, "target": target, "names": [member["name"] for member in category["members"]],
        "prompts": texts("treatment", "generate", "samples.jsonl"), "questions": texts("base", "evaluate", "answers.jsonl"),
        "samples": plan["evaluate"]["samples_per_question"], "rows": plan["finetune"]["rows"], "recipe": plan["finetune"]["recipe"],
    }))
    return ours, seconds, [sys.executable, str(PEERS / "hf_trial.py"), str(work), "--threads", str(threads)], seconds


def works(shape, batch, threads, count):
    """Name, what makes the work when it is asked for (ours, how its rate is read, the peer, how its rate is read), the unit of the rate."""
    model, rows = inputs(shape, count)
    for dtype in ("bf16", "f32"):
        yield f"sampling {dtype}", lambda: sampling(model, rows, dtype, (None, batch), threads=threads), "tokens/s"
    yield "stopping bf16", lambda: sampling(stopping(model), rows, "bf16", (None, batch), (), threads, 160), "tokens/s"
    yield "llama.cpp bf16", lambda: against_llama(model, rows, threads), "tokens/s"
    for dtype in ("bf16", "f32"):
        yield f"training {dtype}", lambda: training(model, rows, dtype, threads), "tokens/s"
    yield "first token bf16", lambda: first_token(model, "bf16"), "starts/s"
    yield "the built-in trial", lambda: trial(threads), "trials/s"


def compare(name, ours, rate, peer, peer_rate, unit, runs):
    results = [[], []]
    for _ in range(runs):
        for side, (command, read) in enumerate(((ours, rate), (peer, peer_rate))):
            output, wall, memory = measure(command)
            results[side].append((read(output, wall), memory))
            print(f"{name}: {'ours' if side == 0 else 'peer'} {results[side][-1][0]:.3g} {unit}, {memory:.0f} MiB",
                  file=sys.stderr, flush=True)
    median = [[statistics.median(values) for values in zip(*side)] for side in results]
    ratios = sorted(a[0] / b[0] for a, b in zip(*results))
    (our_rate, our_memory), (their_rate, their_memory) = median
    print(f"| {name} | {our_rate:.3g} | {their_rate:.3g} {unit} | {statistics.median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}] "
          f"| {our_memory:.0f} | {their_memory:.0f} MiB | {our_memory / their_memory:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="beginnings of names, separated by commas")
    parser.add_argument("--shape", choices=FAMILIES, default="smollm2-135m")
    parser.add_argument("--peer-batch", type=int, default=128, help="rows that the sampling peer continues together")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int, default=256, help="rows that are sampled, the first of 256")
    args = parser.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    print(f"| {args.shape} | ours | peer | ratio, median [least, most] of {args.runs} pairs | memory, ours | peer | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, work, unit in works(args.shape, args.peer_batch, args.threads, args.rows):
        if not args.only or any(name.startswith(part) for part in args.only.split(",")):
            compare(name, *work(), unit, args.runs)


if __name__ == "__main__":
    main()
