/** Adapter folders in PEFT's format, written: adapter_config.json and adapter_model.safetensors. */
import {randomUUID} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {type TensorValues, writeSafetensors} from '../model/safetensors.ts';
import {storeError} from './errors.ts';
import {targetsOf} from './read-adapter.ts';

export {type Adapter, type AdapterFactors, readAdapter} from './read-adapter.ts';

const configName = 'adapter_config.json';
const tensorsName = 'adapter_model.safetensors';

/** The factors of one projection W [outputs, inputs]. */
export interface TrainedFactors {
  /** [rank, inputs] */
  A: Float32Array;
  /** [outputs, rank] */
  B: Float32Array;
  /** [outputs]; every projection has one, and then this is DoRA, or none has. */
  magnitude?: Float32Array;
}

export interface AdapterToWrite {
  /** The base model as the sweep file names it. */
  base: string;
  rank: number;
  /** The update is scaled by alpha / rank. */
  alpha: number;
  /** By module path, such as `model.layers.0.self_attn.q_proj`. */
  factors: ReadonlyMap<string, TrainedFactors>;
  /**
   * The factors a residual method (PiSSA, MiLoRA, Init[AB]) started from and took out of the base. With them the
   * adapter is written for the unchanged base, at twice the rank: W - s B0 A0 + s B A = W + s [B, -B0] [A; A0].
   * Without them it is written as it is, which belongs to the residual base.
   */
  start?: ReadonlyMap<string, Pick<TrainedFactors, 'A' | 'B'>>;
}

/**
 * Writes an adapter folder, whole or not at all; an earlier adapter in its place is replaced.
 * @throws SweepError `folder-in-use` when the folder holds anything else, `disk-full`, `cannot-write`
 */
export function writeAdapter(folder: string, {base, rank, alpha, factors, start}: AdapterToWrite): void {
  const target = resolve(folder);
  const doubled = start ? 2 : 1;
  const tensors = new Map<string, TensorValues>();
  for (const [path, own] of factors) {
    const {A, B, magnitude} = start ? onUnchangedBase(path, own, start.get(path), rank) : own;
    const prefix = `base_model.model.${path}.`;
    tensors.set(`${prefix}lora_A.weight`, {shape: [doubled * rank, own.A.length / rank], data: A});
    tensors.set(`${prefix}lora_B.weight`, {shape: [own.B.length / rank, doubled * rank], data: B});
    if (magnitude) tensors.set(`${prefix}lora_magnitude_vector`, {shape: [magnitude.length], data: magnitude});
  }
  const config = {
    alpha_pattern: {},
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: doubled * alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: doubled * rank,
    rank_pattern: {},
    revision: null,
    target_modules: targetsOf(factors.keys()),
    task_type: 'CAUSAL_LM',
    use_dora: [...factors.values()].some(({magnitude}) => magnitude !== undefined),
    use_rslora: false,
  };

  refuseStrangers(target);
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(target), {recursive: true});
    mkdirSync(temporary);
    writeFileSync(join(temporary, configName), `${JSON.stringify(config, null, 2)}\n`);
    writeSafetensors(join(temporary, tensorsName), tensors);
    putInPlace(temporary, target);
  } catch (error) {
    rmSync(temporary, {recursive: true, force: true});
    throw storeError(error, target);
  }
}

/** Only an adapter may be replaced by an adapter: other files in its folder are the user's. */
function refuseStrangers(target: string): void {
  let names: string[];
  try {
    names = existsSync(target) ? readdirSync(target) : [];
  } catch (error) {
    throw storeError(error, target);
  }
  const strange = names.find(name => name !== configName && name !== tensorsName);
  if (strange === undefined) return;
  throw new SweepError(
    'folder-in-use',
    `The adapter was not written because ${target} already holds ${strange}; choose a new or empty folder.`,
    {folder: target, strange},
  );
}

function onUnchangedBase(
  path: string,
  {A, B, magnitude}: TrainedFactors,
  start: Pick<TrainedFactors, 'A' | 'B'> | undefined,
  rank: number,
): TrainedFactors {
  if (magnitude || start?.A.length !== A.length || start.B.length !== B.length) {
    throw new RangeError(`${path}: only a plain low-rank update with its start of the same shape can be converted`);
  }
  const outputs = B.length / rank;
  const bothA = new Float32Array(2 * A.length);
  bothA.set(A);
  bothA.set(start.A, A.length);
  const bothB = new Float32Array(2 * B.length);
  for (let row = 0; row < outputs; row++) {
    for (let i = 0; i < rank; i++) {
      bothB[2 * row * rank + i] = B[row * rank + i]!;
      bothB[(2 * row + 1) * rank + i] = -start.B[row * rank + i]!;
    }
  }
  return {A: bothA, B: bothB};
}

/** A folder cannot be renamed onto a filled one: the old one steps aside, and comes back if the new one cannot move in. */
function putInPlace(temporary: string, target: string): void {
  if (!existsSync(target)) {
    renameSync(temporary, target);
    return;
  }
  const aside = `${temporary}.old`;
  renameSync(target, aside);
  try {
    renameSync(temporary, target);
  } catch (error) {
    renameSync(aside, target);
    throw error;
  }
  rmSync(aside, {recursive: true, force: true});
}
