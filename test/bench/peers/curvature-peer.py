"""A PyTorch contender of the curvature benchmark: Lanczos by double backward, one block after another. argv[1]: JSON as in
curvature-job.ts. For every product each batch is run forward with gradients recorded from the block on only, the gradient
is taken with create_graph=True, and its product with the direction is differentiated again (as PyHessian does).

First line out: {"ready": true, "loss": the loss of the probed rows}. Then for every line `n` in: {"ms": [n wall times]},
each of all this process's blocks for the next method.
"""

import json
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import LlamaConfig

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
torch.manual_seed(1)
RANK, BATCH, TOKENS, SAMPLES = (settings[name] for name in ("rank", "batch", "tokens", "samples"))
config = LlamaConfig.from_pretrained(settings["model"])
weights = load_file(f"{settings['model']}/model.safetensors")
embedding, final_norm = weights["model.embed_tokens.weight"], weights["model.norm.weight"]
NAMES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
layers = []
for index in range(config.num_hidden_layers):
    prefix = f"model.layers.{index}."
    layers.append({n.removesuffix(".weight").split(".")[-1]: w for n, w in weights.items() if n.startswith(prefix)})
HEADS, EPS = config.num_attention_heads, config.rms_norm_eps
HEAD_SIZE = config.hidden_size // HEADS
frequencies = 1e4 ** -(torch.arange(0, HEAD_SIZE, 2) / HEAD_SIZE)
angles = torch.outer(torch.arange(TOKENS).float(), torch.cat([frequencies, frequencies]))
COS, SIN = angles.cos(), angles.sin()
MASK = torch.full((TOKENS, TOKENS), float("-inf")).triu(1)
ids = ((torch.arange(SAMPLES * TOKENS) * 7 + 3) % config.vocab_size).reshape(-1, BATCH, TOKENS)
TARGETS = SAMPLES * (TOKENS - 1)


def rotate(x):
    half = HEAD_SIZE // 2
    return x * COS + torch.cat([-x[..., half:], x[..., :half]], -1) * SIN


def norm(x, weight):
    return F.rms_norm(x, weight.shape, weight, EPS)


def loss_of(batch, at, projection):
    """Part of the loss; `projection` replaces the projection at = (layer, name)."""
    split = lambda x: x.reshape(BATCH, TOKENS, HEADS, HEAD_SIZE).transpose(1, 2)
    x = embedding[batch].reshape(BATCH * TOKENS, -1)
    for index, layer in enumerate(layers):
        project = lambda name, y: projection(y) if at == (index, name) else F.linear(y, layer[name])
        h = norm(x, layer["input_layernorm"])
        q, k, v = (split(project(n, h)) for n in NAMES[:3])
        scores = torch.softmax(rotate(q) @ rotate(k).transpose(-1, -2) / HEAD_SIZE**0.5 + MASK, -1)
        x = x + project("o_proj", (scores @ v).transpose(1, 2).reshape(BATCH * TOKENS, -1))
        h = norm(x, layer["post_attention_layernorm"])
        x = x + project("down_proj", F.silu(project("gate_proj", h)) * project("up_proj", h))
    logits = F.linear(norm(x, final_norm), embedding).reshape(BATCH, TOKENS, -1)[:, :-1]
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch[:, 1:].reshape(-1), reduction="sum") / TARGETS


def block(method, site):
    """(A, B) at their start and the projection they make."""
    at = (site // 7, NAMES[site % 7])
    w = layers[at[0]][at[1]]
    uniform = lambda *shape: (torch.rand(*shape) * 2 - 1) / w.shape[1] ** 0.5
    a, b = uniform(RANK, w.shape[1]), torch.zeros(w.shape[0], RANK)
    if method in ("pissa", "milora"):
        u, s, vt = torch.linalg.svd(w, full_matrices=False)
        part = slice(0, RANK) if method == "pissa" else slice(-RANK, None)
        a, b = s[part].sqrt()[:, None] * vt[part], u[:, part] * s[part].sqrt()
    if method == "init-ab":
        b = uniform(w.shape[0], RANK)
    base = w - b @ a
    a.requires_grad_(), b.requires_grad_()
    if method == "dora":
        magnitude = w.norm(dim=1)

        def projection(x):
            v = w + b @ a
            return F.linear(x, v) * (magnitude / v.norm(dim=1))

        return at, (a, b), projection
    return at, (a, b), lambda x: F.linear(x, base) + F.linear(F.linear(x, a), b)


blocks = {(method, site): block(method, site) for method in settings["methods"] for site in settings["sites"]}


def product(at, pair, projection, vector):
    direction = torch.from_numpy(vector).float().split([p.numel() for p in pair])
    total = numpy.zeros_like(vector)
    for batch in ids:
        gradients = torch.autograd.grad(loss_of(batch, at, projection), pair, create_graph=True)
        along = sum((g.flatten() * d).sum() for g, d in zip(gradients, direction))
        total += torch.cat([h.flatten() for h in torch.autograd.grad(along, pair)]).double().numpy()
    return total


def lanczos(apply, size, iterations):
    basis = numpy.random.default_rng(1).standard_normal((1, size))
    basis /= numpy.linalg.norm(basis)
    alpha, beta = [], []
    for _ in range(iterations):
        w = apply(basis[-1])
        alpha.append(basis[-1] @ w)
        for _ in range(2):
            w = w - basis.T @ (basis @ w)
        beta.append(numpy.linalg.norm(w))
        basis = numpy.vstack([basis, w / beta[-1]])
        numpy.linalg.eigvalsh(numpy.diag(alpha) + numpy.diag(beta[:-1], 1) + numpy.diag(beta[:-1], -1))


def turn(method, iterations):
    for site in settings["sites"]:
        at, pair, projection = blocks[method, site]
        lanczos(lambda v: product(at, pair, projection, v), sum(p.numel() for p in pair), iterations)


with torch.no_grad():
    loss = sum(loss_of(batch, None, None) for batch in ids).item()
turn("lora", 1)
print(json.dumps({"ready": True, "loss": loss}), flush=True)
turns = 0
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begin = time.perf_counter()
        turn(settings["methods"][turns % len(settings["methods"])], settings["iterations"])
        turns += 1
        times.append((time.perf_counter() - begin) * 1e3)
    print(json.dumps({"ms": times}), flush=True)
