import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {blockSegment, headSegment, layerSegment} from '../../../trainer/curvature/segments.ts';
import {paddedShape} from '../../../trainer/data/shapes.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {registerGradients} from '../../../trainer/engine/graph/gradients.ts';
import {cutIntoParts, type StagedComputation} from '../../../trainer/engine/graph/stages.ts';
import {trace} from '../../../trainer/engine/graph/tracing.ts';
import {fused} from '../../../trainer/engine/macros/fused.ts';
import {type Engine, Memory} from '../../../trainer/engine/program/engine.ts';
import {methods} from '../../../trainer/method/index.ts';
import {readConfig} from '../../../trainer/model/read-config.ts';
import {openWeights} from '../../../trainer/model/weights.ts';
import {golden} from '../golden.ts';

const vector = {shape: [3], dtype: 'float32'} as const;
const spec = () => ({shape: [...vector.shape], dtype: vector.dtype});

/** y = exp(x), and 2·y·u + 3·u - v in two further parts. */
const computation: StagedComputation = {
  inputs: {x: spec(), u: spec(), v: spec()},
  parts: {
    first: {inputs: ['x'], outputs: ['y']},
    second: {after: 'first', inputs: ['u'], outputs: ['half'], repeated: true},
    third: {after: 'second', inputs: ['v'], outputs: ['whole'], repeated: true},
    alone: {after: 'first', inputs: ['v'], outputs: ['whole'], repeated: true},
  },
  body: ({x, u, v}) => {
    const y = tf.exp(x!);
    const half = tf.add(tf.mul(tf.mul(y, u!), 2), tf.mul(u!, 3));
    return {y, half, whole: tf.sub(half, v!)};
  },
};

describe.each(['compiled', 'cpu'])('a computation in parts on the %s engine', name => {
  it('gives each part its outputs, with zeros for inputs that are not on its way', async () => {
    const engine = await openEngine(name, {threads: 1});
    const staged = await engine.stage(computation);
    const start = new Memory();
    const {y} = await staged.run('first', {x: Float32Array.of(0, 1, 2)}, start);
    expect(y![1]).toBeCloseTo(Math.E, 5);
    const second = new Memory(start);
    const {half} = await staged.run('second', {u: Float32Array.of(1, 2, 3)}, second);
    [5, 4 * Math.E + 6, 6 * Math.E ** 2 + 9].forEach((value, i) => {
      expect(half![i]).toBeCloseTo(value, 4);
    });
    const {whole} = await staged.run('third', {v: Float32Array.of(1, 1, 1)}, second);
    expect(whole![0]).toBeCloseTo(4, 5);
    const {whole: negative} = await staged.run('alone', {v: Float32Array.of(1, 2, 3)}, new Memory(start));
    expect([...negative!]).toEqual([-1, -2, -3]);
    await engine.dispose();
  });

  it('runs again on another memory', async () => {
    const engine = await openEngine(name, {threads: 1});
    const staged = await engine.stage(computation);
    const memories = [new Memory(), new Memory()];
    for (const [i, memory] of memories.entries()) await staged.run('first', {x: new Float32Array(3).fill(i)}, memory);
    const scratch = new Memory();
    for (const [i, memory] of memories.entries()) {
      scratch.before = memory;
      const {half} = await staged.run('second', {u: Float32Array.of(1, 1, 1)}, scratch);
      expect(half![2]).toBeCloseTo(2 * Math.exp(i) + 3, 5);
    }
    await engine.dispose();
  });
});

/** Traces a computation without an engine to run it. */
function tracing(see: (staged: StagedComputation) => void): Engine {
  registerGradients();
  const unused = () => {
    throw new Error('Only traced here.');
  };
  const weight = unused;
  return {
    name: 'trace',
    macros: fused,
    weight,
    compile: unused,
    state: unused,
    dispose: async () => {},
    async stage(staged) {
      see(staged);
      return {run: unused, dispose: async () => {}};
    },
  };
}

/** Kernels whose second derivatives kernels.test.ts compares with differences; a rotation is linear. */
const differentiatedTwice = [
  ...[
    'Add',
    'Sub',
    'Multiply',
    'RealDiv',
    'Exp',
    'Log',
    'Sqrt',
    'Rsqrt',
    'Square',
    'Sigmoid',
    'Tanh',
    'Neg',
    'Softmax',
  ],
  ...['Sum', 'Mean', 'Max', 'Reshape', 'Transpose', 'Concat', 'Slice', 'SplitV', 'BatchMatMul', 'BroadcastTo', 'Cast'],
  ...['Equal', 'Greater', 'Select', 'ArgMax', 'ZerosLike', 'Rotary'],
  ...['PadV2', 'GatherV2', 'UnsortedSegmentSum'],
];

describe('the pieces of a network', () => {
  for (const family of ['llama', 'qwen3', 'gemma3'])
    it(`${family}: every kernel is one whose second derivative is tested`, async () => {
      const config = readConfig(golden(`models/${family}`));
      const {tensors} = openWeights(golden(`models/${family}`));
      const prefix = 'model.layers.0.';
      const weights = new Map(
        [...tensors].flatMap(([name, {shape}]) =>
          name.startsWith(prefix) ? [[name.slice(prefix.length), shape] as const] : [],
        ),
      );
      const seen = new Set<string>();
      const engine = tracing(({inputs, body}) => {
        for (const {op} of trace(inputs, body).nodes) seen.add(op);
      });
      await layerSegment(engine, config, 0, weights, paddedShape(2, 4, 8));
      const groups = [
        {rows: 1, length: 4},
        {rows: 2, length: 3},
      ];
      await layerSegment(engine, config, 0, weights, {groups, tokens: 11, targets: 8, beginning: 2});
      await headSegment(engine, config, 5);
      const site = {name: '', inputs: 8, outputs: 6};
      const options = {
        ...{blocks: 2, block_size: 2, butterfly_factor: 2, d_initial: 0.1, decompose_factor: -1, decompose_both: 0},
        ...{lambda: 15, use_cayley_neumann: 1, num_cayley_neumann_terms: 5, block_share: 0},
        ...{num_vectors: 4, vector_length: 2, topk: 2},
      };
      for (const name of [
        'lora',
        'dora',
        'vera',
        'gralora',
        'randlora',
        'boft',
        'miss',
        'loha',
        'hira',
        'lokr',
        'ia3',
        'delora',
        'oft',
        'adalora',
        'vb-lora',
      ] as const)
        await blockSegment(
          engine,
          {name, method: methods[name], form: {rank: 2, scale: 1, options}, sites: [site]},
          site,
          8,
        );
      expect([...seen].filter(op => !differentiatedTwice.includes(op))).toEqual([]);
    });

  it('nothing in front of a projection is computed for its products', async () => {
    const config = readConfig(golden('models/llama'));
    const {tensors} = openWeights(golden('models/llama'));
    const prefix = 'model.layers.0.';
    const weights = new Map([...tensors].map(([name, {shape}]) => [name.slice(prefix.length), shape] as const));
    const layer = new Map(
      [...tensors.keys()].flatMap(name => {
        const short = name.slice(prefix.length);
        return name.startsWith(prefix) ? [[short, weights.get(short)!] as const] : [];
      }),
    );
    const products: Record<string, number> = {};
    const engine = tracing(({inputs, body, parts}) => {
      for (const [name, {nodes}] of cutIntoParts(trace(inputs, body), parts))
        products[name] = nodes.filter(({op}) => op === 'BatchMatMul').length;
    });
    await layerSegment(engine, config, 0, layer, paddedShape(2, 4, 8));
    // The last projection has only sums behind it; one more lies behind those before it.
    expect(products['tangent.down_proj']).toBe(0);
    expect(products['adjoint.down_proj']).toBe(0);
    expect(products['tangent.gate_proj']).toBeLessThanOrEqual(2);
    expect(products['adjoint.gate_proj']).toBe(1);
    expect(products['tangent.q_proj']! + products['adjoint.q_proj']!).toBeLessThan(
      products['tangent']! + products['adjoint']!,
    );
  });
});
