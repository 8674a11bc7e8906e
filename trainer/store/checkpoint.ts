/** Checkpoints of a pack: everything a training needs to go on as if it had never stopped. */
import {existsSync, mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {readHeader, readTensor, writeSafetensors} from '../model/safetensors.ts';

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

function fileOf(folder: string, pack: string): string {
  return join(folder, `${pack}.safetensors`);
}

/** Replaces the pack's checkpoint, in one rename. */
export function saveCheckpoint(folder: string, pack: string, {step, tensors, active, seconds}: Checkpoint): void {
  mkdirSync(folder, {recursive: true});
  const values = new Map(
    Object.entries({...tensors, active}).map(([name, data]) => [name, {shape: [data.length], data}]),
  );
  writeSafetensors(fileOf(folder, pack), values, {step: String(step), seconds: String(seconds)});
}

/** The pack's checkpoint, or null; one that cannot be read counts as none. */
export function loadCheckpoint(folder: string, pack: string): Checkpoint | null {
  const file = fileOf(folder, pack);
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

export function dropCheckpoint(folder: string, pack: string): void {
  rmSync(fileOf(folder, pack), {force: true});
}
