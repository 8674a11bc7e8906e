/** What a method costs on a model: numbers trained, memory of the optimizer, work of a step and of an answer. */
import {formatMemory} from '../run/format.ts';
import {type MethodName, noRank} from '../sweep/sweep.ts';
import {type Matrix, type Sized, trainedParameters} from './parameters.ts';

/** The matrices that a token passes, the head among them. */
export interface DecoderShape {
  adapted: readonly Matrix[];
  others: readonly Matrix[];
  /** Numbers in all weights, those that no token is multiplied with included. */
  everything: number;
}

export interface MethodCost {
  method: MethodName;
  rank: number;
  /** Trained numbers. */
  parameters: number;
  /** AdamW's two moments, float32. */
  optimizerBytes: number;
  /** Floating-point operations of a step relative to LoRA's at the same rank (rank 8 where there is none). */
  relativeFlops: number;
  /** Additional work a token when the adapter stays beside the base, as a share of the base's; merged there is none. */
  inferenceOverhead: number;
}

/** What a token is multiplied with at an adapted matrix beside the base's weight, and what a step does once. */
interface Extra {
  /** Numbers of matrices without a gradient of their own. */
  frozen: number;
  trained: number;
  /** Operations a step, whatever the number of tokens. */
  once: number;
}

/** Methods whose start is taken out of the base: a second pair beside the trained one. */
const residual: ReadonlySet<MethodName> = new Set<MethodName>(['pissa', 'milora', 'init-ab', 'olora', 'lora-ga']);

function extra({method, rank, options}: Sized, {inputs, outputs}: Matrix): Extra {
  const pair = rank * (inputs + outputs);
  const weights = inputs * outputs;
  switch (method) {
    case 'full':
      return {frozen: 0, trained: 0, once: 0};
    case 'vera':
      return {frozen: pair, trained: 0, once: 0};
    case 'dora':
      // The norms of W + s·B·A.
      return {frozen: 0, trained: pair, once: 2 * (rank + 1) * weights};
    case 'boft': {
      const block = options?.['block_size'] ?? rank;
      const rotation = inputs * block * (options?.['butterfly_factor'] ?? 1);
      // Blocks are inverted, and their gradient takes two products with the inverse.
      return {frozen: 0, trained: rotation, once: 6 * rotation * block};
    }
    case 'randlora': {
      const short = Math.min(inputs, outputs);
      const bases = Math.ceil(short / rank) * rank;
      return {frozen: bases * Math.max(inputs, outputs), trained: bases * short, once: 0};
    }
    default:
      return {frozen: residual.has(method) ? pair : 0, trained: pair, once: 0};
  }
}

/**
 * The cost with `tokens` in a step. A product with a matrix of n weights is 2 n operations a token forward and 2 n
 * backward to its input; to what is trained as much again. Attention's own products, which no method changes, are left
 * out, as are norms and the optimizer.
 */
export function methodCost(sized: Sized, shape: DecoderShape, tokens: number): MethodCost {
  const {method, rank} = sized;
  const parameters = trainedParameters(sized, shape.adapted, shape.everything);
  const beside = sum(shape.adapted, matrix => {
    const {frozen, trained} = extra(sized, matrix);
    return frozen + trained;
  });
  const lora: Sized = {method: 'lora', rank: rank === noRank ? 8 : rank};
  return {
    method,
    rank,
    parameters,
    optimizerBytes: 8 * parameters,
    relativeFlops: stepFlops(sized, shape, tokens) / stepFlops(lora, shape, tokens),
    inferenceOverhead: beside / baseWeights(shape),
  };
}

function stepFlops(sized: Sized, shape: DecoderShape, tokens: number): number {
  const perToken = (sized.method === 'full' ? 6 : 4) * baseWeights(shape);
  return (
    sum(shape.adapted, matrix => {
      const {frozen, trained, once} = extra(sized, matrix);
      return tokens * (4 * frozen + 6 * trained) + once;
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
  rank,
  parameters,
  optimizerBytes,
  relativeFlops,
  inferenceOverhead,
}: MethodCost): string[] {
  return [
    method,
    rank === noRank ? '–' : String(rank),
    parameters.toLocaleString('en-US'),
    formatMemory(optimizerBytes),
    `${relativeFlops.toFixed(3)} ×`,
    `${(100 * inferenceOverhead).toFixed(2)} %`,
    'none',
  ];
}
