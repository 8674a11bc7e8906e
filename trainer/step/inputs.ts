/** What adapted projections read over rows of the training data: their inputs, which EVA and CorDA start from. */
import * as tf from '@tensorflow/tfjs-core';
import {SweepError} from '../../core/error.ts';
import {placesOf} from '../../core/method/each/starts/eva.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {extentOf} from '../data/batch.ts';
import type {Dataset} from '../data/dataset.ts';
import {paddedShapes, shapeName} from '../data/shapes.ts';
import {ignored} from '../data/token-row.ts';
import type {Engine, Program} from '../engine/program/engine.ts';
import {type Components, explained, withSamples} from '../math/incremental-components.ts';
import {causalAttention, frozenProjection, hidden, type Model} from '../model/decoder.ts';
import {inputOf, type Projection} from '../model/projections.ts';
import type {Site} from '../model/site.ts';
import {readingBytes} from '../size/training-size.ts';
import {sideBySide, type TrainingSource} from './batches.ts';
import type {StartSettings} from './start-settings.ts';
import {batchInputs, feeds, type PackBatch} from './step.ts';

/** Shapes that rows are padded to, at most. */
const mostShapes = 4;
/** Batches after which components that still turn are given up. */
const mostBatches = 1000;
/** Rows that a covariance is made of where the file says nothing, as PEFT advises. */
const usualRows = 256;

/** Name of what a projection reads: q, k and v of a layer read the same. */
export function readingOf({name}: Pick<Site, 'name'>): string {
  const end = name.lastIndexOf('.') + 1;
  return name.slice(0, end) + inputOf(name.slice(end) as Projection);
}

/** Results by the rows and settings they were made with; the last ones of an engine. */
class Known<Value> {
  readonly #last = new WeakMap<Engine, {key: string; value: Promise<Value>}>();

  get(engine: Engine, key: string, make: () => Promise<Value>): Promise<Value> {
    const last = this.#last.get(engine);
    if (last?.key === key) return last.value;
    const value = make();
    this.#last.set(engine, {key, value});
    return value;
  }
}

const knownComponents = new Known<{components: Map<string, Components>; ranks: Map<string, number>}>();
const knownCovariances = new Known<Map<string, Float64Array>>();

/** The settings of a start that needs rows, and where it computes. */
function rowsFor(trial: Trial, {programs, sources, sites: own, allSites: sites = own, config, weights}: StartSettings) {
  const source = sources?.[trial.batchSize];
  if (!programs || !source)
    throw new SweepError('bad-data', `${trial.id} starts from what projections read, which needs the training rows.`);
  return {engine: programs.engine, source, sites, config, weights};
}

/** Components of what a site reads, and how many of them it starts from. */
export interface SiteComponents extends Components {
  kept: number;
}

/**
 * The principal components of what a site reads at the target tokens, or at all tokens with `use_label_mask` 0: over batches
 * of `svd_batch_size` rows in the order of the file, again and again, until each that is kept has turned by less than `tau` between
 * two batches (Paischer et al. 2024, as in PEFT, whose factorisations are randomised where these are exact).
 * @throws SweepError `bad-data` where batches have too few such tokens, or components do not settle
 */
export async function componentsAt(trial: Trial, settings: StartSettings, site: Site): Promise<SiteComponents> {
  const {engine, source, sites, ...base} = rowsFor(trial, settings);
  const {rank, options = {}} = trial;
  const names = sites.map(({name}) => name);
  const key = JSON.stringify([rank, options, source.name, names]);
  const {components, ranks} = await knownComponents.get(engine, key, () =>
    sharedComponents(engine, {...base, sites, source, rank, options}),
  );
  return {...components.get(readingOf(site))!, kept: ranks.get(site.name)!};
}

interface Reading extends Pick<StartSettings, 'config' | 'weights'> {
  sites: readonly Site[];
  source: TrainingSource;
}

/**
 * Whether a trial can start from what projections read of these rows.
 * @throws SweepError `bad-data` where no batch of EVA has as many tokens as there are components
 */
export function checkReadable(
  {method, rank, options = {}}: Pick<Trial, 'method' | 'rank' | 'options'>,
  {dataset: {starts, labels, count}}: Pick<TrainingSource, 'dataset'>,
): void {
  const {svd_batch_size: size, use_label_mask: masked} = options;
  if (method !== 'eva' || size === undefined) return;
  const needed = placesOf({rank, options});
  let most = 0;
  for (let row = 0; row < count; row += size) {
    const own = labels.subarray(starts[row], starts[Math.min(count, row + size)]);
    most = Math.max(most, masked === 1 ? own.reduce((sum, label) => sum + Number(label !== ignored), 0) : own.length);
  }
  if (most >= needed) return;
  const what = masked === 1 ? 'target tokens' : 'tokens';
  throw new SweepError(
    'bad-data',
    `EVA's ${needed} components need as many ${what} in a batch, but those of ${size} rows have ${most} at most; raise svd_batch_size${masked === 1 ? ', or set use_label_mask: false' : ''}.`,
  );
}

/** Components by what is read, and ranks by site. */
async function sharedComponents(
  engine: Engine,
  reading: Reading & {rank: number; options: NonNullable<Trial['options']>},
): Promise<{components: Map<string, Components>; ranks: Map<string, number>}> {
  const {source, sites, rank, options} = reading;
  const {dataset} = source;
  const {svd_batch_size: size, tau, use_label_mask: masked} = options as Record<string, number>;
  checkReadable({method: 'eva', rank, options}, source);
  const count = placesOf({rank, options});
  const batches = rowBatches(source, size!, dataset.count);
  const places = batches.map(({rows, batch}) => readPlaces(dataset, rows, batch, masked === 1));
  const components = new Map<string, Components>();
  const still = new Map<string, boolean[]>();
  let ranks = new Map(sites.map(({name}) => [name, count]));
  const groups = groupsOf(sites, ({inputs}) => 4 * inputs * tokensAtOnce(dataset, size!)).map(own => ({
    widths: new Map(own.map(site => [readingOf(site), site.inputs])),
    reader: new Reader(engine, {...reading, sites: own}, x => x),
  }));
  const moves = (): Set<string> =>
    new Set(
      sites.flatMap(site => {
        const name = readingOf(site);
        const own = still.get(name);
        return own?.slice(0, ranks.get(site.name)).every(Boolean) ? [] : [name];
      }),
    );
  try {
    for (let step = 0; ; step++) {
      const moving = moves();
      if (moving.size === 0) return {components, ranks};
      if (step === mostBatches)
        throw new SweepError('bad-data', `EVA's components still turn after ${step} batches; lower tau.`);
      const at = step % batches.length;
      if (places[at]!.length < count) continue;
      for (const {widths, reader} of groups) {
        const wanted = [...widths].filter(([name]) => moving.has(name));
        if (wanted.length === 0) continue;
        const inputs = await reader.read(batches[at]!.batch);
        for (const [name, width] of wanted) {
          const before = components.get(name) ?? null;
          const now = withSamples(before, rowsAt(inputs[name]!, places[at]!, width), width, count);
          components.set(name, now);
          if (before) still.set(name, settledRows(before.rows, now.rows, width, tau!));
        }
      }
      ranks = sharedOut(sites, rank, name => explained(components.get(name)!));
    }
  } finally {
    for (const {reader} of groups) await reader.dispose();
  }
}

/** Of each row, whether its cosine with the one before is at least `tau`. */
function settledRows(before: Float64Array, now: Float64Array, width: number, tau: number): boolean[] {
  return Array.from({length: now.length / width}, (_, k) => {
    let cosine = 0;
    for (let i = k * width; i < (k + 1) * width; i++) cosine += before[i]! * now[i]!;
    return cosine >= tau;
  });
}

/**
 * Ranks by site: the `rank` · sites components that explain most, each of what its own site reads (Paischer et al. 2024, §3; PEFT's
 * order where two explain the same: sites that are the first to read something before those that read the same).
 */
function sharedOut(
  sites: readonly Site[],
  rank: number,
  explainedBy: (reading: string) => readonly number[],
): Map<string, number> {
  const firsts = new Map<string, string>();
  for (const site of sites) if (!firsts.has(readingOf(site))) firsts.set(readingOf(site), site.name);
  const isFirst = (site: Site): boolean => firsts.get(readingOf(site)) === site.name;
  const others = sites.filter(site => !isFirst(site));
  const all = [...sites.filter(isFirst), ...others].flatMap(site =>
    explainedBy(readingOf(site)).map(share => ({name: site.name, share})),
  );
  const ranks = new Map(sites.map(({name}) => [name, 0]));
  for (const {name} of all.toSorted((a, b) => b.share - a.share).slice(0, rank * sites.length))
    ranks.set(name, ranks.get(name)! + 1);
  for (const site of others) {
    const first = firsts.get(readingOf(site))!;
    const [own, before] = [ranks.get(site.name)!, ranks.get(first)!];
    if (before < own) ranks.set(first, own).set(site.name, before);
  }
  return ranks;
}

/**
 * The mean over the first `rows` rows of the file of XᵀX [inputs, inputs], where X is what a site reads of a row divided by
 * its largest entry (Yang et al. 2024, as in PEFT: every row alone, all its tokens).
 */
export async function covarianceAt(trial: Trial, settings: StartSettings, site: Site): Promise<Float64Array> {
  const {engine, source, sites, ...base} = rowsFor(trial, settings);
  const {rows = usualRows} = trial.options ?? {};
  const group = groupsOf(sites, ({inputs}) => 8 * inputs ** 2).find(own =>
    own.some(one => readingOf(one) === readingOf(site)),
  )!;
  const key = JSON.stringify([rows, source.name, group.map(({name}) => name)]);
  const found = await knownCovariances.get(engine, key, () =>
    covariances(engine, {...base, sites: group, source}, rows),
  );
  return found.get(readingOf(site))!;
}

async function covariances(engine: Engine, reading: Reading, rows: number): Promise<Map<string, Float64Array>> {
  const {source, sites} = reading;
  const sums = new Map(sites.map(site => [readingOf(site), new Float64Array(site.inputs ** 2)]));
  const batches = rowBatches(source, 1, Math.min(rows, source.dataset.count));
  const reader = new Reader(engine, reading, (x, present) => {
    // Places of padding are no largest entry, and add nothing.
    const largest = tf.abs(tf.max(tf.sub(x, tf.mul(tf.sub(1, present), 1e30))));
    const scaled = tf.div(tf.mul(x, present), largest);
    return tf.matMul(scaled, scaled, true, false);
  });
  try {
    for (const {batch} of batches) {
      const products = await reader.read(batch);
      for (const [name, sum] of sums) {
        const own = products[name]!;
        for (let i = 0; i < sum.length; i++) sum[i]! += own[i]! / batches.length;
      }
    }
  } finally {
    await reader.dispose();
  }
  return sums;
}

/** Programs that run the base over batches and give something of what sites read. */
class Reader {
  readonly #programs = new Map<string, Program>();
  readonly #engine: Engine;
  readonly #reading: Reading;
  readonly #take: (x: tf.Tensor, present: tf.Tensor) => tf.Tensor;

  /** @param take of an input x [1, tokens, inputs], where `present` [1, tokens, 1] is 1 for tokens and 0 for padding */
  constructor(engine: Engine, reading: Reading, take: (x: tf.Tensor, present: tf.Tensor) => tf.Tensor) {
    this.#engine = engine;
    this.#reading = reading;
    this.#take = take;
  }

  async read({present, ...batch}: ReadBatch): Promise<Record<string, Float32Array>> {
    const key = shapeName(batch.shape);
    const program = this.#programs.get(key) ?? (await this.#engine.compile(this.#computation(batch)));
    this.#programs.set(key, program);
    const {ids} = feeds(batch);
    return (await program.run({ids: ids!, present})) as Record<string, Float32Array>;
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await program.dispose();
  }

  #computation({shape}: PackBatch): Parameters<Engine['compile']>[0] {
    const {config, weights, sites} = this.#reading;
    const wanted = new Map(sites.map(site => [site.name, readingOf(site)]));
    const {tokens, groups} = shape;
    return {
      inputs: {ids: batchInputs(1, shape)['ids']!, present: {shape: [1, tokens, 1], dtype: 'float32'}},
      state: {},
      body: ({ids, present}) => {
        const weight: Model['weight'] = name => this.#engine.weight(weights.tensors.get(name)!);
        const model = {config, macros: this.#engine.macros({merged: false}), weight};
        const frozen = frozenProjection(model);
        const found: Record<string, tf.Tensor> = {};
        const project = (site: string, x: tf.Tensor) => {
          const name = wanted.get(site);
          if (name !== undefined) found[name] ??= this.#take(x, present!);
          return frozen(site, x);
        };
        hidden(model, ids!, {trials: 1, groups}, {project, attend: causalAttention(model, groups[0]!.length)});
        return found;
      },
    };
  }
}

type ReadBatch = PackBatch & {present: Float32Array};

/** The first rows of the file in batches, padded. */
function rowBatches(
  {dataset, pad}: TrainingSource,
  size: number,
  count: number,
): {rows: Int32Array; batch: ReadBatch}[] {
  const all = Int32Array.from({length: count}, (_, row) => row);
  const parts = Array.from({length: Math.ceil(count / size)}, (_, i) => all.subarray(i * size, (i + 1) * size));
  const shapes = paddedShapes(
    parts.map(rows => extentOf(dataset, rows)),
    size,
    mostShapes,
  );
  return parts.map(rows => {
    const batch = sideBySide({dataset, rows: size, shapes, pad}, [rows]);
    const present = new Float32Array(batch.shape.tokens);
    for (const place of readPlaces(dataset, rows, batch, false)) present[place] = 1;
    return {rows, batch: {...batch, present}};
  });
}

/** Where a batch has its rows' tokens, or only those that are learnt. */
function readPlaces({starts, labels}: Dataset, rows: Int32Array, {shape}: PackBatch, learnt: boolean): number[] {
  const {length} = shape.groups[0]!;
  return Array.from(rows).flatMap((row, i) => {
    const [start, end] = [starts[row]!, starts[row + 1]!];
    return Array.from({length: end - start}, (_, t) => t).flatMap(t =>
      learnt && labels[start + t] === ignored ? [] : [i * length + t],
    );
  });
}

function rowsAt(values: Float32Array, places: readonly number[], width: number): Float32Array {
  const found = new Float32Array(places.length * width);
  places.forEach((place, i) => {
    found.set(values.subarray(place * width, (place + 1) * width), i * width);
  });
  return found;
}

/** Sites in groups whose readings, of `bytesOf` each, come to at most `readingBytes`. */
function groupsOf(sites: readonly Site[], bytesOf: (site: Site) => number): Site[][] {
  const groups: Site[][] = [];
  const seen = new Set<string>();
  let room = 0;
  for (const site of sites) {
    const isNew = !seen.has(readingOf(site));
    const bytes = isNew ? bytesOf(site) : 0;
    if (groups.length === 0 || (isNew && bytes > room)) {
      groups.push([]);
      room = readingBytes;
    }
    groups.at(-1)!.push(site);
    seen.add(readingOf(site));
    room -= bytes;
  }
  return groups;
}

/** Tokens of the largest batch of so many rows, padding included. */
function tokensAtOnce({starts, count}: Dataset, rows: number): number {
  let longest = 0;
  for (let row = 0; row < count; row++) longest = Math.max(longest, starts[row + 1]! - starts[row]!);
  return rows * longest;
}
