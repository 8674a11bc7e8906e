/** Adapter folders in PEFT's format, read: the kinds of peft-formats on linear layers, everything else is refused by name. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {Shapes} from '../../core/method/method.ts';
import {underClock} from '../files/clock.ts';
import {isObject, type JsonObject, readJsonFile} from '../files/json-file.ts';
import type {Form, Parts} from '../method/form.ts';
import {loraFormat, type PeftFormat} from '../method/peft-format.ts';
import {decoderName} from '../model/decoder-names.ts';
import {readHeader, readTensor, type StoredTensor} from '../weights/safetensors.ts';
import {configName, startName, tensorsName} from './files.ts';
import {type AdapterKind, adapterKinds, formatOf} from './peft-formats.ts';

/** The base model of an adapter, as PEFT finds it again. */
export interface AdapterBase {
  /** A hub id or a folder. */
  model: string;
  /** Commit of the hub. */
  revision: string | null;
}

export interface Adapter {
  base: AdapterBase;
  method: AdapterKind;
  /** `r` of the configuration; a module may have its own by `rank_pattern`. BOFT has the size of its blocks here. */
  rank: number;
  /** `lora_alpha` of the configuration; a module may have its own by `alpha_pattern`. */
  alpha: number;
  /** alpha / rank, or alpha / sqrt(rank) with `use_rslora`. */
  scale: number;
  /** Last parts of the module paths, each once, such as `q_proj`. */
  targets: string[];
  /** The trained tensors by module path, such as `model.layers.0.self_attn.q_proj`: for LoRA A [rank, inputs] and B [outputs, rank]. */
  factors: Map<string, Parts>;
  /** Size and strength of each module's adapter, and the shapes of its tensors. */
  forms: Map<string, {form: Form; shapes: Shapes}>;
  /** Frozen tensors that all modules share, and their shapes. */
  shared: Parts;
  sharedShapes: Shapes;
  /**
   * The method or PEFT initialisation (`milora`, `pissa`, `olora`, ...) that changed the base weights before these
   * factors were added: on the unchanged base they do not give the trained model without `start`. Null when they belong
   * to the unchanged base.
   */
  residualOf: string | null;
  /** The factors taken out of the base, by module path, where the folder has them. */
  start: Map<string, Parts> | null;
  /** Copies of the base's embeddings and head, by the decoder's names: PEFT saves them where it takes them for changed. */
  copies: Map<string, StoredTensor>;
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
  'hybrid_r',
];
/** Flags that may be true; any other that is says something of the adapter that is not known here. */
const knownFlags = [
  'inference_mode',
  'init_lora_weights',
  'init_weights',
  'use_rslora',
  'use_dora',
  'save_projection',
  'ensure_weight_tying',
  'init_ia3_weights',
  // Of LoKr and OFT, whose formats read them.
  'decompose_both',
  'use_cayley_neumann',
  'block_share',
];
/** `hybrid_r` of GraLoRA is a number: 0 is off. */
const isZero = (value: unknown): boolean => value === 0;

/** Values of `init_lora_weights` that leave the base as it is. */
const plainStarts = ['gaussian', 'eva', 'orthogonal', 'mica'];

/**
 * Reads an adapter folder.
 * @throws SweepError `missing-file`, `bad-adapter` (what it is that cannot be used), `bad-model` for a damaged file
 */
export function readAdapter(folder: string): Adapter {
  const config = configIn(folder);
  const bad: Complaint = what =>
    new SweepError('bad-adapter', `The adapter ${folder} cannot be used: ${what}.`, {folder});
  const kind = checkConfig(config, bad);
  const format = formatOf(kind);
  const {modules, shared, copies} = sorted(readHeader(join(folder, tensorsName)).tensors, format, bad);
  if (modules.size === 0) throw bad('adapter_model.safetensors holds no factors');
  const strengths = strengthsOf(config, format, bad);
  const common = partsOf('the whole model', shared, format.shared, [], bad);
  const sharedShapes = shapesOf(common);
  const {factors, forms} = readModules(modules, {kind, strengths, config, sharedShapes}, bad);
  const {form: first} = [...forms.values()][0] ?? refuse(bad('all its modules are empty'));
  const rank = strengths.rank ?? first.rank;
  const alpha = strengths.alpha ?? rank;
  const {base_model_name_or_path: model, revision} = config;
  return {
    base: {
      model: typeof model === 'string' ? model : '',
      revision: typeof revision === 'string' ? revision : null,
    },
    method: kind,
    rank,
    alpha,
    scale: strengths.scaleOf(rank, alpha),
    targets: targetsOf(factors.keys()),
    factors,
    forms,
    shared: valuesOf(common, bad),
    sharedShapes,
    residualOf: residualOf(config),
    start: readStart(join(folder, startName), factors, forms, bad),
    copies,
  };
}

/** The configuration of a folder that holds an adapter in PEFT's format, its tensors beside it. */
function configIn(folder: string): JsonObject {
  const config = readJsonFile(join(folder, configName));
  if (!config)
    throw new SweepError('missing-file', `There is no adapter in ${folder}: it has no adapter_config.json.`, {folder});
  if (config['fine_tune_type'] !== undefined && config['peft_type'] === undefined)
    throw new SweepError(
      'bad-adapter',
      `The adapter ${folder} was made by mlx-lm (fine_tune_type: ${JSON.stringify(config['fine_tune_type'])}), whose adapters.safetensors is no PEFT adapter; convert it to PEFT's format first.`,
      {folder},
    );
  if (!existsSync(join(folder, tensorsName))) {
    const why = existsSync(join(folder, 'adapter_model.bin'))
      ? 'has only adapter_model.bin; save it again with safe_serialization=True'
      : 'has no adapter_model.safetensors';
    throw new SweepError('missing-file', `The adapter ${folder} ${why}.`, {folder});
  }
  return config;
}

/** Rank and alpha as the configuration gives them, for the whole adapter and for modules of their own. */
interface Strengths {
  rank: number | undefined;
  alpha: number | undefined;
  rankOf(path: string): number | undefined;
  alphaOf(path: string): number | undefined;
  scaleOf(rank: number, alpha: number): number;
}

function strengthsOf(config: JsonObject, {rankKey, alphaKey}: PeftFormat, bad: Complaint): Strengths {
  const rank = rankKey === null ? undefined : positive(config[rankKey], rankKey, bad);
  if (rank !== undefined && !Number.isInteger(rank)) throw bad(`r is ${rank}, not a whole number`);
  const alpha = alphaKey === null ? undefined : positive(config[alphaKey], alphaKey, bad);
  // AdaLoRA's pattern says which of its triplets are left, as do the shapes of its tensors.
  const ranks = rankKey === 'target_r' ? () => undefined : pattern(config, 'rank_pattern', bad);
  const alphas = pattern(config, 'alpha_pattern', bad);
  return {
    rank,
    alpha,
    rankOf: path => ranks(path) ?? rank,
    alphaOf: path => alphas(path) ?? alpha,
    scaleOf: (r, a) => (config['use_rslora'] === true ? a / Math.sqrt(r) : a / r),
  };
}

/** The trained tensors of all modules, checked, and how large and how strong each module's adapter is. */
function readModules(
  modules: ReadonlyMap<string, Named>,
  {
    kind,
    strengths,
    config,
    sharedShapes,
  }: {kind: AdapterKind; strengths: Strengths; config: JsonObject; sharedShapes: Shapes},
  bad: Complaint,
): Pick<Adapter, 'factors' | 'forms'> {
  const format = formatOf(kind);
  const factors: Adapter['factors'] = new Map();
  const forms: Adapter['forms'] = new Map();
  for (const [path, tensors] of modules) {
    const parts = partsOf(path, tensors, format.names, kind === 'dora' ? [] : format.optional, bad);
    if (kind === 'lora' && parts.has('magnitude')) throw bad(`${path} has a magnitude but use_dora is not true`);
    const shapes = shapesOf(parts);
    // Where AdaLoRA has left none of a module's triplets, nothing is adapted.
    if (kind === 'adalora' && shapes['E']?.[0] === 0) continue;
    const options = format.options(config, shapes, sharedShapes);
    const rank = strengths.rankOf(path) ?? options['block_size'] ?? 1;
    const form = {rank, scale: strengths.scaleOf(rank, strengths.alphaOf(path) ?? rank), options};
    const values = valuesOf(parts, bad);
    checkShapes(path, shapes, format, values, form, bad);
    const name = decoderName(path);
    factors.set(name, values);
    forms.set(name, {form, shapes});
  }
  return {factors, forms};
}

/** Our own record where there is one, as PEFT has no name for most residual methods, else PEFT's. */
function residualOf({lora_sweep: own, init_lora_weights: initialisation}: JsonObject): string | null {
  if (isObject(own) && typeof own['method'] === 'string') return own['method'];
  if (typeof initialisation !== 'string' || plainStarts.includes(initialisation.toLowerCase())) return null;
  return initialisation;
}

/** The start of exactly these factors; null where there is no such file. */
function readStart(
  file: string,
  factors: Adapter['factors'],
  forms: Adapter['forms'],
  bad: Complaint,
): Adapter['start'] {
  if (!existsSync(file)) return null;
  const format = loraFormat;
  const {modules} = sorted(readHeader(file).tensors, format, bad);
  const named = new Map([...modules].map(([path, tensors]) => [decoderName(path), tensors]));
  const strange = [...named.keys()].find(path => !factors.has(path));
  if (strange !== undefined) throw bad(`${startName} has factors of ${strange}, which the adapter does not train`);
  return new Map(
    [...forms].map(([path, {shapes}]) => {
      const parts = partsOf(path, named.get(path) ?? new Map(), format.names, format.optional, bad);
      const own = shapesOf(parts);
      const wrong = Object.keys(own).find(part => String(own[part]) !== String(shapes[part]));
      if (wrong) throw bad(`${startName} has ${wrong} ${shown(own[wrong]!)} at ${path}, not ${shown(shapes[wrong]!)}`);
      return [path, valuesOf(parts, bad)];
    }),
  );
}

/** The last part of every module path, each once, in order. */
export function targetsOf(paths: Iterable<string>): string[] {
  return [...new Set(Array.from(paths, path => path.slice(path.lastIndexOf('.') + 1)))].sort();
}

type Complaint = (what: string) => SweepError;

function refuse(error: SweepError): never {
  throw error;
}

function checkConfig(config: JsonObject, bad: Complaint): AdapterKind {
  const kind = adapterKinds.find(one => formatOf(one).peftType === config['peft_type']);
  if (kind === undefined) {
    const known = [...new Set(adapterKinds.map(one => formatOf(one).peftType))];
    throw bad(
      `its peft_type is ${JSON.stringify(config['peft_type'])}; those that can be read are ${known.join(', ')}`,
    );
  }
  const bias = config['bias'] ?? 'none';
  if (bias !== 'none') throw bad(`it trains biases (bias: ${JSON.stringify(bias)}); only bias "none" can be read`);
  const used = unsupported.find(name => !isOff(config[name]) && !isZero(config[name]));
  if (used) throw bad(`it uses ${used}, which is not supported`);
  const unknown = Object.keys(config).find(name => config[name] === true && !knownFlags.includes(name));
  if (unknown) throw bad(`its ${unknown} is true, which is not known here`);
  if (config['save_projection'] === false)
    throw bad('its random matrices were not saved with it; save it again with save_projection=True');
  if (kind === 'miss' && typeof config['init_weights'] === 'string')
    throw bad(`it is MiSS in its form ${config['init_weights']}; only PEFT's default form can be read`);
  return kind === 'lora' && config['use_dora'] === true ? 'dora' : kind;
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
  if (rules.length === 0) return () => undefined;
  const first = (path: string) => rules.find(({expression}) => expression.test(path))?.value;
  return path => underClock(`${name} of an adapter`, () => first(path));
}

/** Tensors by the last part of their names. */
type Named = Map<string, StoredTensor>;

/** The whole of a linear layer or an embedding, as PEFT names it where it saves one beside the factors. */
const copyNames = /^base_model\.model\.(.*(?:embed_tokens|lm_head))(?:\.base_layer)?\.weight$/;

/** The tensors by module path, those of the whole model, and copies of the base's. Copies of shared ones in modules are left out. */
function sorted(
  tensors: ReadonlyMap<string, StoredTensor>,
  {names, shared}: PeftFormat,
  bad: Complaint,
): {modules: Map<string, Named>; shared: Named; copies: Named} {
  const modules = new Map<string, Named>();
  const copies: Named = new Map();
  const common: Named = new Map();
  const known = Object.values(names);
  for (const [name, tensor] of tensors) {
    const whole = Object.values(shared).find(one => name === `base_model.${one}`);
    const repeated = Object.values(shared).some(one => name.endsWith(`.${one}`));
    if (whole !== undefined) common.set(whole, tensor);
    if (whole !== undefined || repeated) continue;
    const copied = copyNames.exec(name)?.[1];
    if (copied !== undefined) copies.set(`${decoderName(copied)}.weight`, tensor);
    if (copied !== undefined) continue;
    if (name.includes('lora_embedding_')) throw bad('it trains embeddings, which is not supported');
    const last = known.find(one => name.endsWith(`.${one}`));
    const prefix = 'base_model.model.';
    if (last === undefined || !name.startsWith(prefix))
      throw bad(`it holds the tensor ${JSON.stringify(name)}, which is not a factor of a linear layer`);
    const path = name.slice(prefix.length, -last.length - 1);
    modules.set(path, (modules.get(path) ?? new Map()).set(last, tensor));
  }
  return {modules, shared: common, copies};
}

/** The tensors of one place by part, all that are not optional. */
function partsOf(
  path: string,
  tensors: Named,
  names: PeftFormat['names'],
  optional: readonly string[],
  bad: Complaint,
): Named {
  const missing = Object.entries(names).find(([part, name]) => !tensors.has(name) && !optional.includes(part));
  if (missing) {
    const what = missing[0] === 'magnitude' ? 'magnitude' : missing[1].replace(/\.weight$/, '');
    throw bad(missing[0] === 'magnitude' ? `use_dora is true but ${path} has no ${what}` : `${path} has no ${what}`);
  }
  return new Map(
    Object.entries(names).flatMap(([part, name]) => {
      const tensor = tensors.get(name);
      return tensor ? [[part, tensor]] : [];
    }),
  );
}

const shapesOf = (parts: Named): Shapes => Object.fromEntries([...parts].map(([part, {shape}]) => [part, shape]));
const shown = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

function valuesOf(parts: Named, bad: Complaint): Record<string, Float32Array> {
  const read = (tensor: StoredTensor) => {
    const values = readTensor(tensor);
    if (!values.every(Number.isFinite)) throw bad(`${tensor.name} holds values that are not finite`);
    return values;
  };
  return Object.fromEntries([...parts].map(([part, tensor]) => [part, read(tensor)]));
}

/** Whether the tensors of a module are shaped as its rank and settings say, where its format knows. */
function checkShapes(path: string, shapes: Shapes, format: PeftFormat, parts: Parts, form: Form, bad: Complaint): void {
  const expected = format.shapes?.(parts, form);
  if (!expected) return;
  const wrong = Object.keys(shapes).find(part => String(shapes[part]) !== String(expected[part]));
  if (wrong === undefined) return;
  const name = format.names[wrong]!.replace(/\.weight$/, '');
  throw bad(`${path} has ${name} ${shown(shapes[wrong]!)}, which is not the shape that rank ${form.rank} gives`);
}
