"""What transformers says to each prompt alone: {"model", "prompts", "newTokens", "logits": file to write} as JSON in a file.

Prints {"ids": [prompt][step], "gaps": [prompt][step]}, the gap being that between the two largest logits, and writes the
logits of every step as float32 [prompt][step][vocabulary].
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM

with open(sys.argv[1]) as file:
    question = json.load(file)
model = AutoModelForCausalLM.from_pretrained(question["model"], dtype=torch.float32).eval()
model.generation_config.eos_token_id = None
ids, gaps = [], []
with torch.inference_mode(), open(question["logits"], "wb") as file:
    for prompt in question["prompts"]:
        tokens = torch.tensor([prompt])
        answer = model.generate(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=question["newTokens"],
            do_sample=False,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        logits = torch.cat(answer.logits)
        top = logits.topk(2).values
        ids.append(answer.sequences[0, len(prompt) :].tolist())
        gaps.append((top[:, 0] - top[:, 1]).tolist())
        file.write(logits.float().contiguous().numpy().tobytes())
print(json.dumps({"ids": ids, "gaps": gaps}))
