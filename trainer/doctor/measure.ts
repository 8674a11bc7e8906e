/** What an engine computes and how fast: a small product and a small training step against float64, and a few products timed. */
import * as tf from '@tensorflow/tfjs-core';
import {numbers, operations, timeProduct} from '../engine/measured/time-product.ts';
import type {Computation, Engine} from '../engine/program/engine.ts';
import {distanceFrom, exact, productOf, stepOf} from './float64.ts';
import type {Measured, Rate} from './machine.ts';

const [rows, size, out, vocabulary, rank] = [16, 32, 24, 40, 4];
const [scale, rate] = [2, 0.125];

const shapes = {
  x: [1, rows, size],
  W: [out, size],
  A: [1, rank, size],
  B: [1, out, rank],
  E: [vocabulary, out],
};
type Name = keyof typeof shapes;

const specOf = (shape: number[]) => ({shape, dtype: 'float32' as const});

/** x · Wᵀ, and one step on A and B with the loss before it. */
function smallStep(engine: Engine): Computation {
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, specOf(shape)]));
  return {
    inputs: {...inputs, targets: {shape: [rows], dtype: 'int32'}},
    state: {},
    body({x, W, A, B, E, targets}) {
      const macros = engine.macros({merged: false});
      const lossOf = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => {
        const y = tf.reshape(macros.lowRank(x!, W!, {A: a, B: b}, scale), [rows, out]);
        return tf.sum(macros.crossEntropy(y, E!, targets!, null)) as tf.Scalar;
      };
      const {value, grads} = tf.valueAndGrads((...[a, b]) => lossOf(a!, b!))([A!, B!]);
      const moved = (factor: tf.Tensor, gradient: tf.Tensor) => tf.sub(factor, tf.mul(gradient, rate));
      return {y: macros.linear(x!, W!), loss: value, movedA: moved(A!, grads[0]!), movedB: moved(B!, grads[1]!)};
    },
  };
}

/** How far both are from float64, as shares of what float32 explains. */
async function checked(engine: Engine): Promise<{product: number; step: number}> {
  const values = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], k) => [name, numbers(shape, k)]),
  ) as Record<Name, Float32Array>;
  const matrix = (name: Name) => exact(values[name], shapes[name].at(-1)!);
  const targets = Int32Array.from({length: rows}, (_, i) => (i * 7) % vocabulary);
  const program = await engine.compile(smallStep(engine));
  const found = await program.run({...values, targets});
  const [x, W, A, B, E] = [matrix('x'), matrix('W'), matrix('A'), matrix('B'), matrix('E')];
  const expected = stepOf({x, W, A, B, E, targets: [...targets], scale, rate});
  const distances = {
    product: distanceFrom(productOf(x, W), found['y']!),
    step: Math.max(
      distanceFrom([[expected.loss]], found['loss']!),
      distanceFrom(expected.A, found['movedA']!),
      distanceFrom(expected.B, found['movedB']!),
    ),
  };
  await program.dispose();
  return distances;
}

/** Products as small models have them, the smallest first. */
const timed: readonly Omit<Rate, 'gflops'>[] = [
  {rows: 1024, in: 64, out: 192},
  {rows: 1024, in: 256, out: 256},
  {rows: 1024, in: 256, out: 768},
  {rows: 1024, in: 1024, out: 1024},
];
/** Given to each shape. */
const millisecondsAShape = 80;

/** A product that would take longer is not begun. */
const longestSeconds = 0.25;

/** Checks an engine, times it, and closes it. */
export async function measure(engine: Engine): Promise<Measured> {
  const distances = await checked(engine);
  const rates: Rate[] = [];
  for (const shape of timed) {
    const last = rates.at(-1);
    if (last !== undefined && operations(shape) / last.gflops / 1e9 > longestSeconds) break;
    rates.push({...shape, gflops: operations(shape) / (await timeProduct(engine, shape, millisecondsAShape)) / 1e9});
  }
  await engine.dispose();
  return {...distances, rates};
}
