/** The examination of a GPU: parts in processes of their own, each of which may crash or hang; and what they found, as data. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {findGpu, type Gpu} from '../../engine/device/gpu.ts';
import {versions} from '../../engine/versions.ts';
import {answerOf} from '../../process/answer.ts';
import {endAfter} from '../../process/own-time.ts';
import type {Measured} from '../machine.ts';
import {type Peer, timePeer} from './peer.ts';
import type {Distances, Packed} from './reference.ts';
import type {Halving} from './room.ts';
import {sizes, type Timed} from './speed.ts';

export interface Fault {
  fault: string;
}

/** Packs of several sizes on the GPU, and one trial on all cores of the processor. */
export interface Speed {
  timed: Timed[];
  /** Milliseconds of a step. */
  processor: number;
}

/** What is there after a process was ended in the middle of its work on the GPU. */
export interface Survived {
  /** Seconds from its end to the next process's results. */
  seconds: number;
  measured: Measured;
}

/** What the parts found, as far as they came. */
export interface Found {
  product?: Measured | Fault;
  reference?: Distances | Fault;
  packs?: Packed | Fault;
  room?: Halving | Fault;
  speed?: Speed | Fault;
  peer?: Peer | {missing: string};
  lost?: Survived | Fault;
}

export interface Examination {
  day: string;
  versions: Record<string, string>;
  platform: string;
  gpu: Gpu;
  /** Of small sizes, as for a software device. */
  isShort: boolean;
  found: Found;
  /** All parts were done. */
  isWhole: boolean;
  seconds: number;
}

export type PartName = keyof Found;

/** What a part's process is told. */
export interface Told {
  isShort: boolean;
  software: boolean;
  deviceBytes: number;
}

/** In their order: what is done, about how many seconds it takes, and how many of its own it may take; all of them are less than eight minutes. */
export const parts: readonly {name: PartName; title: string; about: number; most: number}[] = [
  {name: 'product', title: 'a product and a step against float64, rates', about: 10, most: 40},
  {name: 'reference', title: 'logits and twelve steps against PyTorch in float64', about: 20, most: 50},
  {name: 'packs', title: 'packs of trials, one of which diverges', about: 20, most: 50},
  {name: 'room', title: 'no room: a refusal, and packs that go on in halves', about: 40, most: 70},
  {name: 'speed', title: 'speed and memory of packs', about: 60, most: 90},
  {name: 'peer', title: 'the same step in PyTorch', about: 20, most: 45},
  {name: 'lost', title: 'a process that is ended in the middle of its work', about: 15, most: 25},
];

/** A software device has no eight minutes to keep: it only has to come to an end, on a busy machine too. */
const softwareTimes = 10;

export interface Watching {
  signal: AbortSignal;
  /** Hears of each part before it begins; `left`: about how many seconds all that is left will take. */
  progress(part: {title: string; number: number; of: number; left: number}): void;
}

/** The GPU that WebGPU runs on; null with the reason where there is none. `isShort`: small sizes also on a real one. */
export async function examine(
  {isShort: asked}: {isShort: boolean},
  {signal, progress}: Watching,
): Promise<Examination | {missing: string}> {
  const began = performance.now();
  const gpu = await findGpu();
  if ('missing' in gpu) return gpu;
  const isShort = asked || gpu.software;
  const told: Told = {isShort, software: gpu.software, deviceBytes: gpu.bytes};
  const found: Found = {};
  const [done, expected] = [[] as number[], [] as number[]];
  for (const [k, {name, title, about, most}] of parts.entries()) {
    if (signal.aborted) break;
    progress({title, number: k + 1, of: parts.length, left: secondsLeft(k, done, expected)});
    const start = performance.now();
    const result = await examinedPart(name, told, gpu.software ? softwareTimes * most : most, signal);
    if (!signal.aborted) Object.assign(found, {[name]: result});
    done.push((performance.now() - start) / 1000);
    expected.push(about);
  }
  return {
    day: new Date().toISOString().slice(0, 10),
    versions: versions(),
    platform: `${process.platform} ${process.arch}`,
    ...{gpu, isShort, found},
    isWhole: parts.every(({name}) => name in found),
    seconds: (performance.now() - began) / 1000,
  };
}

/** By what the parts so far took of what they were expected to. */
function secondsLeft(next: number, done: readonly number[], expected: readonly number[]): number {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const pace = done.length > 0 ? sum(done) / sum(expected) : 1;
  return pace * sum(parts.slice(next).map(({about}) => about));
}

/** This file's neighbour, as source or as built. */
const program = new URL(import.meta.url.endsWith('.ts') ? './part-process.ts' : './part-process.js', import.meta.url);

function examinedPart(name: PartName, told: Told, seconds: number, signal: AbortSignal): Promise<unknown> {
  if (name === 'peer')
    return timePeer(told.isShort ? sizes.short : sizes.whole, {timing: told.isShort ? 0.5 : 2, seconds, signal});
  if (name === 'lost') return survived(told, seconds, signal);
  return answerOf({program, words: [name, JSON.stringify(told)], seconds, signal});
}

/** Ends a process that computes, and asks the next one whether all is as before. */
async function survived(told: Told, seconds: number, signal: AbortSignal): Promise<Survived | Fault> {
  const words = [fileURLToPath(program), 'endless', JSON.stringify(told)];
  const child = spawn(process.execPath, words, {stdio: ['ignore', 'pipe', 'ignore'], signal, killSignal: 'SIGKILL'});
  child.on('error', () => {});
  void endAfter(seconds, child);
  const closed = new Promise<void>(resolve => {
    child.once('close', () => resolve());
  });
  const results = createInterface({input: child.stdout});
  const isAtWork = await Promise.race([once(results, 'line').then(() => true), closed.then(() => false)]);
  child.kill('SIGKILL');
  await closed;
  if (!isAtWork) return {fault: 'a process that computes endlessly ended by itself'};
  const began = performance.now();
  const measured = await answerOf<Measured>({program, words: ['product', JSON.stringify(told)], seconds, signal});
  return 'fault' in measured ? measured : {seconds: (performance.now() - began) / 1000, measured};
}
