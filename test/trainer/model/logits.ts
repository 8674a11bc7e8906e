/** The logits of a whole batch of rows of one length, from position 0. */
import type {Engine} from '../../../trainer/engine/program/engine.ts';
import {causalAttention, frozenProjection, hidden, logitsFrom} from '../../../trainer/model/decoder.ts';
import type {BaseModel} from '../../../trainer/model/open-model.ts';
import {paddedRows} from '../../../trainer/model/places.ts';
import {modelOn} from '../golden.ts';

/** ids [row][position] → [row · position · vocabulary] */
export async function logitsOf(engine: Engine, model: BaseModel, ids: number[][]): Promise<Float32Array> {
  const [rows, length] = [ids.length, ids[0]!.length];
  const program = await engine.compile({
    inputs: {ids: {shape: [rows * length], dtype: 'int32'}},
    state: {},
    body: inputs => {
      const on = modelOn(engine, model);
      const batching = paddedRows(1, rows, length);
      const passes = {project: frozenProjection(on), attend: causalAttention(on)};
      return {logits: logitsFrom(on, hidden(on, inputs['ids']!, batching, passes))};
    },
  });
  const {logits} = await program.run({ids: Int32Array.from(ids.flat())});
  return Float32Array.from(logits!);
}

export function largestDifference(found: Float32Array, expected: number[][][]): number {
  return Math.max(...expected.flat(2).map((value, i) => Math.abs(found[i]! - value)));
}
