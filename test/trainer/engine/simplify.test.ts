import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import protobuf from 'protobufjs/light.js';
import {describe, expect, it} from 'vitest';
import {type Graph, liveNodes, storedTensors} from '../../../trainer/engine/graph/graph.ts';
import {withoutDetours, withoutRepeats} from '../../../trainer/engine/graph/simplify.ts';
import {trace} from '../../../trainer/engine/graph/tracing.ts';
import {emitOnnx} from '../../../trainer/engine/onnx/onnx.ts';
import {traceComputation} from '../../../trainer/engine/program/compilation.ts';
import type {Computation} from '../../../trainer/engine/program/engine.ts';
import {engines, type GoldenBatch, type GoldenRun, goldenJson, goldenPack, packBatch, targetsIn} from '../golden.ts';

const spec = {shape: [2, 3], dtype: 'float32'} as const;
const traced = (body: (x: tf.Tensor) => tf.Tensor): Graph =>
  trace({x: {...spec, shape: [...spec.shape]}}, ({x}) => ({y: body(x!)}));
const ops = (graph: Graph): string[] => liveNodes(graph).map(({op}) => op);

describe('detours', () => {
  it('are left out where reshapes follow each other or change nothing', () => {
    const chain = traced(x => tf.exp(tf.reshape(tf.reshape(tf.reshape(x, [6]), [3, 2]), [1, 6])));
    expect(ops(chain)).toEqual(['Reshape', 'Reshape', 'Reshape', 'Exp']);
    const short = withoutDetours(chain);
    expect(ops(short)).toEqual(['Reshape', 'Exp']);
    expect(liveNodes(short)[0]!.inputs[0]).toBe(chain.inputs.get('x'));
    expect(ops(withoutDetours(traced(x => tf.exp(tf.reshape(tf.reshape(x, [6]), [2, 3])))))).toEqual(['Exp']);
  });

  it('are left out where a constant is made of a constant', () => {
    const graph = withoutDetours(traced(x => tf.mul(x, tf.reshape(tf.neg(tf.tensor1d([1, 2, 3])), [1, 3]))));
    expect(ops(graph)).toEqual(['Multiply']);
    const constant = graph.nodes.at(-1)!.inputs[1]!;
    expect(constant.shape).toEqual([1, 3]);
    expect(constant.source).toEqual({kind: 'constant', values: Float32Array.of(-1, -2, -3)});
  });

  it('are left out of what is fed and what comes out too, with the same result', async () => {
    const engine = await engines['compiled']!();
    const computation: Computation = {
      inputs: {x: {shape: [2, 3], dtype: 'float32'}},
      state: {},
      body: ({x}) => {
        const doubled = tf.add(x!, x!);
        return {
          same: tf.reshape(tf.reshape(x!, [6]), [2, 3]),
          twice: doubled,
          flat: tf.reshape(doubled, [6]),
          again: doubled,
        };
      },
    };
    const program = await engine.compile(computation);
    const {same, twice, flat, again} = await program.run({x: Float32Array.of(1, 2, 3, 4, 5, 6)});
    expect([...same!]).toEqual([1, 2, 3, 4, 5, 6]);
    for (const values of [twice, flat, again]) expect([...values!]).toEqual([2, 4, 6, 8, 10, 12]);
    await engine.dispose();
  });
});

/** As much of onnx.proto as it takes to count nodes. */
const Model = protobuf.Root.fromJSON({
  nested: {
    Model: {fields: {graph: {id: 7, type: 'Graph'}}},
    Graph: {fields: {nodes: {id: 1, type: 'Node', rule: 'repeated'}}},
    Node: {fields: {op: {id: 4, type: 'string'}}},
  },
}).lookupType('Model');
const nodesIn = (bytes: Uint8Array): number =>
  (Model.decode(bytes) as unknown as {graph: {nodes: unknown[]}}).graph.nodes.length;

describe('the graph of a training step', () => {
  const run = goldenJson<GoldenRun>('train/llama-lora.json');
  const batch = goldenJson<{train: GoldenBatch[]}>('train/dataset.json').train[0]!;

  /** The step as it is compiled, and the folder of its weights. */
  async function step(merged: boolean, recompute: boolean) {
    const engine = await engines['compiled']!();
    let graph: Graph | undefined;
    const compile = (computation: Computation) => {
      graph = withoutRepeats(withoutDetours(traceComputation(computation)));
      return engine.compile(computation);
    };
    const pack = goldenPack({...engine, compile}, run, run.cases['low']!, 1, merged, recompute);
    await pack.step([packBatch(batch, 1, targetsIn([batch]))], Float32Array.of(1e-3), Float32Array.of(1));
    pack.dispose();
    await engine.dispose();
    return {bytes: emitOnnx(graph!), weights: dirname(storedTensors(graph!)[0]!.file)};
  }

  it.each([
    {merged: true, recompute: false},
    {merged: false, recompute: false},
    {merged: false, recompute: true},
  ])('leaves at most one node in a hundred for the runtime to optimise away: %o', async ({merged, recompute}) => {
    const {bytes, weights} = await step(merged, recompute);
    const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
    try {
      const optimizedModelFilePath = join(folder, 'optimised.onnx');
      const session = await ort.InferenceSession.create(bytes, {
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        optimizedModelFilePath,
        extra: {session: {model_external_initializers_file_folder_path: weights}},
      });
      await session.release();
      const own = nodesIn(bytes);
      expect(own).toBeGreaterThan(100);
      expect(own - nodesIn(readFileSync(optimizedModelFilePath))).toBeLessThanOrEqual(own / 100);
    } finally {
      rmSync(folder, {recursive: true});
    }
  });
});
