/** Adapter folders in PEFT's format, read: LoRA and DoRA of linear layers, everything else is refused by name. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {isObject, type JsonObject, readJsonFile} from '../model/json-file.ts';
import {decoderName} from '../model/names.ts';
import {readHeader, readTensor, type StoredTensor} from '../model/safetensors.ts';
import {configName, startName, tensorsName} from './adapter-files.ts';

/** The factors of one projection: y += scale * B (A x). */
export interface AdapterFactors {
  /** [rank, inputs] row-major. */
  A: Float32Array;
  /** [outputs, rank] row-major. */
  B: Float32Array;
  /** [outputs], DoRA only. */
  magnitude?: Float32Array;
  rank: number;
  scale: number;
  inputs: number;
  outputs: number;
}

/** The base model of an adapter, as PEFT finds it again. */
export interface AdapterBase {
  /** A hub id or a folder. */
  model: string;
  /** Commit of the hub. */
  revision: string | null;
}

export interface Adapter {
  base: AdapterBase;
  method: 'lora' | 'dora';
  /** `r` of the configuration; a module may have its own by `rank_pattern`. */
  rank: number;
  /** `lora_alpha` of the configuration; a module may have its own by `alpha_pattern`. */
  alpha: number;
  /** alpha / rank, or alpha / sqrt(rank) with `use_rslora`. */
  scale: number;
  /** Last parts of the module paths, each once, such as `q_proj`. */
  targets: string[];
  /** By module path, such as `model.layers.0.self_attn.q_proj`. */
  factors: Map<string, AdapterFactors>;
  /**
   * The method or PEFT initialisation (`milora`, `pissa`, `olora`, ...) that changed the base weights before these
   * factors were added: on the unchanged base they do not give the trained model without `start`. Null when they belong
   * to the unchanged base.
   */
  residualOf: string | null;
  /** The factors taken out of the base, by module path, where the folder has them. */
  start: Map<string, Pick<AdapterFactors, 'A' | 'B'>> | null;
}

/** Settings under which an adapter is something else than low-rank updates of linear layers; all must be off. */
const unsupported = [
  'modules_to_save',
  'lora_bias',
  'fan_in_fan_out',
  'alora_invocation_tokens',
  'layer_replication',
  'trainable_token_indices',
  'target_parameters',
  'megatron_config',
  'arrow_config',
  'kasa_config',
  'monteclora_config',
  'velora_config',
  'use_qalora',
  'use_bdlora',
];
/** Values of `init_lora_weights` that leave the base as it is. */
const plainStarts = ['gaussian', 'eva', 'orthogonal'];

/**
 * Reads an adapter folder.
 * @throws SweepError `missing-file`, `bad-adapter` (what it is that cannot be used), `bad-model` for a damaged file
 */
export function readAdapter(folder: string): Adapter {
  const configFile = join(folder, configName);
  const tensorsFile = join(folder, tensorsName);
  const config = readJsonFile(configFile);
  if (!config)
    throw new SweepError('missing-file', `There is no adapter in ${folder}: it has no adapter_config.json.`, {folder});
  if (!existsSync(tensorsFile)) {
    const why = existsSync(join(folder, 'adapter_model.bin'))
      ? 'has only adapter_model.bin; save it again with safe_serialization=True'
      : 'has no adapter_model.safetensors';
    throw new SweepError('missing-file', `The adapter ${folder} ${why}.`, {folder});
  }
  const bad: Complaint = what =>
    new SweepError('bad-adapter', `The adapter ${folder} cannot be used: ${what}.`, {folder});
  checkConfig(config, bad);

  const rank = positive(config['r'], 'r', bad);
  if (!Number.isInteger(rank)) throw bad(`r is ${rank}, not a whole number`);
  const alpha = positive(config['lora_alpha'], 'lora_alpha', bad);
  const scaleOf = (r: number, a: number) => (config['use_rslora'] === true ? a / Math.sqrt(r) : a / r);
  const ranks = pattern(config, 'rank_pattern', bad);
  const alphas = pattern(config, 'alpha_pattern', bad);
  const dora = config['use_dora'] === true;

  const factors = new Map<string, AdapterFactors>();
  for (const [path, parts] of modulesOf(readHeader(tensorsFile).tensors, bad)) {
    const expected = ranks(path) ?? rank;
    const moduleAlpha = alphas(path) ?? alpha;
    factors.set(decoderName(path), {
      ...readFactors(path, parts, expected, dora, bad),
      scale: scaleOf(expected, moduleAlpha),
    });
  }
  if (factors.size === 0) throw bad('adapter_model.safetensors holds no tensors');
  const {base_model_name_or_path: model, revision} = config;
  return {
    base: {
      model: typeof model === 'string' ? model : '',
      revision: typeof revision === 'string' ? revision : null,
    },
    method: dora ? 'dora' : 'lora',
    rank,
    alpha,
    scale: scaleOf(rank, alpha),
    targets: targetsOf(factors.keys()),
    factors,
    residualOf: residualOf(config),
    start: readStart(join(folder, startName), factors, bad),
  };
}

/** Our own record where there is one, as PEFT has no name for most residual methods, else PEFT's. */
function residualOf({lora_sweep: own, init_lora_weights: initialisation}: JsonObject): string | null {
  if (isObject(own) && typeof own['method'] === 'string') return own['method'];
  if (typeof initialisation !== 'string' || plainStarts.includes(initialisation.toLowerCase())) return null;
  return initialisation;
}

/** The start of exactly these factors; null where there is no such file. */
function readStart(file: string, factors: Adapter['factors'], bad: Complaint): Adapter['start'] {
  if (!existsSync(file)) return null;
  const modules = new Map(
    [...modulesOf(readHeader(file).tensors, bad)].map(([path, parts]) => [decoderName(path), parts]),
  );
  const strange = [...modules.keys()].find(path => !factors.has(path));
  if (strange !== undefined) throw bad(`${startName} has factors of ${strange}, which the adapter does not train`);
  return new Map(
    [...factors].map(([path, {rank, inputs, outputs}]) => {
      const start = readFactors(path, modules.get(path) ?? new Map(), rank, false, bad);
      if (start.inputs !== inputs || start.outputs !== outputs)
        throw bad(`${startName} is for ${start.outputs} × ${start.inputs} at ${path}, not ${outputs} × ${inputs}`);
      return [path, {A: start.A, B: start.B}];
    }),
  );
}

/** The last part of every module path, each once, in order. */
export function targetsOf(paths: Iterable<string>): string[] {
  return [...new Set(Array.from(paths, path => path.slice(path.lastIndexOf('.') + 1)))].sort();
}

type Complaint = (what: string) => SweepError;

function checkConfig(config: JsonObject, bad: Complaint): void {
  if (config['peft_type'] !== 'LORA') {
    throw bad(`its peft_type is ${JSON.stringify(config['peft_type'])}; only LORA adapters (LoRA, DoRA) can be read`);
  }
  const bias = config['bias'] ?? 'none';
  if (bias !== 'none') throw bad(`it trains biases (bias: ${JSON.stringify(bias)}); only bias "none" can be read`);
  const used = unsupported.find(name => !isOff(config[name]));
  if (used) throw bad(`it uses ${used}, which is not supported`);
}

function isOff(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false;
}

function positive(value: unknown, name: string, bad: Complaint): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw bad(`${name} is ${JSON.stringify(value)}, not a number above 0`);
}

/** PEFT's patterns: the first key that, as a regular expression, matches the end of the path from a dot on. */
function pattern(config: JsonObject, name: string, bad: Complaint): (path: string) => number | undefined {
  const table = config[name] ?? {};
  if (!isObject(table)) throw bad(`${name} is not an object`);
  const rules = Object.entries(table).map(([key, value]) => {
    try {
      return {expression: new RegExp(`^(?:.*\\.)?(?:${key})$`), value: positive(value, `${name} of ${key}`, bad)};
    } catch (error) {
      if (error instanceof SweepError) throw error;
      throw bad(`${name} holds ${JSON.stringify(key)}, which is not a regular expression`);
    }
  });
  return path => rules.find(({expression}) => expression.test(path))?.value;
}

const tensorName = /^base_model\.model\.(.+)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector)$/;

type Parts = Map<string, StoredTensor>;

/** The tensors by module path, then by the last part of their names. */
function modulesOf(tensors: Map<string, StoredTensor>, bad: Complaint): Map<string, Parts> {
  const modules = new Map<string, Parts>();
  for (const [name, tensor] of tensors) {
    const [, path, part] = tensorName.exec(name) ?? [];
    if (path === undefined || part === undefined) {
      throw bad(`it holds the tensor ${JSON.stringify(name)}, which is not a LoRA factor of a linear layer`);
    }
    const parts = modules.get(path) ?? new Map();
    modules.set(path, parts.set(part, tensor));
  }
  return modules;
}

function readFactors(
  path: string,
  parts: Parts,
  rank: number,
  dora: boolean,
  bad: Complaint,
): Omit<AdapterFactors, 'scale'> {
  const a = parts.get('lora_A.weight');
  const b = parts.get('lora_B.weight');
  const m = parts.get('lora_magnitude_vector');
  if (!(a && b)) throw bad(`${path} has no ${a ? 'lora_B' : 'lora_A'}`);
  const shown = (tensor: StoredTensor) => `[${tensor.shape.join(', ')}]`;
  const [aRank, inputs] = a.shape;
  const [outputs, bRank] = b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || aRank !== rank || bRank !== rank || !inputs || !outputs) {
    throw bad(
      `${path} has lora_A ${shown(a)} and lora_B ${shown(b)}, but rank ${rank} needs [${rank}, in] and [out, ${rank}]`,
    );
  }
  if (dora !== (m !== undefined)) {
    throw bad(
      dora ? `use_dora is true but ${path} has no magnitude` : `${path} has a magnitude but use_dora is not true`,
    );
  }
  if (m && (m.shape.length !== 1 || m.shape[0] !== outputs)) {
    throw bad(`${path} has a magnitude ${shown(m)} for ${outputs} outputs`);
  }
  const finite = (tensor: StoredTensor) => {
    const values = readTensor(tensor);
    if (!values.every(Number.isFinite)) throw bad(`${tensor.name} holds values that are not finite`);
    return values;
  };
  return {A: finite(a), B: finite(b), ...(m ? {magnitude: finite(m)} : {}), rank, inputs, outputs};
}
