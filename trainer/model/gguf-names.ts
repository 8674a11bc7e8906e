/** What llama.cpp calls architectures and tensors, and what transformers calls them. */

export interface GgufNames {
  /** `model_type` of config.json. */
  family: string;
  /** Rows of q and k stand as pairs of a rotation side by side, not as two halves. */
  interleaved: boolean;
  /** Behind `blk.N.`, without `.weight` or `.bias` → behind `model.layers.N.`. */
  layer: Readonly<Record<string, string>>;
}

const layer = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** By `general.architecture`. Mistral's files say llama. */
export const ggufNames: Readonly<Record<string, GgufNames>> = {
  llama: {family: 'llama', interleaved: true, layer},
  qwen2: {family: 'qwen2', interleaved: false, layer},
  qwen3: {family: 'qwen3', interleaved: false, layer},
  smollm3: {family: 'smollm3', interleaved: true, layer},
  phi3: {
    family: 'phi3',
    interleaved: false,
    layer: {...layer, attn_qkv: 'self_attn.qkv_proj', ffn_up: 'mlp.gate_up_proj'},
  },
  gemma3: {
    family: 'gemma3_text',
    interleaved: false,
    layer: {
      ...layer,
      post_attention_norm: 'post_attention_layernorm',
      ffn_norm: 'pre_feedforward_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
    },
  },
};

const others: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
};

/** The name in transformers; null for what no decoder reads. */
export function nameOf(name: string, {layer: own}: Pick<GgufNames, 'layer'>): string | null {
  const [, block, part = '', kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const table = block === undefined ? others : own;
  if (!Object.hasOwn(table, part)) return null;
  return `${block === undefined ? '' : `model.layers.${block}.`}${table[part]}.${kind}`;
}
