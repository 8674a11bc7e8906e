/** The linear layers that can have an adapter: which there are, where they lie, and how large they are. */
import {SweepError} from '../../core/error.ts';
import {allProjections, type Projection, siteOf} from './projections.ts';
import type {Site} from './site.ts';
import type {WeightIndex} from './weights.ts';

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
      sites.push({name, inputs, outputs, ...(tensors.has(`${name}.bias`) ? {biased: true} : {})});
    }
  return sites;
}
