import {type Computation, lowRank} from '../method.ts';

/** EVA (Paischer et al. 2024, with ρ = 1): A starts as principal components of the inputs, B at zero. */
export const eva: Computation = {
  async init({site: {inputs, outputs}, form: {rank, options}, components}) {
    const {rows, values} = await components();
    const shorter = (k: number) => (options['whiten'] === 1 ? 1 / Math.sqrt(values[k]!) : 1);
    const A = Float32Array.from(rows, (value, i) => value * shorter(Math.floor(i / inputs)));
    return {A, B: new Float32Array(outputs * rank)};
  },
  apply: lowRank,
};
