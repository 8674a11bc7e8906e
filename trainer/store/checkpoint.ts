/**
 * Checkpoints: everything a trial needs to go on as if it had never stopped. A file a trial, so that trials can go on side by
 * side with others than before, and the one before it, for the case that the last one is damaged.
 *
 * A checkpoint builds on events: its trial's steps up to it are in `events.jsonl`, on the disk, before it gets its name. So the
 * one that is older decides: events behind the checkpoint are made again, and a checkpoint that is ahead of the events (a disk
 * lost some of them) does not count.
 */
import {createHash, randomUUID} from 'node:crypto';
import {existsSync, readdirSync, renameSync, rmSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {discard, insideRun, storeError, syncFolder, systemCode} from '../files/write-whole.ts';
import {readBytes, readHeader, readTensor, type SafetensorsHeader, writeSafetensors} from '../weights/safetensors.ts';
import type {StoredSteps} from './fold/stored-steps.ts';

/** Folder of the checkpoints in a run folder. */
export const checkpointsName = 'checkpoints';

/** Of the trials of a pack. */
export interface Checkpoint {
  /** Updates done. */
  step: number;
  /** Parameters, moments and starts by name, each [trials · size]. */
  tensors: Record<string, Float32Array>;
  /** 1 where the trial was still training. */
  active: Float32Array;
  /** Of the last step, [trials]; not a number before the first one. */
  losses: Float32Array;
  gradNorms: Float32Array;
  /** Training losses of the last steps, [trials · steps]; none in checkpoints of earlier versions. */
  recent: Float32Array;
  /** Training time so far. */
  seconds: number;
  /** Bytes of `events.jsonl` that it builds on. */
  events: number;
}

/** Vectors beside the tensors of a checkpoint, by their names in its file. */
const vectors = {active: 'active', losses: 'loss', gradNorms: 'grad_norm', recent: 'recent_losses'} as const;

const fileOf = (folder: string, trial: string): string => join(folder, `${trial}.safetensors`);
/** The one before the last one. */
const beforeOf = (folder: string, trial: string): string => join(folder, `${trial}.before.safetensors`);
/** One that is written while the others of its pack are not yet; no two processes write the same. */
const nextOf = (folder: string, trial: string): string => join(folder, `${trial}${nextEnding}`);
const mark = randomUUID().slice(-12);
const nextEnding = `.${mark}.next.safetensors`;
const nextShape = /^(\.[0-9a-f]{12})?\.next\.safetensors$/;

/** Those that any process left of a trial. */
function nextsOf(folder: string, trial: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter(name => name.startsWith(trial) && nextShape.test(name.slice(trial.length)))
    .map(name => join(folder, name));
}

/**
 * Stores a checkpoint of these trials, whose last one becomes the one before. The caller has seen to it that the events it builds
 * on are on the disk.
 * @throws SweepError `disk-full`, `cannot-write`, `folder-gone`; the checkpoints that are there stay then
 */
export function saveCheckpoint(folder: string, trials: readonly string[], checkpoint: Checkpoint): void {
  const {step, tensors, seconds, events} = checkpoint;
  insideRun(dirname(folder), basename(folder));
  const ofTrial = (all: Float32Array, i: number) => {
    const size = all.length / trials.length;
    const data = all.subarray(i * size, (i + 1) * size);
    return {shape: [data.length], data};
  };
  try {
    trials.forEach((trial, i) => {
      const values = new Map(Object.entries(tensors).map(([name, all]) => [name, ofTrial(all, i)]));
      for (const [key, name] of Object.entries(vectors)) {
        const all = checkpoint[key as keyof typeof vectors];
        if (all.length > 0) values.set(name, ofTrial(all, i));
      }
      const facts = {
        step: String(step),
        seconds: String(seconds),
        events: String(events),
        pack: JSON.stringify(trials),
      };
      const sums = [...values].map(([name, {data}]) => [name, bytesOf(data)] as const);
      writeSafetensors(nextOf(folder, trial), values, {...facts, sha256: checksum(facts, sums)});
    });
  } catch (error) {
    for (const trial of trials) discard(nextOf(folder, trial));
    throw error;
  }
  try {
    for (const trial of trials) {
      const file = fileOf(folder, trial);
      stepBack(file, beforeOf(folder, trial));
      renameSync(nextOf(folder, trial), file);
    }
    syncFolder(folder);
  } catch (error) {
    throw storeError(error, folder);
  }
}

/** A process that has lost the trial, and does not know it yet, may be at the same file. */
function stepBack(file: string, before: string): void {
  try {
    renameSync(file, before);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** The checkpoint of these trials, or null where they have none at the same step; one that is damaged counts as none. */
export function loadCheckpoint(folder: string, trials: readonly string[]): Checkpoint | null {
  const found = trials.map(trial => readCheckpoint(fileOf(folder, trial)));
  const [first] = found;
  if (!first || !found.every(one => one?.step === first.step)) return null;
  const all = found as Checkpoint[];
  const joined = (of: (one: Checkpoint) => Float32Array) => {
    const parts = all.map(of);
    const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let place = 0;
    for (const part of parts) {
      whole.set(part, place);
      place += part.length;
    }
    return whole;
  };
  const names = Object.keys(first.tensors);
  return {
    step: first.step,
    tensors: Object.fromEntries(names.map(name => [name, joined(({tensors}) => tensors[name]!)])),
    active: joined(({active}) => active),
    losses: joined(({losses}) => losses),
    gradNorms: joined(({gradNorms}) => gradNorms),
    recent: all.every(({recent}) => recent.length === first.recent.length)
      ? joined(({recent}) => recent)
      : new Float32Array(0),
    seconds: Math.max(...all.map(({seconds}) => seconds)),
    events: Math.max(...all.map(({events}) => events)),
  };
}

/** What a stored checkpoint says of itself. */
interface Facts {
  step: number;
  seconds: number;
  events: number;
  /** The trials that were trained side by side. */
  pack: string[];
}

/**
 * Settles from where each of these trials goes on: from its last checkpoint that is sound and not ahead of the events, and for
 * trials of one pack, where they have one at the same step, from there. Checkpoints that do not count are removed.
 * @returns updates done, by trial, 0 without a checkpoint; and what is worth a note
 */
export function settleCheckpoints(
  folder: string,
  trials: readonly string[],
  reach: {steps: StoredSteps; bytes: number},
): {steps: Map<string, number>; notes: string[]} {
  const notes: string[] = [];
  const usable = new Map<string, (Facts & {file: string})[]>();
  for (const trial of trials) {
    const files = [fileOf(folder, trial), beforeOf(folder, trial)].filter(file => existsSync(file));
    const kept: (Facts & {file: string})[] = [];
    const faults: string[] = [];
    for (const file of files) {
      const facts = readFacts(file);
      const known = reach.steps.of(trial);
      if (!facts) faults.push(`${file} is damaged`);
      else if (facts.step > known || facts.events > reach.bytes)
        faults.push(`${file} is ahead of the events (step ${facts.step}, they reach step ${known})`);
      else kept.push({...facts, file});
    }
    usable.set(trial, kept);
    const instead = kept[0] ? `goes on from step ${kept[0].step}` : 'starts again';
    for (const fault of faults) notes.push(`The checkpoint ${fault}, so ${trial} ${instead}.`);
  }
  const steps = new Map<string, number>();
  for (const trial of trials) {
    const own = usable.get(trial)!;
    const beside = (own[0]?.pack ?? []).flatMap(other => usable.get(other) ?? []).map(({pack, step}) => ({pack, step}));
    const [{pack} = {pack: [trial]}] = own;
    const partners = pack.filter(other => usable.has(other)).length;
    const common = own.find(({step}) => beside.filter(one => one.step === step).length >= partners);
    const chosen = common ?? own[0];
    steps.set(trial, chosen?.step ?? 0);
    keepOnly(folder, trial, chosen?.file);
  }
  return {steps, notes};
}

function keepOnly(folder: string, trial: string, chosen: string | undefined): void {
  const file = fileOf(folder, trial);
  const before = beforeOf(folder, trial);
  try {
    for (const next of nextsOf(folder, trial)) rmSync(next, {force: true});
    if (chosen === undefined) rmSync(before, {force: true});
    if (chosen === undefined) rmSync(file, {force: true});
    if (chosen === before) renameSync(before, file);
  } catch (error) {
    throw storeError(error, file);
  }
}

/** Null where the file is not what was written. One tensor at a time is in memory. */
function readFacts(file: string): Facts | null {
  try {
    const header = readHeader(file);
    return isSound(header) ? factsOf(header) : null;
  } catch {
    return null;
  }
}

function readCheckpoint(file: string): Checkpoint | null {
  if (!existsSync(file)) return null;
  try {
    const header = readHeader(file);
    if (!isSound(header)) return null;
    const {step, seconds, events} = factsOf(header);
    const {active, loss, grad_norm, recent_losses, ...tensors} = Object.fromEntries(
      [...header.tensors].map(([name, stored]) => [name, readTensor(stored)]),
    );
    if (!(active && loss && grad_norm)) return null;
    const recent = recent_losses ?? new Float32Array(0);
    return {step, seconds, events, tensors, active, losses: loss, gradNorms: grad_norm, recent};
  } catch {
    return null;
  }
}

/** Of a header whose checksum is right. */
function factsOf({metadata}: SafetensorsHeader): Facts {
  const [step, seconds, events] = ['step', 'seconds', 'events'].map(name => Number(metadata[name]));
  return {step: step!, seconds: seconds!, events: events!, pack: JSON.parse(metadata['pack']!) as string[]};
}

function isSound({tensors, metadata}: SafetensorsHeader): boolean {
  const {sha256, ...facts} = metadata;
  function* stored() {
    for (const [name, tensor] of tensors) yield [name, readBytes(tensor)] as const;
  }
  return sha256 === checksum(facts, stored());
}

/** Of everything that a checkpoint says, whatever the order of its parts. */
function checksum(
  facts: Record<string, string>,
  tensors: Iterable<readonly [name: string, bytes: Uint8Array]>,
): string {
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(facts).sort()));
  const own: [string, string][] = [];
  for (const [name, bytes] of tensors) own.push([name, createHash('sha256').update(bytes).digest('hex')]);
  return hash.update(JSON.stringify(own.sort())).digest('hex');
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** @throws SweepError `cannot-write` */
export function dropCheckpoint(folder: string, trials: readonly string[]): void {
  try {
    for (const trial of trials)
      for (const file of [fileOf(folder, trial), beforeOf(folder, trial), ...nextsOf(folder, trial)])
        rmSync(file, {force: true});
  } catch (error) {
    throw storeError(error, folder);
  }
}
