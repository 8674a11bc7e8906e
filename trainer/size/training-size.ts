/** How large the trainings of a sweep are, whoever asks: the run itself, `plan`, or the look around a sweep file. */
import type {AdapterMethodName} from '../../core/method/methods.ts';
import {trainedParameters} from '../../core/method/parameters.ts';
import type {Pinned} from '../../core/run/events.ts';
import type {Sweep, TrainingSettings} from '../../core/sweep/sweep.ts';
import {sharedLayout, trainedLayout} from '../adaptation/layout.ts';
import type {BatchShape} from '../data/shapes.ts';
import type {Precision} from '../engine/program/precision.ts';
import type {Form} from '../method/form.ts';
import {formOf, methods, startsFromGradients, startsFromReadings} from '../method/index.ts';
import type {ModelConfig} from '../model/config.ts';
import type {Site} from '../model/site.ts';
import {type WeightIndex, weightCount} from '../model/weights.ts';
import type {EvaluationMemory} from './activations.ts';
import {adaptedBytes, type DeviceRoom, microBatchFor, partOf, recomputes, type TrainingSize} from './memory.ts';

/** Adapted weights up to this many bytes are merged with their updates at each step; larger ones stay as they are. */
const mergeLimit = 128e6;

/** Bytes of what projections read that a start from them (EVA, CorDA) may hold at a time; beyond these rows are read again. */
export const readingBytes = 256e6;

/** What the largest training of a sweep keeps, whatever its batches are. `native`: the precision of the native engine, where that computes. */
export function sizeOfTraining(
  {methods: settings, training}: Pick<Sweep, 'methods' | 'training'>,
  {config, weights}: {config: ModelConfig; weights: Pick<WeightIndex, 'tensors'>},
  sites: readonly Site[],
  evaluating: EvaluationMemory,
  native?: Precision,
): Omit<TrainingSize, 'recompute'> {
  const parameters = settings.flatMap(({method, ranks, options}) =>
    ranks.map(rank => trainedParameters({method, rank, ...(options ? {options} : {})}, sites, weightCount(config))),
  );
  return {
    ...{config, weights, sites, evaluating},
    rank: Math.max(...settings.flatMap(({ranks}) => ranks)),
    merged: adaptedBytes(sites) <= mergeLimit,
    dropout: training.dropout > 0,
    parameters: Math.max(...parameters),
    native,
    shared: sharedNumbers(settings, sites),
    // Gradients stay for the trials to come, and as the last batch gave them until the garbage is collected; readings as well.
    starting: Math.max(
      settings.some(({method}) => startsFromGradients(method)) ? 2 * adaptedBytes(sites) : 0,
      settings.some(({method}) => startsFromReadings(method)) ? 3 * readingBytes : 0,
    ),
  };
}

/** What computes: so many workers side by side, or a GPU. */
export interface Room {
  workers: number;
  device?: DeviceRoom | undefined;
  /** What is settled already, so that it is the same on every machine of a run. */
  pinned?: Pick<Pinned, 'microBatch' | 'recompute'> | undefined;
}

/** The size with its decision whether layers are computed again. `wholes`: shapes of whole batches by batch size. */
export function withRecompute(
  size: Omit<TrainingSize, 'recompute'>,
  {training, run}: Pick<Sweep, 'training' | 'run'>,
  wholes: ReadonlyMap<number, readonly BatchShape[]>,
  {workers, device, pinned}: Room,
): TrainingSize {
  if (pinned) return {...size, recompute: pinned.recompute};
  const {checkpoint, microBatch} = training;
  const asked = [...wholes].map(([batchSize, whole]) =>
    microBatch === 'auto' || microBatch >= batchSize ? whole : whole.map(step => partOf(step, microBatch)),
  );
  const trials = run.pack === 'auto' ? 1 : run.pack;
  return {...size, recompute: recomputes(checkpoint, size, asked, {workers, trials}, device)};
}

/** Rows of a batch that are computed at a time: as the sweep file says, or as many as fit. */
export function rowsAtATime(
  size: TrainingSize,
  {microBatch}: Pick<TrainingSettings, 'microBatch'>,
  batchSize: number,
  whole: readonly BatchShape[],
  {workers, device, pinned}: Room,
): number {
  const settled = pinned?.microBatch[String(batchSize)];
  if (settled !== undefined) return settled;
  return microBatch === 'auto' ? microBatchFor(size, whole, workers, device) : Math.min(microBatch, batchSize);
}

/**
 * Numbers that LoFT keeps beside the two moments that are counted already, and those of its largest matrix on the way: the outer products of the other
 * factor's rows, and the whole update with its denominator.
 */
function turnNumbers(method: AdapterMethodName, sites: readonly Site[], trained: number, form: Form): number {
  const {kept} = methods[method];
  if (!kept) return 0;
  const largest = Math.max(
    0,
    ...sites.map(({inputs, outputs}) => form.rank ** 2 * Math.max(inputs, outputs) + 3 * inputs * outputs),
  );
  return (kept(form) - 2) * trained + largest;
}

/** Numbers beside the trained ones, of the method that has most: what all sites of a trial share, and what each keeps as it starts, read and written. */
export function sharedNumbers(
  settings: readonly Pick<Sweep['methods'][number], 'method' | 'ranks' | 'options'>[],
  sites: readonly Site[],
): number {
  const sizes = settings.flatMap(({method, ranks, options}) =>
    method === 'full'
      ? []
      : ranks.map(rank => {
          const form = formOf({method, rank, alpha: rank, ...(options ? {options} : {})});
          const {size, trained} = trainedLayout(sites, methods[method], form);
          // Importance and how it varies, read and written.
          const shares = methods[method].allocates ? 4 * trained : 2 * turnNumbers(method, sites, trained, form);
          // The factors' products, the weight with them, and its gradient, where they are formed as a whole.
          const whole = sites.reduce((sum, site) => sum + 3 * (methods[method].work(site, form).whole ?? 0), 0);
          return sharedLayout(sites, methods[method], form).size + 2 * (size - trained) + shares + whole;
        }),
  );
  return Math.max(0, ...sizes);
}
