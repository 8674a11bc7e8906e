import {describe, expect, it} from 'vitest';
import {type Graph, liveNodes, type Value} from '../../../trainer/engine/graph/graph.ts';
import {trace} from '../../../trainer/engine/graph/tracing.ts';
import type {Computation} from '../../../trainer/engine/program/engine.ts';
import {engines, type GoldenBatch, type GoldenRun, goldenJson, goldenPack, packBatch, targetsIn} from '../golden.ts';

const run = goldenJson<GoldenRun>('train/llama-lora.json');
const batch = goldenJson<{train: GoldenBatch[]}>('train/dataset.json').train[0]!;

/** The step of a golden case as a graph, and what it gives for two trials. */
async function step(options: {merged: boolean; recompute: boolean}) {
  const engine = await engines['compiled']!();
  let graph: Graph | undefined;
  const compile = (computation: Computation) => {
    graph = trace({...computation.inputs, ...computation.state}, computation.body);
    return engine.compile(computation);
  };
  const pack = goldenPack({...engine, compile}, run, run.cases['low']!, 2, options.merged, options.recompute);
  const before = await pack.parameters();
  const packed = packBatch(batch, 2, targetsIn([batch]));
  const result = await pack.step([packed], Float32Array.of(1e-3, 1e-3), Float32Array.of(1, 1));
  const after = await pack.parameters();
  pack.dispose();
  await engine.dispose();
  return {graph: graph!, result, before, after, pack};
}

/** Bytes of the largest set of values that stand side by side when nodes run in the order they are written in. */
function peakBytes(graph: Graph): number {
  const nodes = liveNodes(graph);
  const origin = new Map<Value, Value>();
  const held = (value: Value): Value => origin.get(value) ?? value;
  for (const {op, inputs, outputs} of nodes) if (op === 'Reshape') origin.set(outputs[0]!, held(inputs[0]!));
  const last = new Map<Value, number>();
  for (const [place, {inputs}] of nodes.entries()) for (const value of inputs) last.set(held(value), place);
  const bytes = ({shape}: Value) => 4 * shape.reduce((product, size) => product * size, 1);
  const standing = new Set<Value>();
  let now = 0;
  let peak = 0;
  for (const [place, {op, inputs, outputs}] of nodes.entries()) {
    if (op !== 'Reshape')
      for (const value of outputs.filter(output => last.has(output))) {
        standing.add(value);
        now += bytes(value);
      }
    peak = Math.max(peak, now);
    for (const value of new Set(inputs.map(held)))
      if (standing.has(value) && last.get(value) === place) {
        standing.delete(value);
        now -= bytes(value);
      }
  }
  return peak;
}

describe('recomputation', () => {
  it('gives the same losses, norms and parameters, in less memory', async () => {
    const whole = await step({merged: false, recompute: false});
    const again = await step({merged: false, recompute: true});
    expect(again.result).toEqual(whole.result);
    expect(again.after).toEqual(whole.after);
    expect(again.after).not.toEqual(again.before);
    expect(peakBytes(again.graph)).toBeLessThan(0.7 * peakBytes(whole.graph));
  });

  it('leaves no mark in the graph', async () => {
    for (const recompute of [false, true]) {
      const {graph} = await step({merged: false, recompute});
      expect(graph.nodes.filter(({op}) => op.startsWith('Checkpoint') || op === 'After')).toEqual([]);
    }
  });
});
