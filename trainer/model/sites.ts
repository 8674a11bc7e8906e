/** The linear layers that can have an adapter: which there are, where they lie, and how large they are. */
import {SweepError} from '../../core/error.ts';
import type {Obstacle} from '../../core/method/method.ts';
import type {Form} from '../method/form.ts';
import type {Method, Site} from '../method/method.ts';
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
  const obstacle = strictest(sites, method, form);
  if (!obstacle) return;
  const {code, site, why} = obstacle;
  throw new SweepError(code, `${site.name} (${site.outputs} × ${site.inputs}) ${why}.`);
}

/** What keeps a method from adapting all of these projections: of ranks that are too large the one that allows least. */
export function strictest(
  sites: readonly Site[],
  method: Pick<Method, 'obstacle'>,
  form: Form,
): (Obstacle & {site: Site}) | undefined {
  const obstacles = sites.flatMap(site => {
    const obstacle = method.obstacle(site, form);
    return obstacle ? [{...obstacle, site}] : [];
  });
  const least = Math.min(...obstacles.map(({most = 0}) => most));
  return obstacles.find(({most = 0}) => most === least);
}
