import type {Matrix} from '../../core/method/method.ts';

/** One adapted projection: W is [outputs, inputs]. */
export interface Site extends Matrix {
  /** E.g. `model.layers.0.self_attn.q_proj`. */
  name: string;
}
