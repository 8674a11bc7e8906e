/** The starting point of a trial: factors drawn, factorised from the weights, or taken from an adapter folder. */
import {SweepError} from '../../core/error.ts';
import type {AdapterMethodName} from '../../core/method/methods.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {weightVector} from '../adaptation/full.ts';
import {fill, type Layout, sharedLayout, trainedLayout} from '../adaptation/layout.ts';
import {checkCopies} from '../adapter/copies.ts';
import {kindOf} from '../adapter/peft-formats.ts';
import {type Adapter, readAdapter} from '../adapter/write-adapter.ts';
import {random} from '../math/random.ts';
import type {Triplets} from '../math/triplets.ts';
import type {Parts} from '../method/form.ts';
import {formOf, methods} from '../method/index.ts';
import type {InitContext} from '../method/method.ts';
import type {Site} from '../model/site.ts';
import {readTensor} from '../weights/safetensors.ts';
import {endOf, type FactorOptions, randomisedTop} from './factors.ts';
import {componentsAt, covarianceAt} from './inputs.ts';
import type {StartSettings} from './start-settings.ts';
import type {PackStart} from './step.ts';
import {firstGradients} from './weight-gradients.ts';

/** The flat starting parameters of one trial, in the layout of its method, and what its sites share. */
export async function startingParameters(trial: Trial, settings: StartSettings): Promise<PackStart> {
  const {method: name} = trial;
  if (name === 'full') return {parameters: weightVector(settings.config, settings.weights)};
  const {sites, startFrom} = settings;
  const method = methods[name];
  const form = formOf(trial);
  const adapter = startFrom === undefined ? undefined : startingAdapter(startFrom, name);
  if (adapter) checkCopies(startFrom!, adapter, settings);
  const parts = new Map<string, Parts>();
  for (const site of sites) {
    const shapes = method.shapes(site, form);
    const given = adapter && partsAt(adapter, startFrom!, site, shapes, trial);
    const complete = given && Object.keys(shapes).every(part => given[part]);
    parts.set(site.name, complete ? given : await method.init(contextOf(trial, site, settings, given)));
  }
  const ofModel = method.common?.(form);
  if (ofModel)
    parts.set('', adapter ? sharedFrom(adapter, startFrom!, ofModel) : method.draw!(ofModel, form, trial.seed));
  const shared = sharedLayout(settings.allSites ?? sites, method, form);
  const parameters = filled(trainedLayout(sites, method, form), parts);
  if (shared.size === 0) return {parameters};
  const shapes = Object.fromEntries(shared.pieces.map(({part, shape}) => [part, shape]));
  const common = adapter ? sharedFrom(adapter, startFrom!, shapes) : method.draw!(shapes, form, trial.seed);
  return {parameters, shared: filled(shared, new Map([['', common]]))};
}

function filled(layout: Layout, parts: ReadonlyMap<string, Parts>): Float32Array {
  const vector = new Float32Array(layout.size);
  fill(vector, layout, parts);
  return vector;
}

/**
 * An adapter of a kind that the method's tensors can be taken from.
 * @throws SweepError those of readAdapter, `bad-data`
 */
export function startingAdapter(folder: string, method: AdapterMethodName): Adapter {
  const adapter = readAdapter(folder);
  const wanted = kindOf(method);
  const lowRank = (kind: string) => kind === 'lora' || kind === 'dora';
  if (adapter.method !== wanted && !(lowRank(adapter.method) && lowRank(wanted)))
    throw new SweepError(
      'bad-data',
      `The adapter ${folder} is a ${adapter.method} adapter, which ${method} cannot start from; give it one of its own kind.`,
    );
  return adapter;
}

/** What the adapter has for a site; of a DoRA the magnitude may be missing. */
function partsAt(adapter: Adapter, folder: string, site: Site, shapes: Record<string, number[]>, trial: Trial): Parts {
  const given = adapter.factors.get(site.name);
  const own = adapter.forms.get(site.name);
  if (!given || !own)
    throw new SweepError(
      'bad-data',
      `The adapter ${folder} has no factors for ${site.name}; start_from needs one for every target.`,
    );
  const wrong = Object.keys(shapes).find(part => given[part] && String(own.shapes[part]) !== String(shapes[part]));
  if (wrong !== undefined)
    throw new SweepError(
      'bad-data',
      `The adapter ${folder} has ${wrong} [${own.shapes[wrong]!.join(', ')}] at ${site.name}, but the trial, with rank ${trial.rank} on ${site.outputs} × ${site.inputs}, needs [${shapes[wrong]!.join(', ')}].`,
    );
  return given;
}

/** The frozen tensors of an adapter, cut to what the sites need. */
function sharedFrom(adapter: Adapter, folder: string, shapes: Record<string, number[]>): Parts {
  const wrong = Object.entries(shapes).find(([part, shape]) => String(adapter.sharedShapes[part]) !== String(shape));
  if (wrong === undefined) return adapter.shared;
  const [part, shape] = wrong;
  throw new SweepError(
    'bad-data',
    `The adapter ${folder} has shared ${part} [${adapter.sharedShapes[part]?.join(', ')}], but these targets need [${shape.join(', ')}]; start from an adapter of the same targets.`,
  );
}

function contextOf(trial: Trial, site: Site, settings: StartSettings, given?: Parts): InitContext {
  return {
    site,
    form: formOf(trial),
    random: random(trial.seed, 'adapter', site.name),
    ...(given ? {given} : {}),
    weight: () => weightOf(settings, site),
    triplets: end => tripletsOf(settings, site, end, trial.rank),
    tripletsFrom: (matrix, end) => tripletsFrom(settings, matrix, site, end, trial.rank),
    components: () => componentsAt(trial, settings, site),
    covariance: () => covarianceAt(trial, settings, site),
    gradientTriplets: count => gradientTripletsOf(trial, settings, site, count),
  };
}

/** The first singular triplets of the gradient that a site starts from. */
export async function gradientTripletsOf(
  trial: Trial,
  settings: StartSettings,
  site: Site,
  count: number,
): Promise<Triplets> {
  const gradient = (await firstGradients(trial, settings)).get(site.name)!;
  return tripletsFrom(settings, gradient, site, 'top', count);
}

/** The first or last singular triplets of a matrix shaped as a site's weight. */
function tripletsFrom(
  settings: FactorOptions,
  matrix: Float32Array,
  {outputs: rows, inputs: cols}: Site,
  end: 'top' | 'bottom',
  rank: number,
): Promise<Triplets> {
  return endOf({weight: matrix, rows, cols, end, rank}, settings);
}

function weightOf({weights}: Pick<StartSettings, 'weights'>, site: Site): Float32Array {
  return readTensor(weights.tensors.get(`${site.name}.weight`)!);
}

/** Singular triplets of one end of a weight's spectrum, from the cache where it has them. */
export async function tripletsOf(
  {weights, iterations, ...options}: Pick<StartSettings, 'weights' | 'iterations'> & FactorOptions,
  site: Site,
  end: 'top' | 'bottom',
  rank: number,
): Promise<Triplets> {
  const matrix = {weight: weightOf({weights}, site), rows: site.outputs, cols: site.inputs, rank};
  return end === 'top' && iterations !== undefined
    ? randomisedTop({...matrix, iterations, name: site.name}, options.note)
    : endOf({...matrix, end}, options);
}
