/** The weights of a network at the point it is looked at: the base's own, or the base with trained adapters in it. */
import type {Site, Start} from '../method/method.ts';
import {readTensor} from '../model/safetensors.ts';
import type {WeightIndex} from '../model/weights.ts';
import type {Weights} from './network.ts';

/** The base as it is stored. A residual or unmoved adapter leaves it unchanged. */
export function weightsOf({tensors}: Pick<WeightIndex, 'tensors'>): Weights {
  return {
    names: () => tensors.keys(),
    shape: name => tensors.get(name)?.shape,
    read: name => readTensor(tensors.get(name)!),
  };
}

/** The adapter of one site at this point. */
export interface Adapter extends Start {
  site: Site;
  rank: number;
  scale: number;
  magnitude?: Float32Array;
  /** What a residual method took out of the base. */
  start?: Start;
}

/** The base with adapters added to it. */
export function adaptedWeights(base: Weights, adapters: readonly Adapter[]): Weights {
  const bySite = new Map(adapters.map(adapter => [`${adapter.site.name}.weight`, adapter]));
  return {
    ...base,
    read(name) {
      const adapter = bySite.get(name);
      return adapter ? adapted(base.read(name), adapter) : base.read(name);
    },
  };
}

/** W + s·B·A (- s·B₀·A₀), or (m / ‖V‖) ∘ V with V = W + s·B·A per output row; sums in float64. */
function adapted(W: Float32Array, {site, rank, scale, A, B, magnitude, start}: Adapter): Float32Array {
  const {inputs, outputs} = site;
  const result = new Float32Array(W.length);
  const row = new Float64Array(inputs);
  const add = (output: number, pair: Start, factor: number) => {
    for (let i = 0; i < rank; i++) {
      const weight = factor * pair.B[output * rank + i]!;
      for (let k = 0; k < inputs; k++) row[k]! += weight * pair.A[i * inputs + k]!;
    }
  };
  for (let output = 0; output < outputs; output++) {
    for (let k = 0; k < inputs; k++) row[k] = W[output * inputs + k]!;
    add(output, {A, B}, scale);
    if (start) add(output, start, -scale);
    let gain = 1;
    if (magnitude) gain = magnitude[output]! / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let k = 0; k < inputs; k++) result[output * inputs + k] = gain * row[k]!;
  }
  return result;
}
