/**
 * Adapter folders in PEFT's format, written: adapter_config.json, adapter_model.safetensors and, for methods that take
 * their start out of the base, start.safetensors.
 */
import {existsSync, mkdirSync, readdirSync, renameSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {Shapes} from '../../core/method/method.ts';
import type {JsonObject} from '../files/json-file.ts';
import {temporaryOf} from '../files/temporary.ts';
import {discard, storeError, syncFolder} from '../files/write-whole.ts';
import type {Form, Parts} from '../method/form.ts';
import type {PeftFormat} from '../method/peft-format.ts';
import {moduleName} from '../model/decoder-names.ts';
import {type TensorValues, writeSafetensors} from '../weights/safetensors.ts';
import {adapterFiles, configName, startName, tensorsName} from './files.ts';
import {type AdapterKind, formatOf} from './peft-formats.ts';
import {type AdapterBase, targetsOf} from './read-adapter.ts';

export {type Adapter, type AdapterBase, readAdapter} from './read-adapter.ts';

export interface AdapterToWrite {
  base: AdapterBase;
  /** Absent = LoRA, or DoRA where the factors have magnitudes. */
  kind?: AdapterKind;
  rank: number;
  /** The update is scaled by alpha / rank. */
  alpha: number;
  /** Settings that only this kind has. */
  options?: Form['options'];
  /** Where transformers has the decoder inside the whole model; `model` where there is nothing else. */
  modulePath?: string;
  /** Of projections whose rank is another one; their updates are scaled like all others. */
  ranks?: ReadonlyMap<string, number>;
  /** The trained tensors by the decoder's names, such as `model.layers.0.self_attn.q_proj`. */
  factors: ReadonlyMap<string, Parts>;
  /** Shapes of these tensors and, without a name, of the shared ones, for kinds whose format does not know them from the numbers of values. */
  shapes?: ReadonlyMap<string, Shapes>;
  /** What all of them share. */
  shared?: Parts;
  /**
   * For methods that take their start out of the base (PiSSA, MiLoRA, Init[AB], LoRA-GA): its name and starting factors.
   * The adapter belongs to the base W - s·B₀·A₀, which PEFT itself makes for PiSSA only.
   */
  residual?: {method: string; start: ReadonlyMap<string, Parts>};
}

/**
 * Writes an adapter folder, whole or not at all; an earlier adapter in its place is replaced.
 * @throws SweepError `folder-in-use` when the folder holds anything else, `disk-full`, `cannot-write`
 */
export function writeAdapter(
  folder: string,
  {
    base,
    kind = 'lora',
    rank,
    alpha,
    ranks = new Map(),
    options = {},
    modulePath = 'model',
    factors,
    shapes,
    shared,
    residual,
  }: AdapterToWrite,
): void {
  const target = resolve(folder);
  const inModel = <Value>(named: ReadonlyMap<string, Value>) =>
    new Map([...named].map(([name, value]) => [moduleName(name, modulePath), value]));
  const format = formatOf(kind);
  const form = {rank, scale: alpha / rank, options};
  const own = inModel(ranks);
  // Beside other parts the last names would mean theirs too, and where ranks differ a projection may have none.
  const isPlain = modulePath === 'model' && own.size === 0;
  const targets = isPlain ? targetsOf(factors.keys()) : [...inModel(factors).keys()];
  const config = configOf({base, format, form, alpha, ranks: own, targets, factors, residual});

  refuseStrangers(target);
  const temporary = temporaryOf(target);
  try {
    mkdirSync(dirname(target), {recursive: true});
    mkdirSync(temporary);
    writeFileSync(join(temporary, configName), `${JSON.stringify(config, null, 2)}\n`, {flush: true});
    writeSafetensors(
      join(temporary, tensorsName),
      tensorsOf(
        format,
        {...form, ranks: own},
        inModel(factors),
        shared,
        shapes && new Map([...shapes, ...inModel(shapes)]),
      ),
    );
    if (residual)
      writeSafetensors(join(temporary, startName), tensorsOf(format, {...form, ranks: own}, inModel(residual.start)));
    syncFolder(temporary);
    putInPlace(temporary, target);
    syncFolder(dirname(target));
  } catch (error) {
    discard(temporary);
    throw storeError(error, target);
  }
}

interface Configured extends Required<Pick<AdapterToWrite, 'base' | 'alpha' | 'factors' | 'ranks'>> {
  residual: AdapterToWrite['residual'];
  format: PeftFormat;
  form: Form;
  targets: readonly string[];
}

/** adapter_config.json, its keys in order. */
function configOf({base, format, form, alpha, ranks, targets, factors, residual}: Configured): JsonObject {
  const ofLora = {
    init_lora_weights: residual?.method === 'pissa' ? 'pissa' : true,
    use_dora: [...factors.values()].some(({magnitude}) => magnitude !== undefined),
  };
  const config = {
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    modules_to_save: null,
    peft_type: format.peftType,
    revision: base.revision,
    base_model_name_or_path: base.model,
    target_modules: [...targets],
    task_type: 'CAUSAL_LM',
    ...format.config(form, alpha, targets),
    ...(ranks.size > 0 && {
      rank_pattern: Object.fromEntries(ranks),
      alpha_pattern: Object.fromEntries([...ranks].map(([path, rank]) => [path, rank * form.scale])),
    }),
    ...(format.peftType === 'LORA' ? ofLora : {init_weights: true}),
    ...(residual ? {lora_sweep: {method: residual.method, residual_start: startName}} : {}),
  };
  const known = Object.entries(config).filter(([key]) => !format.without?.includes(key));
  return Object.fromEntries(known.sort(([a], [b]) => (a < b ? -1 : 1)));
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
function tensorsOf(
  format: PeftFormat,
  {ranks, ...form}: Form & {ranks: ReadonlyMap<string, number>},
  factors: ReadonlyMap<string, Parts>,
  shared: Parts = {},
  shapes?: ReadonlyMap<string, Shapes>,
): Map<string, TensorValues> {
  const tensors = new Map<string, TensorValues>();
  const add = (prefix: string, names: PeftFormat['names'], parts: Parts, known?: Shapes, rank = form.rank) => {
    const own = format.shapes?.(parts, {...form, rank}) ?? known!;
    for (const [part, name] of Object.entries(names)) {
      const data = parts[part];
      if (data) tensors.set(`${prefix}${name}`, {shape: own[part]!, data});
    }
  };
  add('base_model.', format.shared, shared, shapes?.get('') ?? {});
  for (const [path, parts] of factors)
    add(`base_model.model.${path}.`, format.names, parts, shapes?.get(path), ranks.get(path));
  return tensors;
}

/** A folder cannot be renamed onto a filled one: the old one steps aside, and comes back if the new one cannot move in. */
function putInPlace(temporary: string, target: string): void {
  if (!existsSync(target)) {
    renameSync(temporary, target);
    return;
  }
  const aside = temporaryOf(target);
  renameSync(target, aside);
  try {
    renameSync(temporary, target);
  } catch (error) {
    renameSync(aside, target);
    throw error;
  }
  discard(aside);
}
