/**
 * Generation with a key–value cache, batched over prompts, samples and trials. Sequences that end make room for those
 * that wait (continuous batching: Yu et al. 2022, Orca), prompts of like length are read together, and the cache grows
 * as texts do. Every sequence becomes what it would become alone.
 */
import type {Programs} from '../engine/program/programs.ts';
import {random} from '../math/random.ts';
import {
  type Beginning,
  type Cache,
  type Generative,
  type KeysAndValues,
  openCache,
  originalPositions,
  type Prospects,
  readBeginning,
  readTexts,
} from './decoding.ts';
import {draw} from './sampling.ts';
import {beginningOf, fewSequences, paddedLength, powerOf2, seatsFor, textsAtOnce} from './sizes.ts';
import {type Decode, stopCheck} from './stopping.ts';

export type {Generative} from './decoding.ts';

export interface GenerationLimits {
  maxNewTokens: number;
  /** Generation of a sequence ends after one of these. */
  eosIds: readonly number[];
  /** Generation of a sequence ends where its text has one of these; needs `decode`. */
  stop?: readonly string[];
  decode?: Decode;
  /** 0 = the likeliest token always. Default: 1 where `topP`, `topK` or several samples are asked for, else 0. */
  temperature?: number | undefined;
  /** Default 1: all tokens. */
  topP?: number | undefined;
  /** Default 0: all tokens. */
  topK?: number;
  /** Continuations of each prompt. Default 1. */
  samples?: number | undefined;
  /** Default 0. */
  seed?: number;
}

/** How tokens are chosen, and when a text ends. */
export type Choosing = Pick<GenerationLimits, 'stop' | 'temperature' | 'topP' | 'topK' | 'samples' | 'seed'>;

/** Positions a cache is extended by at least. */
const roomStep = 64;
/** A smaller batch is made when it has so many tokens to go: its computation is compiled first. */
const worthwhileSteps = 32;

/** One continuation under way. */
interface Sequence {
  prompt: readonly number[];
  ids: number[];
  /** From the logits of this sequence, and the largest one's token. */
  next(logits: Float32Array, likeliest: number): number;
  ended: boolean;
}

/**
 * Continues every prompt for every trial. Returns `[trial][prompt · samples + sample]` new ids, the end-of-sequence
 * token included when it was reached, or all tokens of a stop string: it may begin within a token, so that it is the
 * text that is cut, by `textBefore`.
 *
 * What is drawn depends on `seed`, the prompt's tokens and the sample's number only: trials are compared on the same
 * random numbers, and batches do not matter.
 */
export async function generate(
  programs: Programs,
  generative: Generative,
  prompts: readonly ArrayLike<number>[],
  limits: GenerationLimits,
  stopped: () => boolean = () => false,
): Promise<number[][][]> {
  const {samples = 1} = limits;
  if (prompts.length === 0) return Array.from({length: generative.trials}, () => []);
  const sequences = Array.from({length: generative.trials}, () =>
    prompts.flatMap(prompt => Array.from({length: samples}, (_, sample) => start(Array.from(prompt), sample, limits))),
  );
  const batch = new Batch(programs, generative, sequences, limits);
  try {
    while (!stopped() && (await batch.fill())) await batch.step();
  } finally {
    batch.dispose();
  }
  return sequences.map(own => own.map(({ids}) => ids));
}

function start(prompt: number[], sample: number, limits: GenerationLimits): Sequence {
  const {topP = 1, topK = 0, samples = 1, seed = 0} = limits;
  const {temperature = topP < 1 || topK > 0 || samples > 1 ? 1 : 0} = limits;
  const sequence = {prompt, ids: [], ended: false};
  if (temperature === 0) return {...sequence, next: (_, likeliest) => likeliest};
  const stream = random(seed, 'generation', prompt.join(), sample);
  return {...sequence, next: logits => draw(logits, {temperature, topP, topK}, stream.next())};
}

const textLength = ({prompt, ids}: Sequence): number => prompt.length + ids.length;

/** Sequences in seats, and those that wait for one. */
class Batch {
  readonly #programs: Programs;
  readonly #generative: Generative;
  readonly #limits: GenerationLimits;
  readonly #hasStopped: (ids: readonly number[], prompt: readonly number[]) => boolean;
  /** Of each trial, the shortest texts first. */
  readonly #waiting: Sequence[][];
  /** Of each trial; their number is the cache's `rows`. */
  #seats: (Sequence | null)[][];
  #cache: Cache;
  /** The longest text there can be. */
  readonly #longest: number;
  readonly #reach: number;
  readonly #original: number | null;
  /** What all texts begin with, where it is read once for all, and what was read of it: up to the original positions, and beyond. */
  readonly #beginning: readonly number[];
  readonly #begun = new Map<boolean, Beginning>();

  constructor(programs: Programs, generative: Generative, sequences: Sequence[][], limits: GenerationLimits) {
    this.#programs = programs;
    this.#generative = generative;
    this.#limits = limits;
    const {stop = [], decode} = limits;
    if (stop.length > 0 && !decode) throw new Error('Stop strings are looked for in text: decode is missing.');
    this.#hasStopped = stopCheck(stop, decode ?? (() => ''));
    this.#waiting = sequences.map(own => own.toSorted((a, b) => a.prompt.length - b.prompt.length));
    const {config, trials} = generative;
    this.#original = originalPositions(config);
    const all = this.#waiting[0]!;
    const prompts = all.map(({prompt}) => prompt);
    this.#beginning = prompts[0]!.slice(0, beginningOf(prompts));
    this.#longest = all.at(-1)!.prompt.length + limits.maxNewTokens;
    this.#reach = Math.max(512, powerOf2(this.#longest));
    const rows = seatsFor(config, all.length, this.#longest, trials);
    this.#seats = sequences.map(() => Array.from({length: rows}, () => null));
    this.#cache = this.#open(rows, this.#roomFor(all[0]!.prompt.length + 1));
  }

  /** Reads waiting texts into free seats, where it is worth it. Returns whether any seat is taken. */
  async fill(): Promise<boolean> {
    for (;;) {
      const taken = this.#seats.flat().filter(Boolean).length;
      const coming = this.#waiting.map((own, trial) => Math.min(own.length, this.#free(trial).length));
      const count = coming.reduce((sum, own) => sum + own, 0);
      const waiting = this.#waiting.reduce((sum, own) => sum + own.length, 0);
      // Few at a time cost more than they bring, unless they are the last.
      if (count === 0 || (taken > 0 && count < waiting && count < this.#seats.flat().length / 4)) return taken > 0;
      await this.#read();
    }
  }

  /** Adds a token to every sequence in a seat. */
  async step(): Promise<void> {
    await this.#shrink();
    const longest = Math.max(...this.#seats.flat().map(sequence => (sequence ? textLength(sequence) : 0)));
    if (longest > this.#cache.room) await this.#reseat(this.#cache.rows, this.#roomFor(longest));
    // Only now: those behind an empty seat have moved up.
    const all = this.#seats.flat();
    const {padId} = this.#generative.config;
    const ids = Int32Array.from(all, sequence => sequence?.ids.at(-1) ?? padId ?? 0);
    const position = Int32Array.from(all, sequence => (sequence ? textLength(sequence) - 1 : 0));
    const beyond = all.map(sequence => sequence !== null && this.#isBeyond(sequence));
    const prospects = await this.#cache.add(ids, position, beyond);
    all.forEach((sequence, seat) => {
      if (sequence === null) return;
      this.#extend(sequence, prospects, seat);
      const trial = Math.floor(seat / this.#cache.rows);
      // With another rotary embedding from here on, what was read before is read again.
      const turns = !sequence.ended && this.#isBeyond(sequence) && !beyond[seat];
      if (turns) this.#waiting[trial]!.unshift(sequence);
      if (sequence.ended || turns) this.#seats[trial]![seat % this.#cache.rows] = null;
    });
  }

  dispose(): void {
    this.#cache.dispose();
  }

  #isBeyond(sequence: Sequence): boolean {
    return this.#original !== null && textLength(sequence) > this.#original;
  }

  #free(trial: number): number[] {
    return this.#seats[trial]!.flatMap((sequence, row) => (sequence === null ? [row] : []));
  }

  /** Reads the next texts of like length, each once for all its samples. */
  async #read(): Promise<void> {
    const {trials} = this.#generative;
    const firsts = this.#waiting.flatMap((own, trial) => (this.#free(trial).length > 0 ? own.slice(0, 1) : []));
    const first = firsts.reduce((a, b) => (textLength(b) < textLength(a) ? b : a));
    const length = this.#paddedOwn(first);
    const beyond = this.#isBeyond(first);
    const most = textsAtOnce(length, trials);
    const groups = this.#waiting.map((own, trial) =>
      this.#takeTexts(own, this.#free(trial).length, most, length, beyond),
    );
    const rows = powerOf2(Math.max(...groups.map(own => own.length)));
    const texts = groups.flatMap(own =>
      Array.from({length: rows}, (_, row) => (own[row] ? [...own[row][0]!.prompt, ...own[row][0]!.ids] : null)),
    );
    const beginning = await this.#begin(beyond);
    const behind = texts.map(text => text?.slice(this.#beginning.length) ?? null);
    const read = await readTexts(this.#programs, this.#generative, behind, {rows, length, beyond, beginning});
    const longest = Math.max(...texts.map(text => text?.length ?? 0));
    if (longest >= this.#cache.room) await this.#reseat(this.#cache.rows, this.#roomFor(longest + 1));
    const moves = groups.flatMap((own, trial) =>
      own.flatMap((group, row) =>
        group.flatMap(sequence => {
          const from = trial * rows + row;
          const known = textLength(sequence);
          this.#extend(sequence, read, from);
          if (sequence.ended) return [];
          const seat = this.#free(trial)[0]!;
          this.#seats[trial]![seat] = sequence;
          return [{from, to: trial * this.#cache.rows + seat, length: known}];
        }),
      ),
    );
    await this.#cache.take(read, moves);
  }

  /** What all texts begin with, read once. */
  async #begin(beyond: boolean): Promise<Beginning | undefined> {
    if (this.#beginning.length === 0) return undefined;
    const known = this.#begun.get(beyond);
    const begun = known ?? (await readBeginning(this.#programs, this.#generative, this.#beginning, beyond));
    this.#begun.set(beyond, begun);
    return begun;
  }

  /** What a text has behind the beginning is padded to so many tokens. */
  #paddedOwn(sequence: Sequence): number {
    return paddedLength(textLength(sequence) - this.#beginning.length);
  }

  /** Takes up to `seats` sequences with up to `most` texts of the length from those that wait; grouped by text. */
  #takeTexts(waiting: Sequence[], seats: number, most: number, length: number, beyond: boolean): Sequence[][] {
    const groups: Sequence[][] = [];
    for (let count = 0; count < seats && waiting.length > 0; count++) {
      const next = waiting[0]!;
      const group = groups.at(-1);
      const same = group !== undefined && next.ids.length === 0 && String(group[0]!.prompt) === String(next.prompt);
      const fits = this.#paddedOwn(next) <= length && this.#isBeyond(next) === beyond;
      if (!fits || (!same && groups.length === most)) break;
      waiting.shift();
      if (same) group.push(next);
      else groups.push([next]);
    }
    return groups;
  }

  /** Gives a sequence its next token. */
  #extend(sequence: Sequence, {logits, likeliest}: Prospects, at: number): void {
    const {vocabSize} = this.#generative.config;
    const {maxNewTokens, eosIds} = this.#limits;
    const token = sequence.next(logits.subarray(at * vocabSize, (at + 1) * vocabSize), likeliest[at]!);
    sequence.ids.push(token);
    sequence.ended =
      sequence.ids.length >= maxNewTokens || eosIds.includes(token) || this.#hasStopped(sequence.ids, sequence.prompt);
  }

  /** Goes on with a smaller batch when half the seats stay empty. */
  async #shrink(): Promise<void> {
    if (this.#waiting.some(own => own.length > 0)) return;
    const {trials} = this.#generative;
    const taken = Math.max(...this.#seats.map(own => own.filter(Boolean).length));
    const rows = powerOf2(Math.max(taken, fewSequences / trials));
    const left = Math.max(...this.#seats.flat().map(own => (own ? this.#limits.maxNewTokens - own.ids.length : 0)));
    if (rows < this.#cache.rows && left >= worthwhileSteps) await this.#reseat(rows, this.#cache.room);
  }

  #open(rows: number, room: number): Cache {
    return openCache(this.#programs, this.#generative, {rows, room, reach: this.#reach});
  }

  #roomFor(length: number): number {
    const grown = Math.max(length + roomStep, 1.5 * (this.#cache?.room ?? 0));
    return Math.max(length, Math.min(this.#longest, roomStep * Math.ceil(grown / roomStep)));
  }

  /** Moves all sequences into a cache of another size. */
  async #reseat(rows: number, room: number): Promise<void> {
    const before: KeysAndValues & {rows: number; dispose(): void} = this.#cache;
    const cache = this.#open(rows, room);
    const moves: {from: number; to: number; length: number}[] = [];
    this.#seats = this.#seats.map((own, trial) => {
      const kept = own.flatMap((sequence, row) => (sequence ? [{sequence, row}] : []));
      kept.forEach(({sequence, row}, to) => {
        moves.push({from: trial * before.rows + row, to: trial * rows + to, length: textLength(sequence) - 1});
      });
      return Array.from({length: rows}, (_, row) => kept[row]?.sequence ?? null);
    });
    await cache.take(before, moves);
    before.dispose();
    this.#cache = cache;
  }
}
