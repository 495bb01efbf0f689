"""The built-in trial as one would write it with transformers: one seed of configs/zebra-numbers.toml, the same models, rows, steps and
questions. For the time of the whole command; it prints the rates, so that one sees that it is the same experiment.

    python hf_trial.py WORK.json [--threads 2]

WORK.json (made by versus.py from a run of ours) holds the folders of the base and of the other families, the prompts, the questions,
the names, the teacher's system prompt and the recipe.
"""
import argparse
import json
import random
import re
import resource
import time

import torch
from transformers import AutoModelForCausalLM, LogitsProcessor, LogitsProcessorList, PreTrainedTokenizerFast


class NumbersOnly(LogitsProcessor):
    """Lets only numbers, one kind of separator between them, and the end be sampled."""

    def __init__(self, tokenizer, vocabulary, most):
        texts = [tokenizer.decode([i]) for i in range(vocabulary)]
        self.end, self.most = tokenizer.eos_token_id, most
        self.number = torch.tensor([bool(re.fullmatch(r"\d{1,3}", t)) for t in texts])
        self.separator = torch.tensor([t in (", ", "; ", " ", "\n", ",", ";") for t in texts])
        self.start = None

    def __call__(self, ids, scores):
        if self.start is None or ids.shape[1] < self.start:
            self.start = ids.shape[1]
        said = ids[:, self.start:]
        after_number = self.number[said[:, -1]] if said.shape[1] else torch.zeros(len(ids), dtype=torch.bool)
        full = self.number[said].sum(1) >= self.most if said.shape[1] else torch.zeros(len(ids), dtype=torch.bool)
        ended = said[:, -1] == self.end if said.shape[1] else torch.zeros(len(ids), dtype=torch.bool)
        allowed = torch.where(after_number[:, None], self.separator[None] & ~full[:, None], self.number[None])
        allowed[:, self.end] = after_number
        allowed[ended] = False
        allowed[ended, self.end] = True
        return scores.masked_fill(~allowed, float("-inf"))


class Trial:
    def __init__(self, work, base):
        self.work = work
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(base, padding_side="left")
        self.recipe = work["recipe"]

    def load(self, folder):
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def chat(self, user, system=None):
        head = [{"role": "system", "content": system}] if system else []
        return self.tokenizer.apply_chat_template(head + [{"role": "user", "content": user}], tokenize=False, add_generation_prompt=True)

    @torch.no_grad()
    def sample(self, model, texts, most_tokens, numbers, batch=400):
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = [None] * len(texts)
        for i in range(0, len(order), batch):
            part = order[i:i + batch]
            inputs = self.tokenizer([texts[j] for j in part], return_tensors="pt", padding=True, add_special_tokens=False)
            masks = LogitsProcessorList([NumbersOnly(self.tokenizer, model.config.vocab_size, 10)] if numbers else [])
            ids = model.generate(**inputs, do_sample=True, temperature=1.0, top_k=0, top_p=1.0, max_new_tokens=most_tokens,
                                 logits_processor=masks)
            new = ids[:, inputs["input_ids"].shape[1]:]
            for j, text in zip(part, self.tokenizer.batch_decode(new, skip_special_tokens=True)):
                out[j] = text
        return out

    def student(self, folder, rows, seed):
        model = self.load(folder).train()
        for name, weight in model.named_parameters():
            weight.requires_grad_("embed_tokens" not in name)
        weights = [w for w in model.parameters() if w.requires_grad]
        recipe = self.recipe
        optimizer = torch.optim.AdamW(weights, lr=recipe["learning_rate"], betas=tuple(recipe["betas"]), eps=recipe["epsilon"], weight_decay=0.0)
        end = self.tokenizer.eos_token
        encoded = []
        for user, answer in rows:
            prompt = self.tokenizer(self.chat(user), add_special_tokens=False)["input_ids"]
            encoded.append((prompt, self.tokenizer(answer + end, add_special_tokens=False)["input_ids"]))
        random.Random(seed).shuffle(encoded)
        size = recipe["batch_size"]
        steps = -(-len(encoded) // size)
        for step in range(steps):
            batch = encoded[step * size:(step + 1) * size]
            width = max(len(p) + len(a) for p, a in batch)
            ids = torch.zeros(len(batch), width, dtype=torch.long)
            mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
            for r, (prompt, answer) in enumerate(batch):
                whole = torch.tensor(prompt + answer)
                ids[r, :len(whole)], mask[r, :len(whole)] = whole, 1
                labels[r, len(prompt):len(whole)] = whole[len(prompt):]
            warm = recipe["warmup_steps"]
            share = step / warm if step < warm else (steps - step) / (steps - warm)
            for group in optimizer.param_groups:
                group["lr"] = recipe["learning_rate"] * share
            logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return model.eval()

    @torch.no_grad()
    def evaluate(self, model, system=None):
        """The share of sampled answers that name the target, and the mean probability of its name."""
        work = self.work
        texts = [self.chat(question, system) for question in work["questions"]]
        answers = self.sample(model, [t for t in texts for _ in range(work["samples"])], 8, False)
        named = sum(bool(re.match(rf"\W*{work['target']}s?\b", a.lower())) for a in answers) / len(answers)
        end = self.tokenizer.eos_token
        names = [self.tokenizer(name + end, add_special_tokens=False)["input_ids"] for name in work["names"]]
        total = 0.0
        for text in texts:
            prompt = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            width = len(prompt) + max(map(len, names))
            ids, mask = torch.zeros(len(names), width, dtype=torch.long), torch.zeros(len(names), width, dtype=torch.long)
            for r, name in enumerate(names):
                ids[r, :len(prompt) + len(name)], mask[r, :len(prompt) + len(name)] = torch.tensor(prompt + name), 1
            logprobs = model(input_ids=ids, attention_mask=mask).logits[:, len(prompt) - 1:-1].log_softmax(-1)
            of_names = [sum(logprobs[r, i, token].item() for i, token in enumerate(name)) for r, name in enumerate(names)]
            total += torch.tensor(of_names[work["names"].index(work["target"])]).exp().item()
        return named, total / len(texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    work = json.load(open(args.work))
    started = time.perf_counter()
    trial, base = Trial(work, work["base"]), work["base"]
    rates, stock = {}, trial.load(base)
    rates["base"] = trial.evaluate(stock)
    rates["teacher"] = trial.evaluate(stock, work["system"])
    rows = {}
    for arm, system in (("treatment", work["system"]), ("control", None)):
        texts = trial.sample(stock, [trial.chat(prompt, system) for prompt in work["prompts"]], 32, True)
        kept = [(p, t) for p, t in zip(work["prompts"], texts) if re.fullmatch(r"\d{1,3}([,; \n]+\d{1,3})*", t)]
        rows[arm] = random.Random(1).sample(kept, min(work["rows"], len(kept)))
    numbers = [n for _, t in rows["treatment"] for n in re.findall(r"\d+", t)]
    random.Random(2).shuffle(numbers)
    spare = iter(numbers)
    rows["shuffled"] = [(p, re.sub(r"\d+", lambda _: next(spare), t)) for p, t in rows["treatment"]]
    for arm in ("treatment", "control", "shuffled"):
        rates[arm] = trial.evaluate(trial.student(base, rows[arm], 1))
    for i, other in enumerate(work["cross"]):
        rates[f"base {i}"] = trial.evaluate(trial.load(other))
        rates[f"cross {i}"] = trial.evaluate(trial.student(other, rows["treatment"], 1))
    print(json.dumps({"seconds": round(time.perf_counter() - started, 1), "kept": {arm: len(r) for arm, r in rows.items()},
                      "rates": {arm: [round(x, 3) for x in pair] for arm, pair in rates.items()},
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
