import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readAdapter} from '../../trainer/adapter/write-adapter.ts';
import {openEngine} from '../../trainer/engine/choose.ts';
import type {Engine} from '../../trainer/engine/program/engine.ts';
import {Programs} from '../../trainer/engine/program/programs.ts';
import {openFolder} from '../../trainer/model/open-model.ts';
import {projections} from '../../trainer/model/projections.ts';
import {sitesOf} from '../../trainer/model/sites.ts';
import type {TrainingSource} from '../../trainer/step/batches.ts';
import {startingParameters} from '../../trainer/step/start.ts';
import {readHeader, readTensor} from '../../trainer/weights/safetensors.ts';
import {golden} from './golden.ts';
import {goldenSource} from './golden-source.ts';
import {testFolder} from './test-folder.ts';

const folder = testFolder();
const base = openFolder(golden('models/llama'));
const sites = sitesOf(base.config.layers.length, [...projections], base.weights);

let source: TrainingSource;
let engine: Engine;
beforeAll(async () => {
  source = await goldenSource(join(folder, 'tokens.jsonl'), base.config, false);
  engine = await openEngine('compiled', {threads: 1});
});
afterAll(() => engine.dispose());

type Options = Readonly<Record<string, number>>;

/** A and B of every site as a trial starts with them. */
async function start(rank: number, options: Options, variant: string, seed = 1, own = source) {
  const {parameters} = await startingParameters(
    {id: '', method: 'lora-ga', rank, alpha: rank, batchSize: 4, learningRate: 1, seed, options, variant},
    {...base, programs: new Programs(engine), sites, sources: {4: own}},
  );
  let offset = 0;
  const next = (size: number) => {
    offset += size;
    return parameters.subarray(offset - size, offset);
  };
  return new Map(sites.map(({name, inputs, outputs}) => [name, {A: next(rank * inputs), B: next(outputs * rank)}]));
}

/** Singular vectors of neighbouring values turn by the gradient's rounding over their distance. */
const turned = 2e-3;

/** Equal up to the signs of singular vectors, relative to the largest number. */
function expectAlike(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = expected.reduce(
    (most, value, i) => Math.max(most, Math.abs(Math.abs(found[i]!) - Math.abs(value))),
    0,
  );
  expect(difference / scale).toBeLessThan(turned);
}

describe('LoRA-GA starts', () => {
  it.each([
    ['paper', 'authors'],
    ['peft', 'peft'],
  ])(
    'with variant %s as %s.safetensors has it: of the first 7 rows of the file, two at a time',
    async (variant, file) => {
      const found = await start(8, {rows: 7, gamma: 16}, variant);
      const path = fileURLToPath(new URL(`../fixtures/lora-ga/${file}.safetensors`, import.meta.url));
      const {tensors} = readHeader(path);
      expect(tensors.size).toBe(14);
      for (const [name, stored] of tensors) {
        const [, site, part] = /^(.*)\.([AB])$/.exec(name)!;
        expectAlike(found.get(site!)![part as 'A' | 'B'], readTensor(stored));
      }
    },
  );

  it('with rows of A and columns of B orthogonal and out^¼ / √gamma long', async () => {
    const found = await start(4, {gamma: 4}, 'paper');
    for (const {name, inputs, outputs} of sites) {
      const {A, B} = found.get(name)!;
      const squared = Math.sqrt(outputs) / 4;
      for (let i = 0; i < 4; i++)
        for (let j = 0; j < 4; j++) {
          let [rows, columns] = [0, 0];
          for (let k = 0; k < inputs; k++) rows += A[i * inputs + k]! * A[j * inputs + k]!;
          for (let k = 0; k < outputs; k++) columns += B[k * 4 + i]! * B[k * 4 + j]!;
          expect(rows / squared).toBeCloseTo(i === j ? 1 : 0, 5);
          expect(columns / squared).toBeCloseTo(i === j ? 1 : 0, 5);
        }
    }
  });

  it('with variant peft and whole batches as the golden run does', async () => {
    const found = await start(4, {batches: 1, gamma: 16}, 'peft');
    const {factors} = readAdapter(golden('train/llama-loraga/init'));
    for (const {name} of sites) {
      expectAlike(found.get(name)!.A, factors.get(name)!.A!);
      expectAlike(found.get(name)!.B, factors.get(name)!.B!);
    }
  });

  it('alike for every seed from the rows of the file, of 32 where nothing is said, and differently from batches', async () => {
    const shuffled = {...source, shuffle: true};
    const [plain] = (await start(4, {gamma: 16}, 'paper', 1, shuffled)).values();
    for (const [options, seed, same] of [
      [{rows: 32, gamma: 16}, 2, true],
      [{rows: 31, gamma: 16}, 1, false],
      [{batches: 2, gamma: 16}, 1, false],
    ] as const) {
      const [other] = (await start(4, options, 'paper', seed, shuffled)).values();
      if (same) expect(other!.A).toEqual(plain!.A);
      else expect(other!.A).not.toEqual(plain!.A);
    }
  });
});
