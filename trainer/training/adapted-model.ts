import {adaptedProjection, openAdapter} from '../adapter/adapted.ts';
import {shapeName} from '../data/shapes.ts';
import type {Programs} from '../engine/program/programs.ts';
import type {Model} from '../model/decoder.ts';
import type {BaseModel} from '../model/open-model.ts';
import {batchInputs, feeds, lossesOf, type PackBatch, targetLosses} from '../step/step.ts';
import type {Evaluable} from './evaluate.ts';

/** The base with an adapter, or by itself, ready to answer and to be scored on this thread's engine. */
export async function adaptedModel(programs: Programs, base: BaseModel, folder?: string): Promise<Evaluable> {
  await programs.use(`adapted ${folder ?? ''}`);
  const {config, weights} = base;
  const {engine} = programs;
  const adapter = folder === undefined ? undefined : openAdapter(folder, base);
  const passes = () => {
    const model: Model = {
      config,
      macros: engine.macros({merged: false}),
      weight: name => engine.weight(weights.tensors.get(name)!),
    };
    return {model, project: adaptedProjection(model, adapter)};
  };
  const measured = async (batch: PackBatch, name: string, of: typeof lossesOf): Promise<Float32Array> => {
    const {shape} = batch;
    const program = await programs.get(`${name} ${shapeName(shape)}`, () => ({
      inputs: batchInputs(1, shape),
      state: {},
      body: tensors => {
        const {model, project} = passes();
        return {losses: of(model, 1, shape, tensors, project)};
      },
    }));
    const {losses} = await program.run(feeds(batch));
    return Float32Array.from(losses!);
  };
  return {
    settings: {trials: 1},
    count: 0,
    generative: async () => ({config, trials: 1, inputs: {}, feeds: {}, passes}),
    evaluate: batch => measured(batch, 'evaluate', lossesOf),
    score: batch => measured(batch, 'score', targetLosses),
  };
}
