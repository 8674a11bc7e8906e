import type {MethodName} from '../sweep/sweep.ts';

/** Trained numbers of one trial: rank · (in + out) a matrix, and a magnitude for each output row in DoRA. */
export function trainedParameters(
  method: MethodName,
  rank: number,
  matrices: readonly {inputs: number; outputs: number}[],
): number {
  const magnitude = method === 'dora' ? 1 : 0;
  return matrices.reduce((sum, {inputs, outputs}) => sum + rank * (inputs + outputs) + magnitude * outputs, 0);
}
