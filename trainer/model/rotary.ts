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
    };

export interface Rotary {
  theta: number;
  scaling: RotaryScaling | null;
}

/** Angles per position, for texts of so many positions: [size/2]. No rotary embedding is one that never turns. */
export function rotaryFrequencies(positions: number, size: number, rotary: Rotary | null): Float64Array {
  if (rotary === null) return new Float64Array(size / 2);
  const {theta, scaling} = rotary;
  return Float64Array.from({length: size / 2}, (_, i) => scaled(theta ** ((-2 * i) / size), i, scaling, positions));
}

function scaled(frequency: number, index: number, scaling: RotaryScaling | null, positions: number): number {
  if (scaling === null) return frequency;
  if (scaling.type === 'linear') return frequency / scaling.factor;
  if (scaling.type === 'longrope')
    return frequency / (positions > scaling.originalPositions ? scaling.long : scaling.short)[index]!;
  const {factor, lowFrequency, highFrequency, originalPositions} = scaling;
  const turns = (originalPositions * frequency) / (2 * Math.PI);
  if (turns > highFrequency) return frequency;
  if (turns < lowFrequency) return frequency / factor;
  const kept = (turns - lowFrequency) / (highFrequency - lowFrequency);
  return ((1 - kept) * frequency) / factor + kept * frequency;
}

/** cos and sin of the rotary angles: [positions, size/2] each, for texts of `length` positions. */
export function rotaryTables(
  positions: number,
  size: number,
  rotary: Rotary | null,
  length = positions,
): {cos: tf.Tensor; sin: tf.Tensor} {
  const frequencies = rotaryFrequencies(length, size, rotary);
  const magnification = rotary?.scaling?.type === 'longrope' ? rotary.scaling.magnification : 1;
  const half = size / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0; p < positions; p++)
    for (let i = 0; i < half; i++) {
      const angle = p * frequencies[i]!;
      cos[p * half + i] = magnification * Math.cos(angle);
      sin[p * half + i] = magnification * Math.sin(angle);
    }
  return {cos: tf.tensor(cos, [positions, half]), sin: tf.tensor(sin, [positions, half])};
}
