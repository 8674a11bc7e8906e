"""
One PyTorch contender of the benchmark: LoRA on all seven projections, AdamW, clipping, one batch a trial.

argv[1] is JSON: {style, compiled, threads, precision, model, trials, rates, batch, tokens, rank, checkpointing?}.
  style      packed      all trials on a batch axis of one step; fused AdamW has one learning rate for all of them, which
                         spares this contender the work of several
             sequential  one trial after the other through the same functions
             peft        one Hugging Face model with PEFT adapters a trial, as a user's loop
  checkpointing  peft only: transformers' gradient checkpointing
  real       peft only: {steps, rows}: `rows` is a JSON file with the rows {ids, labels} of as many steps, which are one turn;
             they are padded to the longest of their batch, as transformers' collators do
  precision  float32, or bfloat16: frozen weights stored in bfloat16, autocast around the forward pass
  trials     which of the benchmark's trials this process trains; trial k reads rows k*batch .. (k+1)*batch

First line out: {"ready": true, "loss": mean loss of the first step, before any update}. Then for every line `n` in:
{"ms": [n wall times, each one step of all this process's trials]}.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
torch.manual_seed(2)
BATCH, TOKENS, RANK = settings["batch"], settings["tokens"], settings["rank"]
BFLOAT16 = settings["precision"] == "bfloat16"
REAL = settings.get("real")


def token_ids(trial, vocabulary):
    """[batch, tokens]: the same formula as on the other side of the benchmark."""
    first = trial * BATCH * TOKENS
    return ((torch.arange(first, first + BATCH * TOKENS) * 7 + 3) % vocabulary).reshape(BATCH, TOKENS)


def autocast():
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=BFLOAT16)


class Decoder:
    """A Llama with low-rank updates on K trials at once: activations [K * batch * tokens, hidden], adapters [K, in, r], [K, r, out]."""

    def __init__(self, folder, packed):
        from safetensors.torch import load_file
        from transformers import LlamaConfig

        config = LlamaConfig.from_pretrained(folder)
        weights = load_file(f"{folder}/model.safetensors")
        if BFLOAT16:
            weights = {name: w.bfloat16() if w.dim() == 2 else w for name, w in weights.items()}
        self.embedding = weights["model.embed_tokens.weight"]
        self.final_norm = weights["model.norm.weight"]
        self.layers = []
        for index in range(config.num_hidden_layers):
            prefix = f"model.layers.{index}."
            self.layers.append(
                {
                    name.removeprefix(prefix).removesuffix(".weight").split(".")[-1]: w
                    for name, w in weights.items()
                    if name.startswith(prefix)
                }
            )
        self.heads, self.eps, self.packed = config.num_attention_heads, config.rms_norm_eps, packed
        self.head_size = config.hidden_size // config.num_attention_heads
        frequencies = 1e4 ** -(torch.arange(0, self.head_size, 2) / self.head_size)
        angles = torch.outer(torch.arange(TOKENS).float(), torch.cat([frequencies, frequencies]))
        self.cos, self.sin = angles.cos(), angles.sin()

    def adapters(self, trials):
        """One list of {projection: (A, B)} a layer; B = 0."""
        lead = (trials,) if self.packed else ()
        made = []
        for layer in self.layers:
            pairs = {}
            for name, w in layer.items():
                if w.dim() == 2:
                    a = (torch.rand(*lead, w.shape[1], RANK) * 2 - 1) / w.shape[1] ** 0.5
                    b = torch.zeros(*lead, RANK, w.shape[0])
                    pairs[name] = (a.requires_grad_(), b.requires_grad_())
            made.append(pairs)
        return made

    def project(self, x, weight, pair):
        a, b = pair
        y = F.linear(x, weight)
        if not self.packed:
            return torch.addmm(y, x @ a, b)
        inner = x.reshape(a.shape[0], -1, x.shape[-1]) @ a
        return torch.baddbmm(y.reshape(a.shape[0], -1, y.shape[-1]), inner, b).reshape(y.shape)

    def rotate(self, x):
        half = self.head_size // 2
        return x * self.cos + torch.cat([-x[..., half:], x[..., :half]], -1) * self.sin

    def norm(self, x, weight):
        return F.rms_norm(x, weight.shape, weight, self.eps)

    def loss(self, adapters, ids):
        """Sum over the trials of their token means; ids [K * batch, tokens]."""
        rows = ids.shape[0]
        split = lambda x: x.reshape(rows, TOKENS, self.heads, self.head_size).transpose(1, 2)
        x = self.embedding[ids].reshape(rows * TOKENS, -1).float()
        for layer, pairs in zip(self.layers, adapters):
            h = self.norm(x, layer["input_layernorm"])
            q, k, v = (split(self.project(h, layer[n], pairs[n])) for n in ("q_proj", "k_proj", "v_proj"))
            mixed = F.scaled_dot_product_attention(self.rotate(q).to(v.dtype), self.rotate(k).to(v.dtype), v, is_causal=True)
            x = x + self.project(mixed.transpose(1, 2).reshape(rows * TOKENS, -1), layer["o_proj"], pairs["o_proj"])
            h = self.norm(x, layer["post_attention_layernorm"])
            gate, up = (self.project(h, layer[n], pairs[n]) for n in ("gate_proj", "up_proj"))
            x = x + self.project(F.silu(gate) * up, layer["down_proj"], pairs["down_proj"])
        logits = F.linear(self.norm(x, self.final_norm), self.embedding).reshape(rows, TOKENS, -1)[:, :-1]
        mean = F.cross_entropy(logits.reshape(-1, logits.shape[-1]).float(), ids[:, 1:].reshape(-1))
        return mean * (rows // BATCH)


def own_steps():
    """The step of packed and sequential contenders: returns the mean loss of the trials."""
    packed = settings["style"] == "packed"
    decoder = Decoder(settings["model"], packed)
    loss_of = torch.compile(decoder.loss, dynamic=False) if settings["compiled"] else decoder.loss
    groups = [settings["trials"]] if packed else [[trial] for trial in settings["trials"]]
    jobs = []
    for group in groups:
        adapters = decoder.adapters(len(group))
        parameters = [t for layer in adapters for pair in layer.values() for t in pair]
        rate = settings["rates"][group[0]]
        optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0, fused=True)
        ids = torch.cat([token_ids(trial, decoder.embedding.shape[0]) for trial in group])
        jobs.append((adapters, parameters, optimizer, ids))

    def step():
        total = 0.0
        for adapters, parameters, optimizer, ids in jobs:
            optimizer.zero_grad()
            with autocast():
                loss = loss_of(adapters, ids)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            total += loss.item()
        return total / len(settings["trials"])

    return step


def batches_of(trial, vocabulary):
    """A turn's batches, as the model's arguments."""
    if not REAL:
        ids = token_ids(trial, vocabulary)
        return [{"input_ids": ids, "labels": ids}]
    with open(REAL["rows"]) as file:
        steps = json.load(file)
    pad = lambda rows, value: torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], True, value)
    return [
        {
            "input_ids": pad([row["ids"] for row in rows], 0),
            "attention_mask": pad([[1] * len(row["ids"]) for row in rows], 0),
            "labels": pad([row["labels"] for row in rows], -100),
        }
        for rows in steps
    ]


def peft_steps():
    """The step of a user's loop with Hugging Face transformers and PEFT."""
    import peft
    import transformers

    transformers.utils.logging.disable_progress_bar()
    jobs = []
    for trial in settings["trials"]:
        dtype = torch.bfloat16 if BFLOAT16 else torch.float32
        model = transformers.AutoModelForCausalLM.from_pretrained(settings["model"], dtype=dtype)
        model.config.use_cache = False
        if settings.get("checkpointing"):
            model.gradient_checkpointing_enable({"use_reentrant": False})
            model.enable_input_require_grads()
        model = peft.get_peft_model(
            model, peft.LoraConfig(r=RANK, lora_alpha=RANK, lora_dropout=0.0, target_modules="all-linear")
        )
        model.train()
        parameters = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=settings["rates"][trial], weight_decay=0.0)
        forward = torch.compile(model) if settings["compiled"] else model
        jobs.append((forward, parameters, optimizer, batches_of(trial, model.config.vocab_size)))

    def step():
        total = 0.0
        for model, parameters, optimizer, batches in jobs:
            for index, batch in enumerate(batches):
                optimizer.zero_grad()
                with autocast():
                    loss = model(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                total += loss.item() if index == 0 else 0.0
        return total / len(jobs)

    return step


step = peft_steps() if settings["style"] == "peft" else own_steps()
first_loss = step()
if not REAL:
    step()
    step()
print(json.dumps({"ready": True, "loss": first_loss}), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begin = time.perf_counter()
        step()
        times.append((time.perf_counter() - begin) * 1e3 / (REAL["steps"] if REAL else 1))
    print(json.dumps({"ms": times}), flush=True)
