import {expect, it} from 'vitest';
import {collate, commonBeginning, emptyBatch, extentOf} from '../../../trainer/data/batch.ts';
import type {Dataset} from '../../../trainer/data/dataset.ts';
import {type BatchShape, paddedShape} from '../../../trainer/data/shapes.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {residues} from '../../../trainer/math/dropout.ts';
import type {PackBatch} from '../../../trainer/step/step.ts';
import {type GoldenRun, goldenJson, goldenPack} from '../golden.ts';

/** Longer than Gemma's window in the goldens, so that rows see a part of it only. */
const beginning = 21;
/** Of what rows have behind it, and how much of that is a prompt of their own. */
const own = [
  [25, 5],
  [14, 3],
  [11, 4],
  [9, 2],
] as const;

/** Rows that begin alike. */
const dataset = ((): Dataset => {
  const starts = [0];
  const [ids, labels]: [number[], number[]] = [[], []];
  own.forEach(([length, prompt], row) => {
    for (let t = 0; t < beginning + length; t++) {
      const id = t < beginning ? 5 + ((7 * t) % 80) : 5 + ((11 * t + 31 * row) % 80);
      ids.push(id);
      labels.push(t < beginning + prompt ? -100 : id);
    }
    starts.push(ids.length);
  });
  const [at, all, learnt] = [starts, ids, labels].map(values => Int32Array.from(values)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  return {count: own.length, starts: at, ids: all, labels: learnt, truncated: 0, empty: 0};
})();
const {tokens, targets} = extentOf(dataset, [0, 1, 2, 3]);

const shapes: Record<'padded' | 'unpadded' | 'shared' | 'whole', BatchShape> = {
  padded: paddedShape(4, beginning + 25, targets + 3),
  // So few tokens beside the targets that the whole last layer is computed.
  whole: paddedShape(4, beginning + 25, 4 * (beginning + 25)),
  unpadded: {
    groups: [
      {rows: 1, length: beginning + 25},
      {rows: 3, length: beginning + 15},
    ],
    tokens: tokens + 5,
    targets: targets + 3,
  },
  shared: {
    groups: [
      {rows: 1, length: 26},
      {rows: 3, length: 14},
    ],
    tokens: tokens - 3 * beginning + 5,
    targets: targets + 3,
    beginning,
  },
};

/** Each trial leaves out as many of the longest rows as its number. */
function batchOf(shape: BatchShape, trials: number): PackBatch {
  const whole = emptyBatch(shape, trials);
  for (let trial = 0; trial < trials; trial++)
    collate(dataset, [0, 1, 2, 3].slice(trial), shape, 0, whole, {trial, trials});
  return {shape, ...whole, weights: whole.weights.map(weight => weight / targets), noise: new Float32Array(0)};
}

interface Options {
  trials: number;
  merged: boolean;
  recompute: boolean;
  dropout?: number;
}

/** Losses, norms and parameters after two steps, and the loss then. */
async function trained(
  name: string,
  shape: BatchShape,
  {trials, merged, recompute, dropout = 0}: Options,
): Promise<number[][]> {
  const engine = await openEngine('compiled', {threads: 1});
  const run = goldenJson<GoldenRun>(`train/${name}.json`);
  const pack = goldenPack(engine, run, run.cases['low']!, trials, merged, recompute);
  Object.assign(pack.settings.training, {dropout});
  const noise = Float32Array.from({length: trials * pack.noiseSize(shape)}, (_, i) => (i * 1777) % residues);
  const batch = {...batchOf(shape, trials), noise};
  const all = (value: number) => new Float32Array(trials).fill(value);
  const found: number[][] = [];
  for (let step = 0; step < 2; step++) {
    const {losses, gradNorms} = await pack.step([batch], all(1e-3), all(1));
    found.push([...losses], [...gradNorms]);
  }
  found.push([...(await pack.evaluate(batch))], [...(await pack.parameters())]);
  const scores = await pack.score(batch);
  found.push([...scores].filter((_, i) => batch.weights[i]! > 0));
  pack.dispose();
  await engine.dispose();
  return found;
}

function furthest(a: number[][], b: number[][]): number {
  return Math.max(
    ...a.map((own, i) => {
      const size = Math.sqrt(own.reduce((sum, value) => sum + value ** 2, 0));
      return Math.sqrt(own.reduce((sum, value, j) => sum + (value - b[i]![j]!) ** 2, 0)) / size;
    }),
  );
}

it('rows of the test begin alike', () => {
  expect(commonBeginning(dataset)).toBe(beginning);
});

it.each([
  ['llama-lora', {trials: 1, merged: true, recompute: false}],
  ['llama-full', {trials: 1, merged: true, recompute: false}],
  ['qwen3-pissa', {trials: 2, merged: false, recompute: true}],
  ['gemma3-dora', {trials: 2, merged: false, recompute: false}],
  ['gemma3-lora', {trials: 3, merged: true, recompute: false}],
] as const)('%s learns the same however its rows stand (%o)', async (name, options) => {
  const {whole, ...others} = shapes;
  const expected = await trained(name, whole, options);
  for (const [how, shape] of Object.entries(others)) {
    expect(furthest(await trained(name, shape, options), expected), how).toBeLessThan(3e-6);
  }
});

it('drops the same of a token in the last layer, whether all of that is computed or what is asked', async () => {
  const options = {trials: 2, merged: false, recompute: false, dropout: 0.3};
  const whole = await trained('qwen3-pissa', shapes.whole, options);
  const asked = await trained('qwen3-pissa', shapes.padded, options);
  const calm = await trained('qwen3-pissa', shapes.whole, {...options, dropout: 0});
  expect(furthest(asked, whole)).toBeLessThan(3e-6);
  expect(furthest(calm, whole)).toBeGreaterThan(1e-3);
});
