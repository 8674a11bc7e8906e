/** Logits of a base with an adapter folder on it, or by itself. */

import type {Engine} from '../../trainer/engine/program/engine.ts';
import {Programs} from '../../trainer/engine/program/programs.ts';
import {causalAttention, hidden, logitsFrom} from '../../trainer/model/decoder.ts';
import {openFolder} from '../../trainer/model/open-model.ts';
import {paddedRows} from '../../trainer/model/places.ts';
import {adaptedModel} from '../../trainer/training/adapted-model.ts';

/** ids [row][position] → [row · position · vocabulary] */
export async function adaptedLogits(
  engine: Engine,
  model: string,
  ids: number[][],
  adapter?: string,
): Promise<Float32Array> {
  const [rows, length] = [ids.length, ids[0]!.length];
  const {inputs, feeds, passes} = await (
    await adaptedModel(new Programs(engine), openFolder(model), adapter)
  ).generative();
  const program = await engine.compile({
    inputs: {...inputs, ids: {shape: [rows * length], dtype: 'int32'}},
    state: {},
    body: tensors => {
      const {model: on, project} = passes(tensors);
      const batching = paddedRows(1, rows, length);
      const x = hidden(on, tensors['ids']!, batching, {project, attend: causalAttention(on)});
      return {logits: logitsFrom(on, x)};
    },
  });
  const {logits} = await program.run({...feeds, ids: Int32Array.from(ids.flat())});
  await program.dispose();
  return logits as Float32Array;
}
