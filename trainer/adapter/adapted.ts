/** A base model with an adapter folder on it: what generation, evaluation and export have in common. */
import * as tf from '@tensorflow/tfjs-core';
import {SweepError} from '../../core/error.ts';
import type {Shapes} from '../../core/method/method.ts';
import {commonShapes} from '../adaptation/layout.ts';
import type {Parts} from '../method/form.ts';
import {methods} from '../method/index.ts';
import {frozenProjection, type Model, type Passes, withBias} from '../model/decoder.ts';
import type {BaseModel} from '../model/open-model.ts';
import type {Site} from '../model/site.ts';
import {sitesOf} from '../model/sites.ts';
import {checkCopies} from './copies.ts';
import {type Adapter, readAdapter} from './write-adapter.ts';

/**
 * An adapter that gives its trained model on this base.
 * @throws SweepError `missing-file`, `bad-adapter` (also: it belongs to another base)
 */
export function openAdapter(folder: string, {config, weights}: BaseModel): Adapter {
  const adapter = readAdapter(folder);
  const refused = (why: string) => new SweepError('bad-adapter', `The adapter ${folder} ${why}.`, {folder});
  if (adapter.residualOf !== null && !adapter.start)
    throw refused(
      `belongs to a base that ${adapter.residualOf} changed, and does not say how; convert it to a plain LoRA with PEFT first`,
    );
  checkFit(folder, adapter, {config, weights});
  return adapter;
}

/**
 * Whether an adapter belongs to a model.
 * @throws SweepError `bad-adapter`
 */
export function checkFit(
  folder: string,
  adapter: Adapter,
  {config, weights}: Pick<BaseModel, 'config' | 'weights'>,
): void {
  const {method, forms, shared, sharedShapes} = adapter;
  checkCopies(folder, adapter, {config, weights});
  const sites = sitesOf(config.layers.length, 'all', weights);
  const refused = (why: string) => new SweepError('bad-adapter', `The adapter ${folder} ${why}.`, {folder});
  const known = new Map(sites.map(site => [site.name, site]));
  const list = (shape: readonly number[] | undefined) => `[${shape?.join(', ')}]`;
  const adapted: Site[] = [];
  for (const [name, {form, shapes}] of forms) {
    const site = known.get(name);
    if (/(^|\.)(lm_head|embed_tokens)$/.test(name))
      throw refused(
        `trains ${name}; adapters of the output head and of embeddings are not supported, only those of the layers' projections`,
      );
    if (!site) throw refused(`trains ${name}, which is no projection of this model; take the model it was trained on`);
    const expected = methods[method].shapes(site, form);
    const wrong = Object.keys(expected).find(part => String(shapes[part]) !== String(expected[part]));
    if (wrong)
      throw refused(
        `has ${wrong} ${list(shapes[wrong])} at ${name}, but this model, where it is ${site.outputs} × ${site.inputs}, needs ${list(expected[wrong])}; take the model it was trained on`,
      );
    // Of its kind, not of its size: whatever rank an adapter has, it computes.
    const obstacle = methods[method].obstacle(site, form);
    if (obstacle?.key === 'targets') throw refused(`trains ${name}, which ${obstacle.why}`);
    adapted.push(site);
  }
  const {form} = [...forms.values()][0]!;
  for (const [part, shape] of Object.entries(commonShapes(adapted, methods[method], form)))
    if (!shared[part] || sharedShapes[part]!.some((size, axis) => size < shape[axis]!))
      throw refused(
        `has shared ${part} ${list(sharedShapes[part])}, but its projections need ${list(shape)}; take the model it was trained on`,
      );
}

/** The adapted projection of x [1, rows, inputs], without the bias; undefined where the adapter leaves the site alone. */
export function applyAdapter(
  {macros, weight}: Pick<Model, 'macros' | 'weight'>,
  {method, factors, forms, shared, sharedShapes, start}: Adapter,
  site: string,
  x: tf.Tensor,
): tf.Tensor | undefined {
  const own = factors.get(site);
  if (!own) return undefined;
  const {form, shapes} = forms.get(site)!;
  const before = start?.get(site);
  const tensors = {
    own: constants(own, shapes),
    shared: constants(shared, sharedShapes),
    ...(before ? {start: constants(before, shapes)} : {}),
  };
  return methods[method].apply(macros, x, weight(`${site}.weight`), tensors, form);
}

/** Values as tensors of one trial. */
function constants(parts: Parts, shapes: Shapes): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(parts).map(([part, values]) => [part, tf.tensor(values, [1, ...shapes[part]!])]),
  );
}

/** The projections of a model with an adapter's factors, which are constants here; the base's own without one. */
export function adaptedProjection(model: Model, adapter?: Adapter): Passes['project'] {
  const frozen = frozenProjection(model);
  if (!adapter) return frozen;
  return (site, x) => {
    const y = applyAdapter(model, adapter, site, x);
    return y ? withBias(model.config, model.weight, site, y) : frozen(site, x);
  };
}
