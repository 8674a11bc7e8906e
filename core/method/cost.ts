/** What a method costs on a model: numbers trained, memory of the optimizer, work of a step and of an answer. */
import {formatMemory} from '../run/format.ts';
import {noRank} from '../sweep/sweep.ts';
import type {Matrix} from './method.ts';
import {type MethodName, methods} from './methods.ts';
import {type Sized, sizeOf, trainedParameters} from './parameters.ts';

/** The matrices that a token passes, the head among them. */
export interface DecoderShape {
  adapted: readonly Matrix[];
  others: readonly Matrix[];
  /** Numbers in all weights, those that no token is multiplied with included. */
  everything: number;
}

export interface MethodCost {
  method: MethodName;
  /** Of a variant: what it is called. */
  name?: string;
  rank: number;
  /** This and the next one: where the sweep has several. */
  model?: string;
  targets?: string;
  /** Trained numbers. */
  parameters: number;
  /** AdamW's two moments, or what the method keeps in their place, float32. */
  optimizerBytes: number;
  /** Floating-point operations of a step relative to LoRA's at the same rank (rank 8 where there is none). */
  relativeFlops: number;
  /** Additional work a token when the adapter stays beside the base, as a share of the base's; merged there is none. */
  inferenceOverhead: number;
}

/**
 * The cost with `tokens` in a step. A product with a matrix of n weights is 2 n operations a token forward and 2 n
 * backward to its input; to what is trained as much again. Attention's own products, which no method changes, are left
 * out, as are norms and the optimizer.
 */
export function methodCost(sized: Sized, shape: DecoderShape, tokens: number): MethodCost {
  const {method, rank} = sized;
  const size = sizeOf(sized);
  const parameters = trainedParameters(sized, shape.adapted, shape.everything);
  const beside = sum(shape.adapted, matrix => {
    const {frozen, trained} = methods[method].work(matrix, size);
    return frozen + trained;
  });
  const lora: Sized = {method: 'lora', rank: rank === noRank ? 8 : rank};
  return {
    method,
    rank,
    parameters,
    optimizerBytes: 4 * (methods[method].kept?.(size) ?? 2) * parameters,
    relativeFlops: stepFlops(sized, shape, tokens) / stepFlops(lora, shape, tokens),
    inferenceOverhead: beside / baseWeights(shape),
  };
}

function stepFlops(sized: Sized, shape: DecoderShape, tokens: number): number {
  const {weights, work} = methods[sized.method];
  const size = sizeOf(sized);
  const perToken = (weights ? 6 : 4) * baseWeights(shape);
  return (
    sum(shape.adapted, matrix => {
      const {frozen, trained, whole = 0, once} = work(matrix, size);
      return tokens * (4 * frozen + 6 * trained + 2 * whole) + once;
    }) +
    tokens * perToken
  );
}

function baseWeights({adapted, others}: DecoderShape): number {
  return sum([...adapted, ...others], ({inputs, outputs}) => inputs * outputs);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

export const costColumns = [
  {title: 'method', align: 'left'},
  {title: 'rank', align: 'right'},
  {title: 'trained parameters', align: 'right'},
  {title: 'optimizer memory', align: 'right'},
  {title: 'work of a step, relative to LoRA', align: 'right'},
  {title: 'inference overhead, unmerged', align: 'right'},
  {title: 'merged', align: 'right'},
] as const;

export function costRow({
  method,
  name = method,
  rank,
  parameters,
  optimizerBytes,
  relativeFlops,
  inferenceOverhead,
}: MethodCost): string[] {
  return [
    name,
    rank === noRank ? '–' : String(rank),
    parameters.toLocaleString('en-US'),
    formatMemory(optimizerBytes),
    `${relativeFlops.toFixed(3)} ×`,
    `${(100 * inferenceOverhead).toFixed(2)} %`,
    'none',
  ];
}
