/**
 * Checkpoints: everything a trial needs to go on as if it had never stopped. A file a trial, so that trials can go on
 * side by side with others than before.
 */
import {existsSync, mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {readHeader, readTensor, writeSafetensors} from '../model/safetensors.ts';

/** Of the trials of a pack. */
export interface Checkpoint {
  /** Updates done. */
  step: number;
  /** Parameters, moments and starts by name, each [trials · size]. */
  tensors: Record<string, Float32Array>;
  /** 1 where the trial was still training. */
  active: Float32Array;
  /** Training time so far. */
  seconds: number;
}

function fileOf(folder: string, trial: string): string {
  return join(folder, `${trial}.safetensors`);
}

/** Replaces the checkpoints of these trials, each in one rename. */
export function saveCheckpoint(folder: string, trials: readonly string[], checkpoint: Checkpoint): void {
  const {step, tensors, active, seconds} = checkpoint;
  mkdirSync(folder, {recursive: true});
  trials.forEach((trial, i) => {
    const own = Object.entries(tensors).map(([name, all]) => {
      const size = all.length / trials.length;
      return [name, all.subarray(i * size, (i + 1) * size)] as const;
    });
    const values = new Map(
      [...own, ['active', active.subarray(i, i + 1)] as const].map(([name, data]) => [
        name,
        {shape: [data.length], data},
      ]),
    );
    writeSafetensors(fileOf(folder, trial), values, {step: String(step), seconds: String(seconds)});
  });
}

/** The checkpoint of these trials, or null where they have none at the same step; one that cannot be read counts as none. */
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
    seconds: Math.max(...all.map(({seconds}) => seconds)),
  };
}

/** Updates that a trial's checkpoint has behind it; 0 without one. */
export function checkpointStep(folder: string, trial: string): number {
  return readCheckpoint(fileOf(folder, trial))?.step ?? 0;
}

function readCheckpoint(file: string): Checkpoint | null {
  if (!existsSync(file)) return null;
  try {
    const {tensors, metadata} = readHeader(file);
    const step = Number(metadata['step']);
    const seconds = Number(metadata['seconds']);
    const values = Object.fromEntries([...tensors].map(([name, stored]) => [name, readTensor(stored)]));
    const {active, ...rest} = values;
    return active && Number.isInteger(step) && seconds >= 0 ? {step, tensors: rest, active, seconds} : null;
  } catch {
    return null;
  }
}

export function dropCheckpoint(folder: string, trials: readonly string[]): void {
  for (const trial of trials) rmSync(fileOf(folder, trial), {force: true});
}
