/** The adaptable projections of a layer, in the order of their use; families with fused ones have those instead. */
const blockOf = {
  qkv_proj: 'self_attn',
  q_proj: 'self_attn',
  k_proj: 'self_attn',
  v_proj: 'self_attn',
  o_proj: 'self_attn',
  gate_up_proj: 'mlp',
  gate_proj: 'mlp',
  up_proj: 'mlp',
  down_proj: 'mlp',
  input_linear: 'shared_mlp',
  output_linear: 'shared_mlp',
} as const;

export type Projection = keyof typeof blockOf;

/** Those of any family, in the order of their use. */
export const allProjections = Object.keys(blockOf) as Projection[];

/** The seven of most families. */
export const projections = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

/** Where a projection lives, e.g. `model.layers.3.mlp.up_proj`. */
export function siteOf(layer: number, projection: Projection): string {
  return `model.layers.${layer}.${blockOf[projection]}.${projection}`;
}

/** Name of the input of a projection; q, k and v share theirs, gate and up too. */
export function inputOf(projection: Projection): string {
  if (projection === 'k_proj' || projection === 'v_proj') return 'q_proj.input';
  return projection === 'up_proj' ? 'gate_proj.input' : `${projection}.input`;
}
