"""
The other side of the long tests: transformers and PEFT. Every line in is a question, JSON with `task`; every answer is a line of JSON.

  logits   {model, adapter?, ids, out}                            float32 logits of all positions into the file `out`
  adapter  {model, method, rank, alpha, noise, folder, ids, out}  an adapter of PEFT's own, moved from its start by `noise`,
                                                                  saved for the unchanged base; logits as above.
                                                                  {"absent": true} where PEFT has no such method
  train    {model, start, residual, rank, alpha, batches, rates}  {"losses"}: AdamW, clipping at 1; `start`: factors in PEFT's
                                                                  names; `residual`: they are taken out of the base
"""

import json
import sys
import tempfile

import peft
import torch
import transformers
from safetensors.torch import load_file

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


def base_model(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


@torch.no_grad()
def write_logits(model, ids, out):
    model.eval()
    model(torch.tensor(ids), use_cache=False).logits.float().numpy().tofile(out)


def logits(model, ids, out, adapter=None):
    network = base_model(model)
    if adapter is not None:
        network = peft.PeftModel.from_pretrained(network, adapter)
    write_logits(network, ids, out)
    return {}


def config_of(method, rank, alpha):
    plain = {"r": rank, "lora_alpha": alpha, "target_modules": "all-linear"}
    everywhere = {"target_modules": "all-linear"}
    makers = {
        "lora": lambda: peft.LoraConfig(**plain),
        "lora-fa": lambda: peft.LoraConfig(**plain),
        "loft": lambda: peft.LoraConfig(**plain),
        "rslora": lambda: peft.LoraConfig(**plain, use_rslora=True),
        "dora": lambda: peft.LoraConfig(**plain, use_dora=True),
        "pissa": lambda: peft.LoraConfig(**plain, init_lora_weights="pissa"),
        "olora": lambda: peft.LoraConfig(**plain, init_lora_weights="olora"),
        "vera": lambda: peft.VeraConfig(r=rank, **everywhere),
        "boft": lambda: peft.BOFTConfig(boft_block_size=4, **everywhere),
        "miss": lambda: peft.MissConfig(r=rank, **everywhere),
        "orthogonal": lambda: peft.LoraConfig(**plain, init_lora_weights="orthogonal"),
        "eva": lambda: peft.LoraConfig(**plain, init_lora_weights="eva"),
        "loha": lambda: peft.LoHaConfig(r=rank, alpha=alpha, **everywhere),
        "hira": lambda: peft.HiraConfig(r=rank, **everywhere),
        "lokr": lambda: peft.LoKrConfig(r=rank, alpha=alpha, decompose_factor=4, **everywhere),
        "ia3": lambda: peft.IA3Config(feedforward_modules=["down_proj"], **everywhere),
        "delora": lambda: peft.DeloraConfig(r=rank, **everywhere),
        "oft": lambda: peft.OFTConfig(oft_block_size=4, **everywhere),
        "adalora": lambda: peft.AdaLoraConfig(target_r=rank, init_r=(3 * rank + 1) // 2, lora_alpha=alpha, total_step=10, **everywhere),
        "vb-lora": lambda: peft.VBLoRAConfig(r=rank, num_vectors=12, vector_length=16, **everywhere),
        "gralora": lambda: peft.GraloraConfig(r=rank, alpha=alpha, gralora_k=2, **everywhere),
        "randlora": lambda: peft.RandLoraConfig(r=rank, randlora_alpha=alpha, **everywhere),
    }
    return makers[method]() if method in makers else None


def adapter(model, method, rank, alpha, noise, folder, ids, out):
    config = config_of(method, rank, alpha)
    if config is None:
        return {"absent": True}
    torch.manual_seed(7)
    network = peft.get_peft_model(base_model(model), config)
    with tempfile.TemporaryDirectory() as start:
        changes_base = method in ("pissa", "olora")
        if changes_base:
            # The start under a plain name: only then does PEFT convert against it.
            network.peft_config["default"].init_lora_weights = True
            network.save_pretrained(start)
            network.peft_config["default"].init_lora_weights = method
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.requires_grad:
                    parameter += noise * torch.randn_like(parameter)
        write_logits(network, ids, out)
        network.save_pretrained(folder, **({"path_initial_model_for_weight_conversion": start} if changes_base else {}))
    return {}


def train(model, start, residual, rank, alpha, batches, rates):
    network = base_model(model)
    factors = load_file(start)
    scale = alpha / rank
    if residual:
        weights = dict(network.named_parameters())
        for name, A in factors.items():
            if name.endswith(".lora_A.weight"):
                path = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
                B = factors[name.replace("lora_A", "lora_B")]
                weights[f"{path}.weight"].data -= scale * (B.double() @ A.double()).float()
    network.config.use_cache = False
    network = peft.get_peft_model(network, peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear"))
    own = {name.replace(".default", ""): p for name, p in network.named_parameters() if p.requires_grad}
    assert own.keys() == factors.keys(), (sorted(own)[:3], sorted(factors)[:3])
    for name, parameter in own.items():
        parameter.data.copy_(factors[name])
    network.train()
    optimizer = torch.optim.AdamW(own.values(), lr=0.0, weight_decay=0.0)
    losses = []
    for batch, rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        found = network(torch.tensor(batch["ids"])).logits.flatten(0, 1)[torch.tensor(batch["positions"])]
        each = torch.nn.functional.cross_entropy(found, torch.tensor(batch["targets"]), reduction="none")
        loss = (each * torch.tensor(batch["weights"])).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(own.values(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses}


tasks = {"logits": logits, "adapter": adapter, "train": train}
for line in sys.stdin:
    settings = json.loads(line)
    print(json.dumps(tasks[settings.pop("task")](**settings)), flush=True)
