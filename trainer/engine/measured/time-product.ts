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

/** A product on an engine, its sides and its result in there, ready to be run: the first run, in which an engine may still make its program, is behind it. */
export interface ReadyProduct {
  run(): Promise<unknown>;
  dispose(): Promise<void>;
}

export async function readyProduct(engine: Engine, shape: ProductShape): Promise<ReadyProduct> {
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
  return {
    run: () => program.run({}, state),
    async dispose() {
      state.dispose();
      await program.dispose();
    },
  };
}

/** Seconds of the fastest run of a product, which is repeated for about `milliseconds` and at least once. */
export async function timeProduct(engine: Engine, shape: ProductShape, milliseconds: number): Promise<number> {
  const product = await readyProduct(engine, shape);
  const began = performance.now();
  let best = Number.POSITIVE_INFINITY;
  do {
    const start = performance.now();
    await product.run();
    best = Math.min(best, performance.now() - start);
  } while (performance.now() - began < milliseconds);
  await product.dispose();
  return best / 1000;
}

/**
 * Seconds of processor time of the fastest run of a product on each engine: they take turns, for about `milliseconds` of that time and at
 * least twice, so that what else the machine does slows neither alone.
 */
export async function timeInTurns(
  engines: readonly Engine[],
  shape: ProductShape,
  milliseconds: number,
): Promise<number[]> {
  const products = await Promise.all(engines.map(engine => readyProduct(engine, shape)));
  const best = products.map(() => Number.POSITIVE_INFINITY);
  const began = process.cpuUsage();
  for (let round = 0; round < 2 || secondsOf(process.cpuUsage(began)) < milliseconds / 1000; round++) {
    for (const [k, product] of products.entries()) {
      const start = process.cpuUsage();
      await product.run();
      best[k] = Math.min(best[k]!, secondsOf(process.cpuUsage(start)));
    }
  }
  for (const product of products) await product.dispose();
  return best;
}

const secondsOf = ({user, system}: NodeJS.CpuUsage): number => (user + system) / 1e6;
