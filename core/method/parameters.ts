import type {MethodName} from '../sweep/sweep.ts';

export interface Matrix {
  inputs: number;
  outputs: number;
}

/** A method with its size: what decides how much it trains. */
export interface Sized {
  method: MethodName;
  rank: number;
  /** Settings that only this method has, by their keys. */
  options?: Readonly<Record<string, number>>;
}

/**
 * Numbers that are trained at one adapted matrix: rank · (in + out) of a pair, and what a method adds to it or has in its
 * place (the same count as PEFT's).
 */
export function trainedAt({method, rank, options}: Sized, {inputs, outputs}: Matrix): number {
  const short = Math.min(inputs, outputs);
  switch (method) {
    case 'vera':
      return rank + outputs;
    case 'boft':
      return inputs * (options?.['block_size'] ?? rank) * (options?.['butterfly_factor'] ?? 1) + outputs;
    case 'randlora':
      return Math.ceil(short / rank) * (rank + short);
    case 'dora':
      return rank * (inputs + outputs) + outputs;
    case 'full':
      return inputs * outputs;
    default:
      return rank * (inputs + outputs);
  }
}

/** Trained numbers of one trial; `everything` is the number of all the model's weights. */
export function trainedParameters(sized: Sized, matrices: readonly Matrix[], everything: number): number {
  if (sized.method === 'full') return everything;
  return matrices.reduce((sum, matrix) => sum + trainedAt(sized, matrix), 0);
}
