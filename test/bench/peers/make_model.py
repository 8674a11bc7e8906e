"""Writes the random Llama of one benchmark size as a Hugging Face folder. argv: the sizes as JSON, the folder."""

import json
import sys

import torch
from transformers import LlamaConfig, LlamaForCausalLM

size, folder = json.loads(sys.argv[1]), sys.argv[2]
torch.manual_seed(1)
model = LlamaForCausalLM(
    LlamaConfig(
        vocab_size=size["vocabulary"],
        hidden_size=size["hidden"],
        intermediate_size=size["intermediate"],
        num_hidden_layers=size["layers"],
        num_attention_heads=size["heads"],
        num_key_value_heads=size["heads"],
        max_position_embeddings=size["tokens"],
        initializer_range=0.05,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
)
model.save_pretrained(folder)
