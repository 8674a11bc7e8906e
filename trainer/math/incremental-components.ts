/** Principal components of samples that come in batches (Ross et al. 2008). Float32 in, float64 inside. */
import {topTriplets} from './svd.ts';

export interface Components {
  /** Orthonormal rows [count, width], by falling variance; the largest entry of each is positive. */
  rows: Float64Array;
  /** [count]: singular values of the centred samples along these. */
  values: Float64Array;
  /** [width] */
  mean: Float64Array;
  /** Samples so far. */
  seen: number;
  /** Sum of the squares of all of them, centred. */
  spread: number;
}

/** How much of the variance of all samples each component explains, [count]. */
export const explained = ({values, spread}: Components): number[] =>
  Array.from(values, value => (spread > 0 ? value ** 2 / spread : 0));

/**
 * The `count` first components of all samples so far, from those before and new samples X [samples, width]. Beyond the
 * first batch what lies outside the components before is forgotten, as in scikit-learn's and PEFT's IncrementalPCA.
 */
export function withSamples(before: Components | null, X: Float32Array, width: number, count: number): Components {
  const samples = X.length / width;
  const own = new Float64Array(width);
  for (let row = 0; row < samples; row++) for (let i = 0; i < width; i++) own[i]! += X[row * width + i]! / samples;
  let spread = 0;
  const kept = before ? count + 1 : 0;
  const stack = new Float32Array((samples + kept) * width);
  for (let row = 0; row < samples; row++)
    for (let i = 0; i < width; i++) {
      const centred = X[row * width + i]! - own[i]!;
      stack[row * width + i] = centred;
      spread += centred ** 2;
    }
  if (!before) return {...leading(stack, samples, width, count), mean: own, seen: samples, spread};
  const seen = before.seen + samples;
  for (let k = 0; k < count; k++)
    for (let i = 0; i < width; i++) stack[(samples + k) * width + i] = before.values[k]! * before.rows[k * width + i]!;
  // How the means differ is a sample of its own.
  const shift = Math.sqrt((before.seen * samples) / seen);
  const mean = before.mean.map((value, i) => (value * before.seen + own[i]! * samples) / seen);
  for (let i = 0; i < width; i++) stack[(samples + count) * width + i] = shift * (before.mean[i]! - own[i]!);
  spread += before.spread + shift ** 2 * before.mean.reduce((sum, value, i) => sum + (value - own[i]!) ** 2, 0);
  return {...leading(stack, samples + kept, width, count), mean, seen, spread};
}

function leading(stack: Float32Array, samples: number, width: number, count: number) {
  const {S, V} = topTriplets(stack, samples, width, count);
  const rows = Float64Array.from(V);
  for (let k = 0; k < count; k++) {
    let largest = 0;
    for (let i = 0; i < width; i++)
      if (Math.abs(rows[k * width + i]!) > Math.abs(largest)) largest = rows[k * width + i]!;
    if (largest < 0) for (let i = 0; i < width; i++) rows[k * width + i]! *= -1;
  }
  return {rows, values: Float64Array.from(S)};
}
