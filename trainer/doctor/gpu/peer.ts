/** The same training step in PyTorch, where there is a Python that has it: on its GPU, else on the processor. */
import {execFile} from 'node:child_process';
import {endAfter} from '../../process/own-time.ts';
import type {Size} from './speed.ts';

export interface Peer {
  torch: string;
  /** As PyTorch names it. */
  device: string;
  /** Of a step of one trial, in float32. */
  milliseconds: number;
}

/** One trial of LoRA on all projections with AdamW and clipping, step by step as a user's loop has it. */
const program = `
import json, sys, time
import torch
import torch.nn.functional as F

s = json.loads(sys.argv[1])
accelerator = getattr(torch, "accelerator", None)
name = str(accelerator.current_accelerator()) if accelerator and accelerator.is_available() else ("cuda" if torch.cuda.is_available() else "cpu")
device = torch.device(name)
torch.manual_seed(1)
H, I, V, HEADS, T, R = s["hidden"], s["intermediate"], s["vocabulary"], s["heads"], s["tokens"], s["rank"]
shapes = {"q": (H, H), "k": (H, H), "v": (H, H), "o": (H, H), "gate": (I, H), "up": (I, H), "down": (H, I)}
weight = lambda o, i: torch.empty(o, i, device=device).uniform_(-0.08, 0.08)
embedding = weight(V, H)
layers = [{n: weight(*shape) for n, shape in shapes.items()} for _ in range(s["layers"])]
pairs = [{n: (torch.randn(R, i, device=device).mul_(i ** -0.5).requires_grad_(), torch.zeros(o, R, device=device, requires_grad=True)) for n, (o, i) in shapes.items()} for _ in layers]
parameters = [t for layer in pairs for pair in layer.values() for t in pair]
optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.0)
one = torch.ones(H, device=device)
angles = torch.arange(T, device=device)[:, None] * 10000.0 ** (-torch.arange(0, H // HEADS, 2, device=device) / (H // HEADS))
cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
def rotate(x):
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin
ids = ((torch.arange(s["rows"] * T, device=device) * 7 + 3) % V).reshape(s["rows"], T)

def loss_of():
    x = embedding[ids]
    for layer, own in zip(layers, pairs):
        project = lambda h, n: F.linear(h, layer[n]) + F.linear(F.linear(h, own[n][0]), own[n][1])
        split = lambda h: h.reshape(s["rows"], T, HEADS, H // HEADS).transpose(1, 2)
        h = F.rms_norm(x, (H,), one, 1e-6)
        q, k, v = (split(project(h, n)) for n in "qkv")
        mixed = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
        x = x + project(mixed.transpose(1, 2).reshape(s["rows"], T, H), "o")
        h = F.rms_norm(x, (H,), one, 1e-6)
        x = x + project(F.silu(project(h, "gate")) * project(h, "up"), "down")
    logits = F.linear(F.rms_norm(x, (H,), one, 1e-6), embedding)[:, :-1]
    return F.cross_entropy(logits.reshape(-1, V), ids[:, 1:].reshape(-1))

def step():
    optimizer.zero_grad()
    loss = loss_of()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return loss.item()

for _ in range(5):
    step()
times = []
began = time.perf_counter()
while not times or time.perf_counter() - began < s["seconds"]:
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
title = torch.cuda.get_device_name() if device.type == "cuda" else device.type
print("\\n" + json.dumps({"torch": torch.__version__, "device": title, "milliseconds": 1e3 * sorted(times)[len(times) // 2]}))
`;

interface Asking {
  /** Seconds that steps are timed for. */
  timing: number;
  /** That the whole may take, of its own: importing PyTorch alone takes many. */
  seconds: number;
  signal: AbortSignal;
}

/** PyTorch's step; or why there is none. `LORA_SWEEP_PYTHON` names an interpreter. */
export async function timePeer(size: Size, asking: Asking): Promise<Peer | {missing: string}> {
  const asked = process.env['LORA_SWEEP_PYTHON'];
  const reasons: string[] = [];
  for (const python of asked ? [asked] : ['python3', 'python']) {
    const found = await ask(python, size, asking);
    if ('torch' in found) return found;
    reasons.push(found.missing);
  }
  return {missing: reasons[0]!};
}

function ask(python: string, size: Size, {timing, seconds, signal}: Asking): Promise<Peer | {missing: string}> {
  const job = JSON.stringify({...size, seconds: timing});
  return new Promise(resolve => {
    const child = execFile(python, ['-c', program, job], {signal, killSignal: 'SIGKILL'}, (error, out, errors) => {
      const last = out.trim().split('\n').at(-1) ?? '';
      if (error === null) return resolve(JSON.parse(last) as Peer);
      const isAbsent = 'code' in error && error.code === 'ENOENT';
      const said = errors.trim().split('\n').at(-1)?.slice(0, 200);
      resolve({missing: isAbsent ? `there is no ${python}` : said || `${python} gave no answer`});
    });
    void endAfter(seconds, child);
  });
}
