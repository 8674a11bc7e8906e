"""transformers' generate (and PEFT) as a contender of the generation benchmark: one turn continues all prompts greedily."""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

job = json.loads(sys.argv[1])
torch.set_num_threads(job["threads"])
model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32).eval()
# All prompts get all their new tokens, as in the other contenders.
model.generation_config.eos_token_id = None
if "adapter" in job:
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, job["adapter"]).eval()
prompts = torch.tensor(job["prompts"])


@torch.inference_mode()
def turn():
    ids = model.generate(
        input_ids=prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=job["newTokens"],
        do_sample=False,
        pad_token_id=0,
    )
    return ids[:, prompts.shape[1] :]


turn()
print(json.dumps({"ready": True, "loss": turn().double().mean().item()}), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        turn()
        times.append(1000 * (time.perf_counter() - start))
    print(json.dumps({"ms": times}), flush=True)
