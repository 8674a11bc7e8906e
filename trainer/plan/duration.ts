/** How long a sweep will take, and how much memory: a little of everything is done on this machine, all workers at once, and counted up. */

import {grouped} from '../../core/grouped.ts';
import type {AdapterMethodName, MethodName} from '../../core/method/methods.ts';
import {mean} from '../../core/numbers.ts';
import {plainKey} from '../../core/sweep/axes/axes.ts';
import {nameOf, type Trial} from '../../core/sweep/sweep.ts';
import {methods, startsFromRows} from '../method/index.ts';
import type {Site} from '../model/site.ts';
import {groundsOf, onGround} from '../run/grounds.ts';
import {type Arrangement, settingsOf, startSettings, type TrialPack, trainJob} from '../run/packs.ts';
import {openPool, type Pool} from '../run/pool.ts';
import {type Prepared, whatIsRead} from '../run/prepare.ts';
import type {UnderWay} from '../run/under-way.ts';
import type {TrialTimes} from '../training/timing.ts';
import {timeProbing} from './probe-duration.ts';

export interface Estimate {
  /** Seconds of the whole run. */
  whole: number;
  /** Of the training steps alone, with all workers at it. */
  training: number;
  /** Memory at its peak: resident while this was found out, and what was not reached. */
  bytes: number;
}

/**
 * Time and memory of a run; null where not even a step could be done. `preparing`: seconds that reading the sweep took.
 * `note` hears what the engine has to say.
 */
export async function estimated(
  run: Pick<UnderWay, 'prepared' | 'choice'>,
  arrangement: Arrangement,
  preparing: number,
  {note}: {note(message: string): void},
): Promise<Estimate | null> {
  const groundOf = groundsOf(run);
  const all = {whole: preparing, training: 0, bytes: 0};
  for (const [ground, packs] of grouped(arrangement.packs, ([trial]) => groundOf(trial!))) {
    const own = await estimatedOn(onGround(run, ground), {...arrangement, packs}, note);
    if (!own) return null;
    all.whole += own.whole;
    all.training += own.training;
    all.bytes = Math.max(all.bytes, own.bytes);
  }
  return all;
}

/** The same on one ground, without what is read before. */
async function estimatedOn(
  run: Pick<UnderWay, 'prepared' | 'choice'>,
  {packs, workers, threads}: Arrangement,
  note: (message: string) => void,
): Promise<Estimate | null> {
  const {prepared} = run;
  const {engine, precision, gpu} = run.choice;
  const pool = openPool(workers, {base: prepared.model, engine, precision, threads, onGpu: gpu !== undefined});
  const resident = watchResident();
  try {
    const opening = await timeOpening(pool, workers);
    const factorising = await timeFactorising(pool, prepared, packs.flat(), workers);
    const probing = await timeProbing(pool, run, packs.flat(), workers);
    let bytes = resident.peak();
    const known = new Map<string, TrialTimes | null>();
    const durations: PackTimes[] = [];
    for (const pack of packs) {
      const key = computationOf(prepared, pack);
      if (!known.has(key)) {
        const found = await timePack(pool, prepared, pack, workers, note);
        known.set(key, found);
        if (found) bytes = Math.max(bytes, resident.peak() + workers * found.bytesLeft);
      }
      const times = known.get(key);
      if (!times) return null;
      const {method, rank, batchSize, seed} = pack[0]!;
      const setting = `${method} ${rank} ${batchSize} ${plainKey(pack[0]!)}`;
      durations.push({setting, start: `${setting} ${seed}`, times});
    }
    const whole = opening + factorising + probing + makespan(durations, workers);
    return {whole, training: durations.reduce((sum, {times}) => sum + times.steps, 0) / workers, bytes};
  } finally {
    resident.end();
    await pool.close();
  }
}

/** Seconds until all workers have their engine. */
async function timeOpening(pool: Pool, workers: number): Promise<number> {
  const began = performance.now();
  await pool.run(
    Array.from({length: workers}, () => ({kind: 'open' as const})),
    {event: () => {}, generated: () => {}, ended: () => {}},
  );
  return (performance.now() - began) / 1000;
}

/** How often memory is looked at, in milliseconds. */
const watchEvery = 20;

/** Watches the memory of this process. */
function watchResident(): {peak(): number; end(): void} {
  let most = 0;
  const look = () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(look, watchEvery);
  return {
    /** The most since the last time this was asked. */
    peak() {
      look();
      const peak = most;
      most = 0;
      return peak;
    },
    end: () => clearInterval(timer),
  };
}

/** Packs that compute the same, whatever their numbers. */
function computationOf(prepared: Prepared, pack: TrialPack): string {
  const {method, rank, batchSize} = pack[0]!;
  const {sweep} = prepared.of(pack[0]!);
  const {optimizer, maxGradNorm} = sweep.training;
  const step = `${optimizer.name} ${maxGradNorm === 'off'} ${whatIsRead(sweep)}`;
  return `${plainest(method)} ${startsFromRows(method) ? method : ''} ${rank} ${batchSize} ${pack.length} ${step}`;
}

/** The first method that computes like this one and starts without a factorisation, or the method itself. */
function plainest(name: MethodName): MethodName {
  if (name === 'full') return name;
  const {apply, residual, shapes} = methods[name];
  const same = (Object.keys(methods) as AdapterMethodName[]).find(other => {
    const method = methods[other];
    return (
      method.apply === apply &&
      method.residual === residual &&
      method.shapes === shapes &&
      method.spectrum === undefined &&
      !method.gradient &&
      !method.readings
    );
  });
  return same ?? name;
}

const standIn = (pack: TrialPack): TrialPack =>
  pack.map(({name: _, ...trial}) => ({...trial, method: plainest(trial.method)}));

/** Every worker does the same, as they will later; the mean of what they found. */
async function timePack(
  pool: Pool,
  prepared: Prepared,
  pack: TrialPack,
  workers: number,
  note: (message: string) => void,
): Promise<TrialTimes | null> {
  const plain = standIn(pack);
  const {start, ...job} = trainJob(withMethod(prepared.of(pack[0]!), plain), plain, '');
  const [trial] = pack;
  const {sources} = startSettings(prepared, trial!);
  const own = prepared.of(trial!);
  const {config, sites, rank, merged, recompute, dropout} = own.size;
  const found: TrialTimes[] = [];
  let fault: string | undefined;
  await pool.run(
    Array.from({length: workers}, () => ({
      kind: 'measure' as const,
      job: {
        ...job,
        start: {sites: start.sites},
        kept: {config, sites, rank, merged, recompute, dropout},
        answerTokens: answerTokens(own),
        ...(sources ? {fromRows: {trial: trial!, sources}} : {}),
      },
    })),
    {
      event: event => event.event === 'note' && note(event.message),
      generated: () => {},
      measured: times => found.push(times),
      ended: (_, failure) => {
        fault ??= failure?.message;
      },
    },
  );
  if (found.length === 0) {
    if (fault !== undefined) note(`No step could be timed: ${fault}`);
    return null;
  }
  const average = (of: keyof TrialTimes) => mean(found.map(times => times[of]));
  return {
    opening: average('opening'),
    starting: average('starting'),
    steps: average('steps'),
    evaluations: average('evaluations'),
    bytesLeft: average('bytesLeft'),
  };
}

/** Its sweep with settings for the method that stands in for another one. */
function withMethod(prepared: Prepared, [trial]: TrialPack): Prepared {
  const {sweep} = prepared;
  if (sweep.methods.some(settings => nameOf(settings) === nameOf(trial!))) return prepared;
  const {name: _, ...first} = sweep.methods[0]!;
  const methods = [...sweep.methods, {...first, method: trial!.method}];
  const plain: Prepared = {...prepared, sweep: {...sweep, methods}, of: () => plain};
  return plain;
}

/** A trained model is expected to answer as long as the data does, and then to end. */
function answerTokens({prompts}: Prepared): Record<number, number> {
  return Object.fromEntries(
    [...prompts].map(([index, own]) => {
      const tokens = own.reduce((sum, {answerIds}) => sum + answerIds.length + 1, 0);
      return [index, tokens / Math.max(1, own.length)];
    }),
  );
}

interface PackTimes {
  /** What its programs are kept for. */
  setting: string;
  /** What a start from gradients is kept for. */
  start: string;
  times: TrialTimes;
}

/** Seconds until the last worker is done, each taking the next pack when it has finished one. */
function makespan(packs: readonly PackTimes[], workers: number): number {
  const each = Array.from({length: workers}, () => ({busy: 0, setting: ''}));
  /** When a start was first known: from then on it is in the cache. */
  const known = new Map<string, number>();
  for (const {setting, start, times} of packs) {
    const next = each.reduce((first, worker) => (worker.busy < first.busy ? worker : first));
    const since = known.get(start) ?? Number.POSITIVE_INFINITY;
    if (next.busy < since) {
      next.busy += times.starting;
      known.set(start, Math.min(since, next.busy));
    }
    next.busy += (next.setting === setting ? 0 : times.opening) + times.steps + times.evaluations;
    next.setting = setting;
  }
  return Math.max(...each.map(({busy}) => busy));
}

/**
 * Seconds of factorising the weights that these trials start from: one matrix of each shape is factorised, and kept for
 * the run; those that the cache has already cost next to nothing.
 */
async function timeFactorising(pool: Pool, prepared: Prepared, trials: Trial[], workers: number): Promise<number> {
  const kinds = new Map<string, {method: AdapterMethodName; rank: number; sites: Site[]; iterations?: number}>();
  for (const trial of trials) {
    const {method, rank} = trial;
    if (method === 'full' || methods[method].spectrum === undefined) continue;
    const {startFrom, iterations} = settingsOf(prepared.sweep, trial);
    if (startFrom !== undefined) continue;
    for (const site of prepared.of(trial).sites) {
      const key = `${methods[method].spectrum} ${rank} ${iterations} ${site.outputs}x${site.inputs}`;
      const kind = kinds.get(key) ?? {method, rank, sites: [], ...(iterations !== undefined && {iterations})};
      if (!kind.sites.includes(site)) kind.sites.push(site);
      kinds.set(key, kind);
    }
  }
  let seconds = 0;
  for (const {method, rank, sites, iterations} of kinds.values()) {
    const began = performance.now();
    await pool.run(
      [
        {
          kind: 'factorize',
          // The last one: a run that was broken off has the first ones in its cache.
          site: sites.at(-1)!,
          end: methods[method].spectrum!,
          rank,
          settings: iterations === undefined ? {} : {iterations},
        },
      ],
      {event: () => {}, generated: () => {}, ended: () => {}},
    );
    seconds += (((performance.now() - began) / 1000) * sites.length) / workers;
  }
  return seconds;
}
