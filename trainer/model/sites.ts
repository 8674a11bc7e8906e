/** The linear layers that can have an adapter: which there are, where they lie, and how large they are. */
import {SweepError} from '../../core/error.ts';
import type {Form, Method, Site} from '../method/method.ts';
import type {WeightIndex} from './weights.ts';

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

/**
 * The adapted projections of a model: those named in `targets` in every layer.
 * @throws SweepError `unknown-target`
 */
export function sitesOf(layers: number, targets: 'all' | string[], {tensors}: Pick<WeightIndex, 'tensors'>): Site[] {
  const present = allProjections.filter(name => tensors.has(`${siteOf(0, name)}.weight`));
  const wanted = (name: Projection) => targets === 'all' || targets.includes(name);
  const unknown = targets === 'all' ? [] : targets.filter(name => !present.some(known => known === name));
  if (unknown.length > 0)
    throw new SweepError(
      'unknown-target',
      `The model has no projection ${unknown[0]}; targets are ${present.join(', ')}, or all.`,
    );
  const sites: Site[] = [];
  for (let layer = 0; layer < layers; layer++)
    for (const projection of present.filter(wanted)) {
      const name = siteOf(layer, projection);
      const [outputs, inputs] = tensors.get(`${name}.weight`)!.shape as [number, number];
      sites.push({name, inputs, outputs});
    }
  return sites;
}

/**
 * Whether a method of this form can adapt all of these projections.
 * @throws SweepError `rank-too-large`, `bad-blocks`
 */
export function checkSites(sites: readonly Site[], method: Method, form: Form): void {
  for (const site of sites) {
    const obstacle = method.obstacle(site, form);
    if (obstacle)
      throw new SweepError(obstacle.code, `${site.name} (${site.outputs} × ${site.inputs}) ${obstacle.why}.`);
  }
}
