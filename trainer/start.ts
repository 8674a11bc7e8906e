/** The starting point of a trial: factors drawn, factorised from the weights, or taken from an adapter folder. */
import {SweepError} from '../core/error.ts';
import type {Trial} from '../core/sweep/sweep.ts';
import {random} from './math/random.ts';
import {bottomTriplets, randomizedTriplets, type Triplets, topTriplets} from './math/svd.ts';
import {methods} from './method/index.ts';
import {fill, layoutOf} from './method/layout.ts';
import type {Site, Start} from './method/method.ts';
import {readTensor} from './model/safetensors.ts';
import type {WeightIndex} from './model/weights.ts';
import {readAdapter} from './store/adapter.ts';
import {cachedTriplets} from './store/factors.ts';

export interface StartSettings {
  weights: Pick<WeightIndex, 'tensors'>;
  sites: Site[];
  /** Power iterations of the randomised factorisation; absent = the exact one. */
  iterations?: number;
  /** A PEFT adapter folder to start from. */
  startFrom?: string;
  /** Hears what is worth a line in the log. */
  note?(message: string): void;
}

/** The flat starting parameters of one trial, in the layout of its method. */
export async function startingParameters(trial: Trial, settings: StartSettings): Promise<Float32Array> {
  const {sites, startFrom} = settings;
  const method = methods[trial.method];
  const layout = layoutOf(sites, trial.rank, method);
  const vector = new Float32Array(layout.size);
  const scale = trial.alpha / trial.rank;
  const adapter = startFrom === undefined ? undefined : readAdapter(startFrom).factors;
  const starts = new Map<string, Start & {magnitude?: Float32Array}>();
  for (const site of sites) {
    const given = adapter?.get(site.name);
    if (adapter && !given)
      throw new SweepError(
        'bad-data',
        `The adapter ${startFrom} has no factors for ${site.name}; start_from needs one for every target.`,
      );
    if (given && (given.rank !== trial.rank || given.inputs !== site.inputs || given.outputs !== site.outputs))
      throw new SweepError(
        'bad-data',
        `The adapter ${startFrom} has rank ${given.rank} and ${given.outputs} × ${given.inputs} at ${site.name}, but the trial needs rank ${trial.rank} and ${site.outputs} × ${site.inputs}.`,
      );
    const start = given ?? (await drawn(trial, site, settings));
    const magnitude = method.magnitude
      ? (given?.magnitude ?? rowNorms(weightOf(settings, site), start, site, trial.rank, scale))
      : undefined;
    starts.set(site.name, {A: start.A, B: start.B, ...(magnitude ? {magnitude} : {})});
  }
  fill(vector, layout, starts);
  return vector;
}

function drawn(trial: Trial, site: Site, settings: StartSettings): Promise<Start> {
  return methods[trial.method].init({
    site,
    rank: trial.rank,
    scale: trial.alpha / trial.rank,
    random: random(trial.seed, 'adapter', site.name),
    weight: () => weightOf(settings, site),
    triplets: end => tripletsOf(settings, site, end, trial.rank),
  });
}

function weightOf({weights}: Pick<StartSettings, 'weights'>, site: Site): Float32Array {
  return readTensor(weights.tensors.get(`${site.name}.weight`)!);
}

/** Singular triplets of one end of a weight's spectrum, from the cache where it has them. */
export async function tripletsOf(
  settings: Pick<StartSettings, 'weights' | 'iterations' | 'note'>,
  site: Site,
  end: 'top' | 'bottom',
  rank: number,
): Promise<Triplets> {
  const {iterations} = settings;
  const weight = weightOf(settings, site);
  const randomized = end === 'top' && iterations !== undefined;
  const key = {
    weight,
    rows: site.outputs,
    cols: site.inputs,
    end: randomized ? ('randomised' as const) : end,
    rank,
    ...(randomized ? {iterations, seed: 0} : {}),
  };
  const {triplets, note} = await cachedTriplets(key, () => {
    if (randomized)
      return randomizedTriplets(weight, site.outputs, site.inputs, rank, iterations, random(0, site.name));
    return (end === 'top' ? topTriplets : bottomTriplets)(weight, site.outputs, site.inputs, rank);
  });
  if (note !== undefined) settings.note?.(note);
  return triplets;
}

/** ‖W + s·B·A‖ per output row, in double precision. */
function rowNorms(W: Float32Array, {A, B}: Start, {inputs, outputs}: Site, rank: number, scale: number): Float32Array {
  return Float32Array.from({length: outputs}, (_, row) => {
    let sum = 0;
    for (let column = 0; column < inputs; column++) {
      let value = W[row * inputs + column]!;
      for (let i = 0; i < rank; i++) value += scale * B[row * rank + i]! * A[i * inputs + column]!;
      sum += value * value;
    }
    return Math.sqrt(sum);
  });
}
