/**
 * How much faster training steps were with TensorFlow in bfloat16 than on onnxruntime in float32, on processors that were measured
 * (docs/benchmarks.md). What is not set up cannot be timed here, so that a like processor has to stand for this one.
 */
import {multipliesBfloat16} from '../device/processor.ts';
import type {MatrixSize} from './compare.ts';

interface Measured {
  /** Hidden size of the model. */
  width: number;
  times: number;
}

interface Kind {
  /** Of processors, as a sentence names it. */
  name: string;
  is(instructions: readonly string[]): boolean;
  measured: readonly [Measured, ...Measured[]];
}

const kinds: readonly Kind[] = [
  {
    name: 'AMD EPYC with AVX-512 BF16',
    // Intel's have AMX beside it, with which nothing was measured.
    is: instructions => instructions.includes('avx512_bf16') && !instructions.includes('amx_bf16'),
    // 97.48 to 61.24 ms a trial, 501.01 to 302.97, and 3591 to 2095 (SmolLM2-135M).
    measured: [
      {width: 256, times: 1.59},
      {width: 512, times: 1.65},
      {width: 576, times: 1.71},
    ],
  },
];

/** Below this a set-up is not worth speaking of. */
const telling = 1.1;
/** Models this many times as narrow as the narrowest that was measured are another matter: products are less of their steps. */
const furthest = 2;

/** What a set-up is expected to bring, as the end of a sentence; null where it brings too little, or the processor has no bfloat16. */
export function gainInWords(instructions: readonly string[] | null, matrices: readonly MatrixSize[]): string | null {
  if (!multipliesBfloat16(instructions)) return null;
  const unknown = 'by how much was not measured on such a processor with such a model';
  const kind = kinds.find(({is}) => is(instructions!));
  if (kind === undefined) return unknown;
  const width = widthOf(matrices);
  const all = kind.measured.map(({times}) => times);
  if (width === null) return inWords(kind, [Math.min(...all), Math.max(...all)], 'models of width 256 to 576');
  const apart = (one: Measured) => Math.abs(Math.log(one.width / width));
  const nearest = kind.measured.reduce((best, one) => (apart(one) < apart(best) ? one : best));
  if (nearest.width / width > furthest) return unknown;
  return nearest.times < telling ? null : inWords(kind, [nearest.times], `a model of width ${nearest.width}`);
}

function inWords({name}: Kind, times: readonly number[], model: string): string {
  const range = [...new Set(times.map(value => value.toFixed(1)))].join(' to ');
  return `on processors like this one (${name}) its steps in bfloat16 were ${range} times as fast, for ${model}`;
}

/** The side that most matrices have on one end: the hidden size. */
function widthOf(matrices: readonly MatrixSize[]): number | null {
  const counts = new Map<number, number>();
  for (const {in: from, out, count} of matrices)
    for (const side of new Set([from, out])) counts.set(side, (counts.get(side) ?? 0) + count);
  const [most] = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  return most?.[0] ?? null;
}
