/** What differs from layer to layer: windows of attention and rotary embeddings, read from config.json. */
import {SweepError} from '../../core/error.ts';
import type {Family} from './families.ts';
import {isObject, type JsonObject} from './json-file.ts';
import {Keys, show} from './keys.ts';
import type {Rotary, RotaryScaling} from './rotary.ts';

/** One layer's attention: full, or the last `window` positions; and its rotary embedding. */
export interface LayerKind {
  /** Position i sees positions i - window + 1 .. i; null = all before it. */
  window: number | null;
  /** null: none, so that positions are not told apart but by the mask. */
  rotary: Rotary | null;
}

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
  const turning = rotaryLayers(raw, count, family, keys);
  return sliding.map((slides, layer) => ({
    window: slides ? window : null,
    rotary: turning[layer] ? (slides ? windowed : full) : null,
  }));
}

/** For every layer, whether it has a rotary embedding. */
function rotaryLayers(raw: JsonObject, count: number, family: Family, keys: Keys): boolean[] {
  const layers = Array.from({length: count}, (_, layer) => layer);
  if (!family.layersWithoutRotary) return layers.map(() => true);
  const written = raw['no_rope_layers'];
  if (written == null) {
    const interval = keys.size('no_rope_layer_interval', 4);
    return layers.map(layer => (layer + 1) % interval !== 0);
  }
  if (!Array.isArray(written) || written.length < count || !written.every(turns => turns === 0 || turns === 1))
    throw keys.bad(`no_rope_layers is not a list of ${count} entries 0 or 1`);
  return layers.map(layer => written[layer] === 1);
}

/** The rotary embedding of layers with or without a window, in the spelling of transformers 5 or the older ones. */
function readRotary(raw: JsonObject, slides: boolean, family: Family, keys: Keys, headDim: number): Rotary {
  const written = isObject(raw['rope_parameters']) ? raw['rope_parameters'] : {};
  const nested = isObject(written['full_attention']) || isObject(written['sliding_attention']);
  const own = nested ? written[slides ? 'sliding_attention' : 'full_attention'] : written;
  // Gemma's windows have a rotary base of their own, and older files stretch the full layers only.
  const local = family.gemma && slides;
  const older = !local && isObject(raw['rope_scaling']) ? {rope_type: null, ...raw['rope_scaling']} : {};
  const rope = new Keys({...(isObject(own) ? own : {}), ...older}, keys.file);
  const theta = local
    ? keys.positive('rope_local_base_freq', 10_000)
    : keys.positive('rope_theta', family.defaults.ropeTheta);
  return {theta: rope.positive('rope_theta', theta), scaling: readScaling(rope, keys, family, headDim)};
}

function readScaling(rope: Keys, keys: Keys, family: Family, headDim: number): RotaryScaling | null {
  const type = rope.raw['rope_type'] ?? rope.raw['type'] ?? 'default';
  const positions = keys.size('max_position_embeddings', family.defaults.maxPositions);
  if (type === 'default') return null;
  if (type === 'linear') return {type, factor: rope.positive('factor')};
  if (type === 'llama3')
    return {
      type,
      factor: rope.positive('factor'),
      lowFrequency: rope.positive('low_freq_factor'),
      highFrequency: rope.positive('high_freq_factor'),
      originalPositions: rope.size('original_max_position_embeddings', positions),
    };
  // Older Phi-3 files call it "su".
  if (type === 'longrope' || (type === 'su' && keys.raw['model_type'] === 'phi3')) {
    const originalPositions = keys.size(
      'original_max_position_embeddings',
      rope.size('original_max_position_embeddings', positions),
    );
    const stretch =
      keys.raw['original_max_position_embeddings'] == null && rope.raw['factor'] != null
        ? rope.positive('factor')
        : positions / originalPositions;
    const magnification = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(originalPositions));
    return {
      type: 'longrope',
      short: rope.positives('short_factor', headDim / 2),
      long: rope.positives('long_factor', headDim / 2),
      originalPositions,
      magnification: rope.positive('attention_factor', magnification),
    };
  }
  throw new SweepError(
    'unknown-architecture',
    `${keys.file} asks for rotary scaling of type ${show(type)}; linear, llama3 and longrope are supported.`,
    {file: keys.file, rotary: type},
  );
}

/** For every layer, whether its attention has a window. */
function slidingLayers(raw: JsonObject, count: number, family: Family, keys: Keys): boolean[] {
  const layers = Array.from({length: count}, (_, layer) => layer);
  if (family.sliding === 'never') return layers.map(() => false);
  if (family.sliding === 'every-layer')
    return layers.map(
      () => raw['sliding_window'] !== null && (raw['sliding_window'] ?? family.defaults.slidingWindow) !== null,
    );
  const types = raw['layer_types'];
  if (types != null) {
    const known = ['full_attention', 'sliding_attention'];
    if (!Array.isArray(types) || types.length !== count || !types.every(type => known.includes(type))) {
      throw keys.bad(`layer_types is not a list of ${count} entries full_attention or sliding_attention`);
    }
    return types.map(type => type === 'sliding_attention');
  }
  if (family.gemma) {
    const written = raw['sliding_window_pattern'] == null ? '_sliding_window_pattern' : 'sliding_window_pattern';
    const pattern = keys.size(written, 6);
    return layers.map(layer => (layer + 1) % pattern !== 0);
  }
  if (family.layersWithoutRotary) {
    const windows = keys.boolean('use_sliding_window', false) && raw['sliding_window'] != null;
    return rotaryLayers(raw, count, family, keys).map(turns => windows && !turns);
  }
  // Qwen: the layers from max_window_layers on, if windows are used at all.
  if (!keys.boolean('use_sliding_window', false) || raw['sliding_window'] === null) return layers.map(() => false);
  const first = raw['max_window_layers'] === 0 ? 0 : keys.size('max_window_layers', 28);
  return layers.map(layer => layer >= first);
}
