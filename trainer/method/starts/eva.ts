import {placesOf} from '../../../core/method/each/starts/eva.ts';
import {type Computation, lowRank} from '../method.ts';

/**
 * EVA (Paischer et al. 2024): A starts as principal components of the inputs, B at zero. A projection with fewer components than it
 * has room for (`rho`) has rows and columns of zeros behind them: these have no gradient.
 */
export const eva: Computation = {
  async init({site: {inputs, outputs}, form, components}) {
    const {rows, values, kept} = await components();
    const shorter = (k: number) => (form.options['whiten'] === 1 ? 1 / Math.sqrt(values[k]!) : 1);
    const A = Float32Array.from(rows, (value, i) => {
      const k = Math.floor(i / inputs);
      return k < kept ? value * shorter(k) : 0;
    });
    return {A, B: new Float32Array(outputs * placesOf(form))};
  },
  apply: lowRank,
  places: placesOf,
};
