import {firstOfQr} from '../../math/qr.ts';
import {type Computation, lowRank} from '../method.ts';

/**
 * OLoRA (Büyükakyüz 2024): with W = Q·R, B starts as the first `rank` columns of Q and A as the first rows of R, both
 * unscaled as in PEFT; the base loses s·B₀·A₀.
 */
export const olora: Computation = {
  init: async ({site, form, weight}) => {
    const {Q, R} = firstOfQr(weight(), site.outputs, site.inputs, form.rank);
    return {A: Float32Array.from(R), B: Float32Array.from(Q)};
  },
  apply: lowRank,
};
