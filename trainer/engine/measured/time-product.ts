/** How long a product of matrices takes on an engine. */
import * as tf from '@tensorflow/tfjs-core';
import {product} from '../../../core/numbers.ts';
import type {Engine} from '../program/engine.ts';

/** x · Wᵀ for x [rows, in] and W [out, in]. */
export interface ProductShape {
  rows: number;
  in: number;
  out: number;
}

export const operations = ({rows, in: from, out}: ProductShape): number => 2 * rows * from * out;

/** Numbers that look random and are the same everywhere. */
export function numbers(shape: number[], seed: number): Float32Array {
  return Float32Array.from({length: product(shape)}, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) * 0.5);
}

/**
 * Seconds of the fastest run of a product whose sides lie in the engine, and whose result stays there. It is repeated for about
 * `milliseconds`; one run beside the first, in which an engine may still make its program, is given in any case.
 */
export async function timeProduct(engine: Engine, shape: ProductShape, milliseconds: number): Promise<number> {
  const sides = {a: [shape.rows, shape.in], b: [shape.out, shape.in], y: [shape.rows, shape.out]};
  const program = await engine.compile({
    inputs: {},
    state: Object.fromEntries(Object.entries(sides).map(([name, side]) => [name, {shape: side, dtype: 'float32'}])),
    body({a, b}) {
      const y = tf.matMul(a!, b!, false, true);
      // One number comes back: then all of them are there.
      return {y, corner: tf.slice(y, [0, 0], [1, 1])};
    },
  });
  const state = engine.state(
    Object.fromEntries(Object.entries(sides).map(([name, side], k) => [name, {shape: side, data: numbers(side, k)}])),
  );
  await program.run({}, state);
  const began = performance.now();
  let best = Number.POSITIVE_INFINITY;
  do {
    const start = performance.now();
    await program.run({}, state);
    best = Math.min(best, performance.now() - start);
  } while (performance.now() - began < milliseconds);
  state.dispose();
  await program.dispose();
  return best / 1000;
}
