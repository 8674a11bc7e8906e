"""transformers' logits for texts: {"model", "texts": token ids, "from": first positions, "logits": file to write} as JSON in a file.

Writes float32 [text][position from its first one to the last but one][vocabulary]: what each next token was chosen from.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM

with open(sys.argv[1]) as file:
    question = json.load(file)
model = AutoModelForCausalLM.from_pretrained(question["model"], dtype=torch.float32).eval()
with torch.inference_mode(), open(question["logits"], "wb") as file:
    for text, first in zip(question["texts"], question["from"]):
        logits = model(torch.tensor([text])).logits[0, first:-1]
        file.write(logits.contiguous().numpy().tobytes())
