"""Product rates of PyTorch on one thread. argv: shapes [[m, k, n], ...] as JSON, float32 or bfloat16. Prints GFLOPS, a median each, as JSON."""

import json
import statistics
import sys
import time

import torch

torch.set_num_threads(1)
dtype = getattr(torch, sys.argv[2])
rates = []
for m, k, n in json.loads(sys.argv[1]):
    a, b = torch.randn(m, k, dtype=dtype), torch.randn(k, n, dtype=dtype)
    operations = 2 * m * k * n
    repeats = max(1, int(4e9 / operations))
    a @ b
    samples = []
    for _ in range(7):
        begin = time.perf_counter()
        for _ in range(repeats):
            a @ b
        samples.append(operations * repeats / (time.perf_counter() - begin) / 1e9)
    rates.append(statistics.median(samples))
print(json.dumps(rates))
