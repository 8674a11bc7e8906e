/** What differs from layer to layer: windows of attention and rotary embeddings, read from config.json. */
import {SweepError} from '../../core/error.ts';
import {isObject, type JsonObject} from '../files/json-file.ts';
import type {LayerKind} from './config.ts';
import {Keys, show} from './config-keys.ts';
import type {Family} from './family.ts';
import type {Rotary, RotaryScaling} from './rotary.ts';

/** What each layer's attention is, from config.json. */
export function readLayers(raw: JsonObject, family: Family, keys: Keys, headDim: number): LayerKind[] {
  const count = keys.size('num_hidden_layers');
  if (count > 10_000) throw keys.bad(`num_hidden_layers is ${count}`);
  const sliding = slidingLayers(raw, count, family, keys);
  if (sliding.includes(true) && raw['sliding_window'] === null) {
    throw keys.bad('layers have sliding attention but sliding_window is null');
  }
  const window = sliding.includes(true)
    ? keys.size('sliding_window', family.defaults.slidingWindow ?? undefined)
    : null;
  const sees = (slides: boolean): Rotary => readRotary(raw, slides, family, keys, headDim);
  const [full, windowed] = [sees(false), sees(true)];
  const turning = rotaryLayers(raw, sliding, family, keys);
  return sliding.map((slides, layer) => ({
    window: slides ? window : null,
    rotary: turning[layer] ? (slides ? windowed : full) : null,
  }));
}

/** For every layer, whether it has a rotary embedding. */
function rotaryLayers(raw: JsonObject, sliding: readonly boolean[], family: Family, keys: Keys): boolean[] {
  if (family.unturned === 'unless-rope') {
    const type = raw['position_embedding_type'] ?? null;
    if (type !== null && type !== 'rope') throw keys.bad(`position_embedding_type is ${show(type)}, not rope or null`);
    return sliding.map(() => type === 'rope');
  }
  if (family.unturned === 'without-window') return sliding.map(slides => raw['sliding_window'] === null || slides);
  return family.unturned === 'none' ? sliding.map(() => true) : noRopeLayers(raw, sliding.length, keys);
}

/** SmolLM 3's list: 1 where a layer has a rotary embedding. */
function noRopeLayers(raw: JsonObject, count: number, keys: Keys): boolean[] {
  const layers = Array.from({length: count}, (_, layer) => layer);
  const written = raw['no_rope_layers'];
  if (written == null) {
    const interval = keys.size('no_rope_layer_interval', 4);
    return layers.map(layer => (layer + 1) % interval !== 0);
  }
  if (!Array.isArray(written) || written.length < count || !written.every(turns => turns === 0 || turns === 1))
    throw keys.bad(`no_rope_layers is not a list of ${count} entries 0 or 1`);
  return layers.map(layer => written[layer] === 1);
}

/**
 * How the rotary embedding of layers with or without a window is written, in the spelling of transformers 5 or the older
 * ones. Where both are there, the older one stands for the whole, as in transformers.
 */
function rotaryKeys(raw: JsonObject, slides: boolean, family: Family, keys: Keys): Keys {
  const {rope_parameters: parameters, rope_scaling: scaling} = raw;
  for (const [key, value] of Object.entries({rope_parameters: parameters, rope_scaling: scaling}))
    if (value != null && !isObject(value)) throw keys.bad(`${key} is ${show(value)} where an object belongs`);
  const written = isObject(parameters) ? parameters : {};
  const nested = 'full_attention' in written || 'sliding_attention' in written;
  const older = isObject(scaling) && Object.keys(scaling).length > 0 ? scaling : undefined;
  if (family.localRotary === null) {
    if (nested) throw keys.bad('rope_parameters is by kind of layer, which this family has not');
    const own = older ?? (parameters == null ? (family.defaults.rope ?? {}) : written);
    return new Keys({rope_theta: raw['rope_theta'] ?? family.defaults.ropeTheta, ...own}, keys.file);
  }
  if (!nested && Object.keys(written).length > 0)
    throw keys.bad(
      'rope_parameters is not by kind of layer (full_attention, sliding_attention), as this family needs it',
    );
  const part = written[slides ? 'sliding_attention' : 'full_attention'] ?? {};
  if (!isObject(part)) throw keys.bad('rope_parameters is not an object for each kind of layer');
  const {key, theta} = family.localRotary;
  // Older files stretch the full layers only.
  return slides
    ? new Keys({rope_theta: (key && raw[key]) ?? theta, ...part}, keys.file)
    : new Keys({rope_theta: raw['rope_theta'] ?? family.defaults.ropeTheta, ...part, ...older}, keys.file);
}

function readRotary(raw: JsonObject, slides: boolean, family: Family, keys: Keys, headDim: number): Rotary {
  const rope = rotaryKeys(raw, slides, family, keys);
  const scaling = readScaling(rope, keys, family, partialRotary(raw, family, keys, headDim));
  const {llama_4_scaling_beta: beta} = rope.raw;
  const sharpened = raw['model_type'] === 'ministral3' && rope.amount('llama_4_scaling_beta') > 0;
  if (beta != null && raw['model_type'] !== 'ministral3')
    throw keys.bad('llama_4_scaling_beta is given, which this family has not');
  return {
    theta: rope.positive('rope_theta'),
    scaling,
    ...(sharpened ? {sharpening: {beta: Number(beta), positions: rope.size('original_max_position_embeddings')}} : {}),
  };
}

/** Numbers of a head that are turned. */
export function partialRotary(raw: JsonObject, family: Family, keys: Keys, headDim: number): number {
  const parts = [false, true].map(slides => rotaryKeys(raw, slides, family, keys).raw['partial_rotary_factor']);
  const given = parts.find(part => part != null) ?? raw['partial_rotary_factor'] ?? null;
  if (family.partialRotary === null) {
    if (given === null || given === 1) return headDim;
    throw new SweepError(
      'unknown-architecture',
      `${keys.file} asks for partial_rotary_factor: ${show(given)}, which is not supported in this family.`,
      {file: keys.file, missing: ['partial_rotary_factor']},
    );
  }
  const size = Math.trunc(headDim * new Keys({part: given}, keys.file).positive('part', family.partialRotary));
  if (size % 2 === 0 && size > 0 && size <= headDim) return size;
  throw keys.bad(`partial_rotary_factor is ${show(given)}, which turns ${size} of the ${headDim} numbers of a head`);
}

function readScaling(rope: Keys, keys: Keys, family: Family, turned: number): RotaryScaling | null {
  const written = rope.raw['rope_type'] ?? rope.raw['type'] ?? 'default';
  // Older Phi-3 files call it "su" or "yarn".
  const phi3 = keys.raw['model_type'] === 'phi3' && (written === 'su' || written === 'yarn');
  const type = phi3 ? 'longrope' : written;
  if (type === 'default') return null;
  if (type === 'linear') return {type, factor: rope.positive('factor')};
  const positions = keys.size('max_position_embeddings', family.defaults.maxPositions);
  const originalPositions =
    keys.raw['original_max_position_embeddings'] == null && family.defaults.originalPositions === null
      ? rope.size('original_max_position_embeddings', positions)
      : keys.size('original_max_position_embeddings', family.defaults.originalPositions ?? undefined);
  if (type === 'llama3')
    return {
      type,
      factor: rope.positive('factor'),
      lowFrequency: rope.positive('low_freq_factor'),
      highFrequency: rope.positive('high_freq_factor'),
      originalPositions,
    };
  const factor = rope.positive('factor', positions / originalPositions);
  if (type === 'yarn') {
    if (rope.raw['factor'] === undefined) throw keys.bad('factor is missing, which yarn needs');
    if (rope.positive('rope_theta') <= 1)
      throw keys.bad(`rope_theta is ${show(rope.raw['rope_theta'])}, too small for yarn`);
    return {
      type,
      factor,
      fast: rope.positive('beta_fast', 32),
      slow: rope.positive('beta_slow', 1),
      originalPositions,
      // transformers looks for it beside the kinds of layers, not in them.
      truncate: family.localRotary === null ? rope.boolean('truncate', true) : true,
      magnification: rope.positive('attention_factor', yarnMagnification(rope, factor)),
    };
  }
  if (type === 'longrope')
    return {
      type,
      short: rope.positives('short_factor', turned / 2),
      long: rope.positives('long_factor', turned / 2),
      originalPositions,
      magnification: rope.positive(
        'attention_factor',
        factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalPositions)),
      ),
    };
  throw new SweepError(
    'unknown-architecture',
    `${keys.file} asks for rotary scaling of type ${show(type)}; linear, llama3, longrope and yarn are supported.`,
    {file: keys.file, rotary: type},
  );
}

/** As the paper suggests (Peng et al. 2023, §3.4), or as a ratio where both scales are given. */
function yarnMagnification(rope: Keys, factor: number): number {
  const of = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const {mscale: scale, mscale_all_dim: all} = rope.raw;
  return typeof scale === 'number' && typeof all === 'number' && scale !== 0 && all !== 0 ? of(scale) / of(all) : of(1);
}

/** For every layer, whether its attention has a window. */
function slidingLayers(raw: JsonObject, count: number, family: Family, keys: Keys): boolean[] {
  const layers = Array.from({length: count}, (_, layer) => layer);
  const types = raw['layer_types'];
  if (family.sliding !== 'by-layer') {
    const window = raw['sliding_window'] === undefined ? family.defaults.slidingWindow : raw['sliding_window'];
    const slides = family.sliding === 'every-layer' && window !== null;
    const other = slides ? 'full_attention' : 'sliding_attention';
    if (Array.isArray(types) && types.includes(other))
      throw keys.bad(`layer_types names ${other}, but layers of this family have ${slides ? 'a window all' : 'none'}`);
    return layers.map(() => slides);
  }
  if (types != null) {
    const known = ['full_attention', 'sliding_attention'];
    if (!Array.isArray(types) || types.length !== count || !types.every(type => known.includes(type))) {
      throw keys.bad(`layer_types is not a list of ${count} entries full_attention or sliding_attention`);
    }
    return types.map(type => type === 'sliding_attention');
  }
  if (family.slidingPattern) {
    const {keys: spellings, byDefault} = family.slidingPattern;
    const written = spellings.find(key => raw[key] != null);
    if (family.unturned === 'without-window' && raw['sliding_window'] === null)
      throw keys.bad('neither layer_types nor sliding_window says what the layers see');
    const pattern = written === undefined ? byDefault : keys.size(written);
    return layers.map(layer => (layer + 1) % pattern !== 0);
  }
  if (family.unturned === 'no_rope_layers') {
    const windows = keys.boolean('use_sliding_window', false) && raw['sliding_window'] != null;
    return noRopeLayers(raw, count, keys).map(turns => windows && !turns);
  }
  // Qwen: the layers from max_window_layers on, if windows are used at all.
  if (!keys.boolean('use_sliding_window', false) || raw['sliding_window'] === null) return layers.map(() => false);
  const first = raw['max_window_layers'] === 0 ? 0 : keys.size('max_window_layers', 28);
  return layers.map(layer => layer >= first);
}
