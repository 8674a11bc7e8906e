/** What the methods with a low-rank pair have in common: A [rank, inputs], B [outputs, rank]. */
import type {MethodDescription} from './method.ts';

export const pairShapes: MethodDescription['shapes'] = ({inputs, outputs}, {rank}) => ({
  A: [rank, inputs],
  B: [outputs, rank],
});

/** No more than min(inputs, outputs) directions can be told apart. */
export const rankFits: MethodDescription['obstacle'] = ({inputs, outputs}, {rank}) => {
  const most = Math.min(inputs, outputs);
  if (rank <= most) return undefined;
  return {code: 'rank-too-large', why: `is smaller than rank ${rank} allows; use a rank of at most ${most}`, most};
};

export const pairWork: MethodDescription['work'] = ({inputs, outputs}, {rank}) => ({
  frozen: 0,
  trained: rank * (inputs + outputs),
  once: 0,
});

/** The start that is taken out of the base is a second pair beside the trained one. */
export const residualWork: MethodDescription['work'] = (matrix, size) => {
  const pair = pairWork(matrix, size);
  return {...pair, frozen: pair.trained};
};
