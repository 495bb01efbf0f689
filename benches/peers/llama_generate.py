"""The peer for sampling speed at a small batch: llama.cpp's server in this process (xllamacpp), every slot busy, at temperature 1.

    python llama_generate.py MODEL.gguf MODEL ROWS.jsonl --parallel 32 --max-new-tokens 40

MODEL is the checkpoint whose chat template makes the prompts. Every row ends after exactly the new tokens that are asked for.
"""
import argparse
import concurrent.futures
import json
import resource
import time

import xllamacpp
from transformers import PreTrainedTokenizerFast


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf")
    parser.add_argument("model")
    parser.add_argument("rows")
    parser.add_argument("--parallel", type=int, default=32)
    parser.add_argument("--max-new-tokens", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(args.model)
    texts = [tokenizer.apply_chat_template([{"role": "user", "content": json.loads(line)["prompt"]}], tokenize=False,
                                           add_generation_prompt=True) for line in open(args.rows)]
    params = xllamacpp.CommonParams()
    params.model.path = args.gguf
    params.n_parallel = args.parallel
    params.n_ctx = args.parallel * 256
    params.n_batch, params.n_ubatch = 2048, 512
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = args.threads
    params.cache_ram_mib = 0  # prompts have nothing in common
    params.warmup = False
    server = xllamacpp.Server(params)

    def complete(text):
        reply = server.handle_completions({"prompt": text, "n_predict": args.max_new_tokens, "temperature": 1.0, "top_k": 0, "top_p": 1.0,
                                           "min_p": 0.0, "ignore_eos": True, "cache_prompt": False, "samplers": ["temperature"]})
        reply = json.loads(reply) if isinstance(reply, (str, bytes)) else reply
        return reply["usage"]["completion_tokens"] if "usage" in reply else reply["tokens_predicted"]

    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(args.parallel) as pool:
        new = sum(pool.map(complete, texts))
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": len(texts), "tokens": new, "seconds": round(seconds, 3), "tokens_per_second": round(new / seconds, 1),
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
