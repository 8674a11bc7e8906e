/** What a method costs on a model: numbers trained, memory of the optimizer, work of a step and of an answer. */
import {formatMemory} from '../run/format.ts';
import type {MethodName} from '../sweep/sweep.ts';
import {trainedParameters} from './parameters.ts';

interface Matrix {
  inputs: number;
  outputs: number;
}

/** The matrices that a token passes, the head among them. */
export interface DecoderShape {
  adapted: readonly Matrix[];
  others: readonly Matrix[];
}

export interface MethodCost {
  method: MethodName;
  rank: number;
  /** Trained numbers. */
  parameters: number;
  /** AdamW's two moments, float32. */
  optimizerBytes: number;
  /** Floating-point operations of a step relative to LoRA's at the same rank. */
  relativeFlops: number;
  /** Additional work a token when the adapter stays beside the base, as a share of the base's; merged there is none. */
  inferenceOverhead: number;
}

/** Methods whose start is taken out of the base: a second pair beside the trained one. */
const residual: ReadonlySet<MethodName> = new Set<MethodName>(['pissa', 'milora', 'init-ab', 'olora']);

/**
 * The cost at one rank with `tokens` in a step. A product with a matrix of n weights is 2 n operations a token forward and
 * 2 n backward to its input; to a trained factor as much again. DoRA's norms are computed once a step. Attention's own
 * products, which no method changes, are left out, as are norms and the optimizer.
 */
export function methodCost(method: MethodName, rank: number, shape: DecoderShape, tokens: number): MethodCost {
  const parameters = trainedParameters(method, rank, shape.adapted);
  return {
    method,
    rank,
    parameters,
    optimizerBytes: 8 * parameters,
    relativeFlops: stepFlops(method, rank, shape, tokens) / stepFlops('lora', rank, shape, tokens),
    inferenceOverhead: (pairs(method) * pairWeights(rank, shape)) / baseWeights(shape),
  };
}

function stepFlops(method: MethodName, rank: number, shape: DecoderShape, tokens: number): number {
  const pair = pairWeights(rank, shape);
  const frozen = baseWeights(shape) + (pairs(method) - 1) * pair;
  const norms = method === 'dora' ? sum(shape.adapted, ({inputs, outputs}) => 2 * (rank + 1) * inputs * outputs) : 0;
  return tokens * (4 * frozen + 6 * pair) + norms;
}

function pairs(method: MethodName): number {
  return residual.has(method) ? 2 : 1;
}

function pairWeights(rank: number, {adapted}: DecoderShape): number {
  return sum(adapted, ({inputs, outputs}) => rank * (inputs + outputs));
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
  rank,
  parameters,
  optimizerBytes,
  relativeFlops,
  inferenceOverhead,
}: MethodCost): string[] {
  return [
    method,
    String(rank),
    parameters.toLocaleString('en-US'),
    formatMemory(optimizerBytes),
    `${relativeFlops.toFixed(3)} ×`,
    `${(100 * inferenceOverhead).toFixed(2)} %`,
    'none',
  ];
}
