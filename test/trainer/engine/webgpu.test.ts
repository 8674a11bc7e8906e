import * as tf from '@tensorflow/tfjs-core';
import {afterAll, describe, expect, it} from 'vitest';
import {products} from '../../../trainer/curvature/hessian.ts';
import {chooseEngine, openEngine} from '../../../trainer/engine/choose.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import {missingNote} from '../../../trainer/engine/onnx/placement.ts';
import {openWebgpu} from '../../../trainer/engine/onnx/webgpu.ts';
import type {Engine} from '../../../trainer/engine/program/engine.ts';
import {goldenBlock, goldenNetwork} from '../curvature/golden-blocks.ts';
import {followForward, followGeneration, followTraining} from '../follow.ts';
import {
  type GoldenBatch,
  type GoldenRun,
  goldenJson,
  goldenPack,
  goldenValues,
  packBatch,
  targetsIn,
} from '../golden.ts';
import {attentionProgram} from './attention-program.ts';
import {furthestApart} from './low-rank-program.ts';
import {testGpu} from './software-gpu.ts';

// A software GPU on a busy machine takes its time.

const there = await testGpu();
/** Heard from any session: an operation that is not on the device. */
const notes: string[] = [];
// One engine for all: what it compiles for one case serves the next.
const engine: Engine | undefined = there ? openWebgpu({note: message => notes.push(message)}) : undefined;
const gpu = engine!;

afterAll(async () => {
  await engine?.dispose();
});

const dataset = goldenJson<{train: GoldenBatch[]}>('train/dataset.json');

describe.runIf(there)('the compiled engine on a GPU', () => {
  for (const name of ['llama', 'qwen3', 'gemma3', 'llama-bf16'])
    it(`${name}: logits agree with float64`, () => followForward(gpu, name));

  it('qwen3: prompts of different lengths in one batch continue as alone in transformers', () =>
    followGeneration(gpu, 'qwen3', 1));

  for (const [name, caseName] of [
    ['qwen3-lora', 'high'],
    ['qwen3-pissa', 'high'],
    ['qwen3-dora', 'high'],
    ['llama-milora', 'high'],
    ['llama-initab', 'high'],
  ] as const)
    it(`${name}: twelve steps follow PyTorch and PEFT`, () => followTraining(gpu, name, caseName));
  it('qwen3-lora, two trials, rows without padding', () =>
    followTraining(gpu, 'qwen3-lora', 'high', {unpadded: true, trials: 2}));
  it('qwen3-lora, two trials, what rows begin with once', () =>
    followTraining(gpu, 'qwen3-lora', 'high', {sharing: true, trials: 2}));

  it('attention over many positions, in blocks, gives what it gives on the CPU', async () => {
    const cpu = openCompiled({threads: 1});
    const [onGpu, onCpu] = await Promise.all(
      [gpu, cpu].map(async own => {
        const {computation, feeds} = attentionProgram(own.macros({merged: false}), 256, Infinity);
        return (await own.compile(computation)).run(feeds);
      }),
    );
    expect(furthestApart(onGpu!, onCpu!)).toBeLessThan(1e-5);
    await cpu.dispose();
  });

  it('a Hessian product agrees with float64', async () => {
    const setting = goldenNetwork(gpu, 'qwen3');
    const stored = goldenValues('curvature/qwen3-lora.safetensors');
    const block = goldenBlock(setting, 'qwen3-lora', 'layers.0.q_proj');
    const vector = Float64Array.from(stored.get('hvp.v')!);
    const [found] = await products(setting.segments, setting.network, [{block, vector}], () => {});
    const expected = stored.get('hvp.Hv')!;
    const square = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value * value, 0);
    const relative = Math.sqrt(square(found!.map((value, i) => value - expected[i]!)) / square(expected));
    // Ten times float32's own distance from float64, as on the CPU.
    expect(relative).toBeLessThan(5e-6);
  });

  it('trials of a pack move as alone, beside one that diverges too', async () => {
    const run = goldenJson<GoldenRun>('train/qwen3-lora.json');
    const own = 0.01;
    /** Losses of the first trial over three steps, and everybody's parameters after them. */
    const after = async (...rates: number[]) => {
      const batch = packBatch(dataset.train[0]!, rates.length, targetsIn([dataset.train[0]!]));
      const pack = goldenPack(gpu, run, run.cases['high']!, rates.length, true);
      const losses: number[][] = [];
      for (let step = 0; step < 3; step++) {
        const result = await pack.step([batch], Float32Array.from(rates), new Float32Array(rates.length).fill(1));
        losses.push([...result.losses]);
      }
      const parameters = await pack.parameters();
      pack.dispose();
      const size = parameters.length / rates.length;
      return {losses, parameters: rates.map((_, i) => parameters.slice(i * size, (i + 1) * size))};
    };
    const calm = await after(own, own);
    const wild = await after(own, 1e30);
    expect(wild.losses.at(-1)![1]).toBeNaN();
    expect(wild.parameters[1]!.every(Number.isFinite)).toBe(true);
    // The same shapes, so the same order of summation: to the last bit.
    expect(wild.losses.map(([loss]) => loss)).toEqual(calm.losses.map(([loss]) => loss));
    expect(wild.parameters[0]).toEqual(calm.parameters[0]);
    expect(calm.parameters[1]).toEqual(calm.parameters[0]);
    // Alone the products have other shapes, and the device may sum in another order.
    const alone = await after(own);
    const spread = run.cases['high']!.fp32_vs_f64.loss_max_abs_diff;
    alone.losses.forEach(([loss], step) => {
      expect(Math.abs(loss! - calm.losses[step]![0]!)).toBeLessThan(10 * spread);
    });
  });

  it('dropout masks are those of the CPU', async () => {
    const {dropoutMask, noiseSize, residues} = await import('../../../trainer/math/dropout.ts');
    const noise = Float32Array.from({length: noiseSize(40, 50)}, (_, i) => (i * 1777) % residues);
    const masks = await Promise.all(
      [gpu, await openEngine('compiled', {threads: 1})].map(async on => {
        const program = await on.compile({
          inputs: {noise: {shape: [1, noise.length], dtype: 'float32'}},
          state: {},
          body: tensors => ({mask: tf.mul(dropoutMask(tensors['noise']!, 50, 0.3), 1)}),
        });
        return (await program.run({noise}))['mask'];
      }),
    );
    expect(masks[0]).toEqual(masks[1]);
  });

  it('every operation of all of these ran on the device', () => {
    expect(notes).toEqual([]);
  });

  it('an operation that the device lacks is computed by the CPU, counted and told', async () => {
    const heard: string[] = [];
    const own = openWebgpu({note: message => heard.push(message)});
    // Repeating truth values that are not of length 1 has no kernel there.
    const program = await own.compile({
      inputs: {x: {shape: [3], dtype: 'float32'}},
      state: {},
      body: ({x}) => ({y: tf.where(tf.tile(tf.greater(x!, 0), [2]), tf.tile(x!, [2]), tf.zeros([6]))}),
    });
    const {y} = await program.run({x: Float32Array.of(-1, 2, 3)});
    expect([...y!]).toEqual([0, 2, 3, 0, 2, 3]);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatch(/^\d+ of \d+ operations of a step run on the CPU.*\(.*Tile 1/);
    await program.dispose();
  });

  it('what has no room there is refused with what to do, and the device goes on', async () => {
    const size = 600_000_000;
    const program = await gpu.compile({
      inputs: {x: {shape: [1], dtype: 'float32'}},
      state: {},
      body: ({x}) => ({y: tf.sum(tf.square(tf.broadcastTo(x!, [size])))}),
    });
    await expect(program.run({x: Float32Array.of(1)})).rejects.toMatchObject({
      code: 'gpu-memory',
      message: expect.stringContaining('training.micro_batch'),
    });
    await program.dispose();
    await followForward(gpu, 'qwen3');
  });
});

it('what the CPU had to do is counted by operation', () => {
  const node = (op: string, provider: string) => ({op, provider});
  const nodes = [
    node('Tile', 'CPUExecutionProvider'),
    node('Add', 'WebGpuExecutionProvider'),
    node('Tile', 'CPUExecutionProvider'),
  ];
  expect(missingNote(nodes)).toContain("2 of 3 operations of a step run on the CPU, since the GPU's runtime has none");
});

describe.runIf(there)('run.device', () => {
  it('gpu names the device; auto does not take a software one', async () => {
    const {gpu: found, reason} = await chooseEngine({
      engine: 'auto',
      device: 'gpu',
      precision: 'auto',
      stored: 'float32',
    });
    expect(reason).toContain(found!.name);
    if (found!.software) {
      const choice = await chooseEngine({engine: 'auto', device: 'auto', precision: 'auto', stored: 'float32'});
      expect(choice.gpu).toBeUndefined();
      expect(choice.reason).toContain(`${found!.name} is software`);
    }
  });

  it('gpu without a GPU is an error that says what to do', async () => {
    const before = process.env['VK_ICD_FILENAMES'];
    process.env['VK_ICD_FILENAMES'] = '/nowhere.json';
    await expect(chooseEngine({engine: 'auto', device: 'gpu', precision: 'auto', stored: 'float32'})).rejects.toThrow(
      /^There is no GPU for run\.device: gpu: .*set run\.device to cpu\.$/,
    );
    process.env['VK_ICD_FILENAMES'] = before;
  });
});
