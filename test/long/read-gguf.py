"""What the Python package gguf reads of a file, as JSON: `read-gguf.py FILE FOLDER`, where FOLDER is the model that it was made of."""
import json
import re
import sys

import numpy as np
from gguf import GGUFReader
from gguf.constants import MODEL_ARCH
from gguf.tensor_mapping import get_tensor_name_map
from safetensors.numpy import load_file

file, folder = sys.argv[1:]
reader = GGUFReader(file)
config = json.load(open(f"{folder}/config.json"))
text = lambda key: bytes(reader.fields[key].parts[reader.fields[key].data[0]]).decode()
architecture = text("general.architecture")
names = get_tensor_name_map(MODEL_ARCH[architecture.upper()], config["num_hidden_layers"])


def permuted(weights, heads):
    """llama.cpp's own turn of q and k (convert_hf_to_gguf.py, LlamaModel.permute)."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


expected = {}
for name, weights in load_file(f"{folder}/model.safetensors").items():
    if architecture == "llama":
        heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
        for part, count in heads.items():
            if re.search(rf"{part}\.", name):
                weights = permuted(weights, count)
    expected[names.get_name(name, try_suffixes=(".weight", ".bias"))] = weights
found = {tensor.name: tensor.data for tensor in reader.tensors}
json.dump(
    {
        "architecture": architecture,
        "names": sorted(set(found) ^ set(expected)),
        "unequal": [
            name
            for name, weights in expected.items()
            if name in found and not np.array_equal(np.asarray(found[name], np.float32).reshape(weights.shape), weights)
        ],
        "types": sorted({tensor.tensor_type.name for tensor in reader.tensors}),
        "tensors": len(found),
        "tokens": len(reader.fields["tokenizer.ggml.tokens"].data),
        "pre": text("tokenizer.ggml.pre"),
    },
    sys.stdout,
)
