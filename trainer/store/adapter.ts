/**
 * Adapter folders in PEFT's format, written: adapter_config.json, adapter_model.safetensors and, for methods that take
 * their start out of the base, start.safetensors.
 */
import {randomUUID} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {moduleName} from '../model/names.ts';
import {type TensorValues, writeSafetensors} from '../model/safetensors.ts';
import {adapterFiles, configName, startName, tensorsName} from './adapter-files.ts';
import {storeError} from './errors.ts';
import {type AdapterBase, targetsOf} from './read-adapter.ts';

export {type Adapter, type AdapterBase, type AdapterFactors, readAdapter} from './read-adapter.ts';

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
  base: AdapterBase;
  rank: number;
  /** The update is scaled by alpha / rank. */
  alpha: number;
  /** Where transformers has the decoder inside the whole model; `model` where there is nothing else. */
  modulePath?: string;
  /** By the decoder's names, such as `model.layers.0.self_attn.q_proj`. */
  factors: ReadonlyMap<string, TrainedFactors>;
  /**
   * For methods that take their start out of the base (PiSSA, MiLoRA, Init[AB]): its name and starting factors. The
   * adapter belongs to the base W - s·B₀·A₀, which PEFT itself makes for PiSSA only.
   */
  residual?: {method: string; start: ReadonlyMap<string, Pick<TrainedFactors, 'A' | 'B'>>};
}

/**
 * Writes an adapter folder, whole or not at all; an earlier adapter in its place is replaced.
 * @throws SweepError `folder-in-use` when the folder holds anything else, `disk-full`, `cannot-write`
 */
export function writeAdapter(
  folder: string,
  {base, rank, alpha, modulePath = 'model', factors, residual}: AdapterToWrite,
): void {
  const target = resolve(folder);
  const inModel = <Value>(named: ReadonlyMap<string, Value>) =>
    new Map([...named].map(([name, value]) => [moduleName(name, modulePath), value]));
  const config = {
    alpha_pattern: {},
    base_model_name_or_path: base.model,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: residual?.method === 'pissa' ? 'pissa' : true,
    lora_alpha: alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    rank_pattern: {},
    revision: base.revision,
    // Beside other parts the last names would mean theirs too.
    target_modules: modulePath === 'model' ? targetsOf(factors.keys()) : [...inModel(factors).keys()],
    task_type: 'CAUSAL_LM',
    use_dora: [...factors.values()].some(({magnitude}) => magnitude !== undefined),
    use_rslora: false,
    ...(residual ? {lora_sweep: {method: residual.method, residual_start: startName}} : {}),
  };

  refuseStrangers(target);
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(target), {recursive: true});
    mkdirSync(temporary);
    writeFileSync(join(temporary, configName), `${JSON.stringify(config, null, 2)}\n`);
    writeSafetensors(join(temporary, tensorsName), tensorsOf(inModel(factors), rank));
    if (residual) writeSafetensors(join(temporary, startName), tensorsOf(inModel(residual.start), rank));
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
  const strange = names.find(name => !adapterFiles.some(own => own === name));
  if (strange === undefined) return;
  throw new SweepError(
    'folder-in-use',
    `The adapter was not written because ${target} already holds ${strange}; choose a new or empty folder.`,
    {folder: target, strange},
  );
}

/** PEFT's names and shapes. */
function tensorsOf(factors: ReadonlyMap<string, TrainedFactors>, rank: number): Map<string, TensorValues> {
  const tensors = new Map<string, TensorValues>();
  for (const [path, {A, B, magnitude}] of factors) {
    const prefix = `base_model.model.${path}.`;
    tensors.set(`${prefix}lora_A.weight`, {shape: [rank, A.length / rank], data: A});
    tensors.set(`${prefix}lora_B.weight`, {shape: [B.length / rank, rank], data: B});
    if (magnitude) tensors.set(`${prefix}lora_magnitude_vector`, {shape: [magnitude.length], data: magnitude});
  }
  return tensors;
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
