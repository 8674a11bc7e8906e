"""
A user's loop over a part of the demo sweep with Hugging Face transformers and PEFT: every trial trains, generates the held-out
answers and scores them.

argv[1] is JSON: {model, train, test, trials: [{method, rate, seed}], steps, batch, rank, max_new_tokens, threads}.
Methods are those that PEFT has by itself: lora, pissa, dora. Lines out: {"step": 1} after the very first step, then
{"trial": {...}, "accuracy": share} for each trial.
"""

import json
import math
import random
import sys

import torch
import transformers
from peft import LoraConfig, get_peft_model

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
transformers.utils.logging.disable_progress_bar()
tokenizer = transformers.AutoTokenizer.from_pretrained(settings["model"])
PAD = tokenizer.pad_token_id or 0
rows = lambda path: [json.loads(line) for line in open(path, encoding="utf-8")]
train, test = rows(settings["train"]), rows(settings["test"])


def encoded(row):
    prompt = tokenizer(row["prompt"]).input_ids
    answer = tokenizer(row["answer"], add_special_tokens=False).input_ids + [tokenizer.eos_token_id]
    return prompt + answer, [-100] * len(prompt) + answer


def batch_of(examples):
    longest = max(len(ids) for ids, _ in examples)
    pad = lambda values, filler: values + [filler] * (longest - len(values))
    return {
        "input_ids": torch.tensor([pad(ids, PAD) for ids, _ in examples]),
        "labels": torch.tensor([pad(labels, -100) for _, labels in examples]),
        "attention_mask": torch.tensor([pad([1] * len(ids), 0) for ids, _ in examples]),
    }


def adapted(method):
    model = transformers.AutoModelForCausalLM.from_pretrained(settings["model"], dtype=torch.float32)
    rank = settings["rank"]
    return get_peft_model(
        model,
        LoraConfig(
            r=rank,
            lora_alpha=rank,
            lora_dropout=0.0,
            target_modules="all-linear",
            init_lora_weights="pissa" if method == "pissa" else True,
            use_dora=method == "dora",
        ),
    )


def accuracy(model):
    model.eval()
    tokenizer.padding_side = "left"
    right = 0
    for start in range(0, len(test), 64):
        part = test[start : start + 64]
        inputs = tokenizer([row["prompt"] for row in part], return_tensors="pt", padding=True)
        inputs.pop("token_type_ids", None)
        with torch.no_grad():
            out = model.generate(
                **inputs, max_new_tokens=settings["max_new_tokens"], do_sample=False, pad_token_id=PAD
            )
        said = tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        right += sum(text.strip() == row["answer"].strip() for text, row in zip(said, part))
    return right / len(test)


first = True
examples = [encoded(row) for row in train]
for trial in settings["trials"]:
    torch.manual_seed(trial["seed"])
    model = adapted(trial["method"])
    model.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=trial["rate"], weight_decay=0.0)
    steps = settings["steps"]
    schedule = transformers.get_cosine_schedule_with_warmup(optimizer, math.ceil(0.03 * steps), steps)
    order = random.Random(trial["seed"]).sample(range(len(examples)), len(examples))
    for step in range(steps):
        chosen = [examples[order[(step * settings["batch"] + i) % len(order)]] for i in range(settings["batch"])]
        loss = model(**batch_of(chosen)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if first:
            print(json.dumps({"step": 1}), flush=True)
            first = False
    print(json.dumps({"trial": trial, "accuracy": accuracy(model)}), flush=True)
