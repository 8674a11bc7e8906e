/** The linear layers that can have an adapter: which there are, where they lie, and how large they are. */
import {SweepError} from '../../core/error.ts';
import type {Site} from '../method/method.ts';
import type {WeightIndex} from './weights.ts';

/** The seven adaptable projections of a layer, in the order of their use. */
export const projections = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
export type Projection = (typeof projections)[number];

/** Where a projection lives, e.g. `model.layers.3.mlp.up_proj`. */
export function siteOf(layer: number, projection: Projection): string {
  const block = projection[1] === '_' ? 'self_attn' : 'mlp';
  return `model.layers.${layer}.${block}.${projection}`;
}

/** The adapted projections of a model: those named in `targets` in every layer. */
export function sitesOf(layers: number, targets: 'all' | string[], {tensors}: Pick<WeightIndex, 'tensors'>): Site[] {
  const wanted = (name: Projection) => targets === 'all' || targets.includes(name);
  const unknown = targets === 'all' ? [] : targets.filter(name => !projections.some(known => known === name));
  if (unknown.length > 0)
    throw new SweepError(
      'unknown-target',
      `The model has no projection ${unknown[0]}; targets are ${projections.join(', ')}, or all.`,
    );
  const sites: Site[] = [];
  for (let layer = 0; layer < layers; layer++)
    for (const projection of projections.filter(wanted)) {
      const name = siteOf(layer, projection);
      const [outputs, inputs] = tensors.get(`${name}.weight`)!.shape as [number, number];
      sites.push({name, inputs, outputs});
    }
  return sites;
}

/** The largest rank every adapted projection can have. */
export function checkRank(sites: Site[], rank: number): void {
  const narrow = sites.find(site => Math.min(site.inputs, site.outputs) < rank);
  if (narrow)
    throw new SweepError(
      'rank-too-large',
      `Rank ${rank} is larger than ${narrow.name} (${narrow.outputs} × ${narrow.inputs}) allows; use a rank of at most ${Math.min(narrow.inputs, narrow.outputs)}.`,
    );
}
