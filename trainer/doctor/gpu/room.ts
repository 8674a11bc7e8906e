/** What happens where a GPU has no room: its own refusal, and a pack that goes on in halves after it. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {SweepError} from '../../../core/error.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import type {Engine, Program} from '../../engine/program/engine.ts';
import {needsRoom} from '../../engine/program/no-room.ts';
import {Programs} from '../../engine/program/programs.ts';
import {trainJob} from '../../run/packs.ts';
import type {Prepared} from '../../run/prepare.ts';
import {openSweep} from '../../run/sweep-file.ts';
import {train} from '../../training/train.ts';
import {referenceRows} from './reference.ts';

/** What running out of room came to. */
export interface Halving {
  /** Bytes of the smallest tensor that the device refused; null where it refused none, and the refusal was made up. */
  refused: number | null;
  /** Its words for that. */
  words: string;
  /** Trials a pack, as they were halved. */
  packs: number[];
  finished: number;
  /** The largest distance of a loss from that of its trial alone. */
  apart: number;
}

/** Bytes of the first tensor that is asked for; each further one is twice as large. */
const firstBytes = 2.4e9;
const [trials, steps, fitting] = [2, 3, 1];

/** Two trials in one pack, of which the device has room for one: it refuses a tensor in the second step of both. */
export async function checkHalving(engine: Engine, deviceBytes: number): Promise<Halving> {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-doctor-'));
  try {
    const prepared = await openSweep(sweepIn(folder)).prepare(1);
    const all = expandTrials(prepared.sweep);
    const refusal: Refusal = {bytes: null, words: ''};
    const programs = new Programs(narrowed(engine, deviceBytes, refusal));
    const together = await trained(prepared, [all], programs, folder);
    const each = all.map(trial => [trial]);
    const alone = await trained(prepared, each, programs, folder);
    await programs.dispose();
    const apart = [...alone.losses].map(([key, loss]) =>
      Math.abs((together.losses.get(key) ?? Number.NaN) - (loss ?? Number.NaN)),
    );
    return {
      refused: refusal.bytes,
      words: refusal.words,
      packs: together.packs,
      finished: together.finished,
      apart: Math.max(...apart),
    };
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function sweepIn(folder: string): string {
  const {model, rows} = referenceRows();
  const data = join(folder, 'rows.jsonl');
  writeFileSync(data, rows.map(({ids, labels}) => JSON.stringify({input_ids: ids, labels})).join('\n'));
  const file = join(folder, 'halves.sweep.yaml');
  const rates = Array.from({length: trials}, (_, i) => (1e-3 * (i + 1)).toPrecision(2));
  writeFileSync(
    file,
    `model: ${JSON.stringify(model)}
data: {train: ${JSON.stringify(data)}, format: tokens}
methods: [lora]
batch_size: 4
learning_rate: [${rates.join(', ')}]
training: {steps: ${steps}}
`,
  );
  return file;
}

interface Refusal {
  bytes: number | null;
  words: string;
}

/** The engine, whose memory a tensor that is far too large fills in the second step of a pack with more trials than fit. */
function narrowed(engine: Engine, deviceBytes: number, refusal: Refusal): Engine {
  let wide = 0;
  const fill = async (): Promise<never> => {
    for (let bytes = firstBytes; bytes <= Math.max(firstBytes, 2 * deviceBytes); bytes *= 2) {
      try {
        await runTensorOf(engine, bytes);
      } catch (error) {
        if (!needsRoom(error)) throw error;
        refusal.bytes ??= bytes;
        refusal.words ||= error.message;
        throw error;
      }
    }
    throw new SweepError('gpu-memory', 'The device refused nothing; this refusal is made up.');
  };
  return {
    ...engine,
    async compile(computation): Promise<Program> {
      const program = await engine.compile(computation);
      const [side = 1] = computation.state['parameters']?.shape ?? [];
      return {
        ...program,
        run: (feeds, state) => (side > fitting && ++wide > 1 ? fill() : program.run(feeds, state)),
      };
    },
  };
}

async function runTensorOf(engine: Engine, bytes: number): Promise<void> {
  const rows = 1000;
  const program = await engine.compile({
    inputs: {x: {shape: [1, 1], dtype: 'float32'}},
    state: {},
    body: ({x}) => ({y: tf.sum(tf.square(tf.broadcastTo(x!, [rows, Math.round(bytes / 4 / rows)])))}),
  });
  try {
    await program.run({x: Float32Array.of(1)});
  } finally {
    await program.dispose();
  }
}

interface Trained {
  /** `trial step` → loss. */
  losses: Map<string, number | null>;
  packs: number[];
  finished: number;
}

async function trained(prepared: Prepared, packs: Trial[][], programs: Programs, folder: string): Promise<Trained> {
  const {config, weights} = prepared.model;
  const found: Trained = {losses: new Map(), packs: [], finished: 0};
  const emit = (event: RunEventBody): void => {
    if (event.event === 'step')
      for (const [i, trial] of event.trials.entries()) found.losses.set(`${trial} ${event.step}`, event.losses[i]!);
    if (event.event === 'trial-ended' && event.state === 'finished') found.finished++;
    if (event.event === 'note') found.packs.push(Number(/packs of (\d+)/.exec(event.message)?.[1]));
  };
  const context = {
    ...{config, weights, programs, emit, worker: 0},
    generated: () => {},
    stopped: () => false,
    crowded: () => false,
    decode: () => '',
    stored: async () => 0,
  };
  const out = mkdtempSync(join(folder, 'run-'));
  for (const pack of packs) await train(trainJob(prepared, pack, out), context);
  return found;
}
