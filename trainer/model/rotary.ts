/**
 * Rotary position embeddings (Su et al. 2021, arXiv:2104.09864) and the ways they are stretched to longer texts, as in
 * transformers' modeling_rope_utils.
 */
import * as tf from '@tensorflow/tfjs-core';

/** How the frequencies θ^(-2i/size) are changed. */
export type RotaryScaling =
  /** Position interpolation (Chen et al. 2023): all divided by the factor. */
  | {type: 'linear'; factor: number}
  /** Llama 3.1: long waves divided by the factor, short ones kept, the ones between blended. */
  | {type: 'llama3'; factor: number; lowFrequency: number; highFrequency: number; originalPositions: number}
  /** LongRoPE (Ding et al. 2024): each divided by its own factor, of one list up to the original context and of another
   * beyond; cos and sin magnified. */
  | {
      type: 'longrope';
      short: readonly number[];
      long: readonly number[];
      originalPositions: number;
      magnification: number;
    }
  /** YaRN (Peng et al. 2023): waves that turn less than `slow` times in the original context divided by the factor, those that
   * turn more than `fast` times kept, the ones between blended; cos and sin magnified. */
  | {
      type: 'yarn';
      factor: number;
      fast: number;
      slow: number;
      originalPositions: number;
      /** The blend begins and ends at whole numbers of a head. */
      truncate: boolean;
      magnification: number;
    };

export interface Rotary {
  theta: number;
  scaling: RotaryScaling | null;
  /** Ministral 3, as Llama 4: queries are multiplied by 1 + beta · log(1 + ⌊position / positions⌋). */
  sharpening?: {beta: number; positions: number};
}

/** Angles per position, for texts of so many positions: [size/2]. No rotary embedding is one that never turns. */
export function rotaryFrequencies(positions: number, size: number, rotary: Rotary | null): Float64Array {
  if (rotary === null) return new Float64Array(size / 2);
  const {theta, scaling} = rotary;
  const kept = scaling?.type === 'yarn' ? yarnBlend(theta, size, scaling) : undefined;
  return Float64Array.from({length: size / 2}, (_, i) => {
    const frequency = theta ** ((-2 * i) / size);
    if (scaling?.type === 'yarn') return blended(frequency, scaling.factor, kept!(i));
    return scaled(frequency, i, scaling, positions);
  });
}

const blended = (frequency: number, factor: number, kept: number): number =>
  ((1 - kept) * frequency) / factor + kept * frequency;

/** How much of each of a head's frequencies YaRN keeps. */
function yarnBlend(
  theta: number,
  size: number,
  {fast, slow, originalPositions, truncate}: Extract<RotaryScaling, {type: 'yarn'}>,
): (index: number) => number {
  const at = (turns: number) => (size * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(truncate ? Math.floor(at(fast)) : at(fast), 0);
  const high = Math.min(truncate ? Math.ceil(at(slow)) : at(slow), size - 1);
  return index => 1 - Math.min(1, Math.max(0, (index - low) / (low === high ? 0.001 : high - low)));
}

function scaled(
  frequency: number,
  index: number,
  scaling: Exclude<RotaryScaling, {type: 'yarn'}> | null,
  positions: number,
): number {
  if (scaling === null) return frequency;
  if (scaling.type === 'linear') return frequency / scaling.factor;
  if (scaling.type === 'longrope')
    return frequency / (positions > scaling.originalPositions ? scaling.long : scaling.short)[index]!;
  const {factor, lowFrequency, highFrequency, originalPositions} = scaling;
  const turns = (originalPositions * frequency) / (2 * Math.PI);
  if (turns > highFrequency) return frequency;
  if (turns < lowFrequency) return frequency / factor;
  return blended(frequency, factor, (turns - lowFrequency) / (highFrequency - lowFrequency));
}

/** How the numbers of a head take part in a rotary embedding. */
interface Turned {
  headDim: number;
  rotarySize: number;
  rotaryInterleaved: boolean;
}

/**
 * The numbers of each head (last axis) such that what is turned together stands half of all apart, and what is not turned
 * stands behind what is in either half. Scores do not change where q and k are both put so.
 */
export function inHalves(x: tf.Tensor, {headDim, rotarySize, rotaryInterleaved}: Turned): tf.Tensor {
  const leading = x.shape.slice(0, -1);
  const unturned = headDim - rotarySize;
  const [turned, rest] = unturned === 0 ? [x] : (tf.split(x, [rotarySize, unturned], -1) as [tf.Tensor, tf.Tensor]);
  const halves = rotaryInterleaved
    ? tf.reshape(tf.transpose(tf.reshape(turned, [-1, rotarySize / 2, 2]), [0, 2, 1]), [...leading, rotarySize])
    : turned;
  if (rest === undefined) return halves;
  const [[a, b], [c, d]] = [tf.split(halves, 2, -1), tf.split(rest, 2, -1)];
  return tf.concat([a!, c!, b!, d!], -1);
}

/**
 * cos and sin of the rotary angles: [positions, headDim/2] each, from position `from` on, for texts of `length` positions; what
 * is not turned has the angle 0. Those of queries may differ from those of keys.
 */
export function rotaryTables(
  positions: number,
  {headDim, rotarySize}: Pick<Turned, 'headDim' | 'rotarySize'>,
  rotary: Rotary | null,
  {from = 0, length = positions, queries = false}: {from?: number; length?: number; queries?: boolean} = {},
): {cos: tf.Tensor; sin: tf.Tensor} {
  const frequencies = rotaryFrequencies(length, rotarySize, rotary);
  const scaling = rotary?.scaling;
  const magnification = scaling?.type === 'longrope' || scaling?.type === 'yarn' ? scaling.magnification : 1;
  const half = headDim / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0; p < positions; p++) {
    const sharper = queries ? sharpness(from + p, rotary) : 1;
    for (let i = 0; i < half; i++) {
      const angle = (from + p) * (frequencies[i] ?? 0);
      const size = sharper * (i < rotarySize / 2 ? magnification : 1);
      cos[p * half + i] = size * Math.cos(angle);
      sin[p * half + i] = size * Math.sin(angle);
    }
  }
  return {cos: tf.tensor(cos, [positions, half]), sin: tf.tensor(sin, [positions, half])};
}

function sharpness(position: number, rotary: Rotary | null): number {
  if (!rotary?.sharpening) return 1;
  const {beta, positions} = rotary.sharpening;
  return 1 + beta * Math.log(1 + Math.floor(position / positions));
}
