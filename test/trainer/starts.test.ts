import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {MethodName} from '../../core/method/methods.ts';
import {methods as descriptions} from '../../core/method/methods.ts';
import {defaultOptions} from '../../core/method/parameters.ts';
import {openEngine} from '../../trainer/engine/choose.ts';
import type {Engine} from '../../trainer/engine/program/engine.ts';
import {Programs} from '../../trainer/engine/program/programs.ts';
import {cholesky, timesInverse} from '../../trainer/math/cholesky.ts';
import {type Components, withSamples} from '../../trainer/math/incremental-components.ts';
import {random} from '../../trainer/math/random.ts';
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
const rank = 4;

let source: TrainingSource;
let engine: Engine;
beforeAll(async () => {
  source = await goldenSource(join(folder, 'tokens.jsonl'), base.config, true);
  engine = await openEngine('compiled', {threads: 1});
});
afterAll(() => engine.dispose());

/** A and B of every site as a trial starts with them; `some`: only these sites, as a probe asks. */
async function start(
  method: MethodName,
  {
    options = {},
    variant,
    seed = 1,
    some = sites,
  }: {options?: object; variant?: string; seed?: number; some?: typeof sites} = {},
) {
  const {parameters} = await startingParameters(
    {
      ...{id: method, method, rank, alpha: rank, batchSize: 4, learningRate: 1, seed},
      options: {...defaultOptions(descriptions[method]), ...options},
      ...(variant === undefined ? {} : {variant}),
    },
    {...base, programs: new Programs(engine), sites: some, allSites: sites, sources: {4: source}},
  );
  const places = rank * ((options as {rho?: number}).rho ?? 1);
  let offset = 0;
  const next = (size: number) => {
    offset += size;
    return parameters.subarray(offset - size, offset);
  };
  return new Map(some.map(({name, inputs, outputs}) => [name, {A: next(places * inputs), B: next(outputs * places)}]));
}

const fixture = (name: string): Map<string, Float32Array> => {
  const {tensors} = readHeader(fileURLToPath(new URL(`../fixtures/starts/${name}.safetensors`, import.meta.url)));
  return new Map([...tensors].map(([key, stored]) => [key, readTensor(stored)]));
};

/** Relative to the largest number. */
function difference(found: ArrayLike<number>, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(found[i]! - value)), 0) / scale;
}

/** Float32 activations (about 1e-6), turned by how near singular values lie to each other. */
const turned = 2e-3;

describe('EVA', () => {
  it("starts with A as PEFT's incremental components, signs included, and B at zero", async () => {
    const found = await start('eva');
    const expected = fixture('eva');
    expect(expected.size).toBe(7);
    for (const [name, A] of expected) {
      expect(difference(found.get(name)!.A, A), name).toBeLessThan(turned);
      expect(found.get(name)!.B.every(value => value === 0)).toBe(true);
    }
  });

  it("differs from what PEFT's randomised factorisations give by what these leave out", async () => {
    const found = await start('eva');
    for (const [name, A] of fixture('eva-randomised')) {
      const width = A.length / rank;
      for (let k = 0; k < rank; k++) {
        const own = found.get(name)!.A.subarray(k * width, (k + 1) * width);
        const cosine = own.reduce((sum, value, i) => sum + value * A[k * width + i]!, 0);
        expect(cosine, `${name}, component ${k}`).toBeGreaterThan(0.998);
      }
    }
  });

  it('shares ranks out by explained variance as PEFT does with rho 2, with zeros behind them', async () => {
    const places = 2 * rank;
    const found = await start('eva', {options: {rho: 2}});
    const expected = fixture('eva-rho');
    const ranks = sites.map(({name, inputs}) => (expected.get(name)?.length ?? 0) / inputs);
    expect(ranks.reduce((sum, own) => sum + own)).toBe(rank * sites.length);
    expect(new Set(ranks).size).toBeGreaterThan(2);
    for (const [k, {name, inputs}] of sites.entries()) {
      const {A, B} = found.get(name)!;
      expect(A.length).toBe(places * inputs);
      const kept = ranks[k]! * inputs;
      if (kept > 0) expect(difference(A.subarray(0, kept), expected.get(name)!), name).toBeLessThan(turned);
      expect(
        [...A.subarray(kept), ...B].every(value => value === 0),
        name,
      ).toBe(true);
      expect(A.subarray(0, kept).some(value => value === 0)).toBe(false);
    }
  });

  it('is the same for every seed, and for one site alone', async () => {
    const [first] = sites;
    const whole = await start('eva');
    expect(await start('eva', {seed: 2})).toEqual(whole);
    expect((await start('eva', {some: [first!]})).get(first!.name)).toEqual(whole.get(first!.name));
  });

  it('sees prompts too where the label mask is off, and divides by singular values where whitened', async () => {
    const [{name}] = sites as [(typeof sites)[0]];
    const plain = (await start('eva')).get(name)!.A;
    expect(difference((await start('eva', {options: {use_label_mask: 0}})).get(name)!.A, plain)).toBeGreaterThan(0.01);
    const whitened = (await start('eva', {options: {whiten: 1}})).get(name)!.A;
    const ratios = Array.from(plain, (value, i) => value / whitened[i]!);
    for (let k = 0; k < rank; k++) {
      const own = ratios.slice((k * plain.length) / rank, ((k + 1) * plain.length) / rank);
      for (const ratio of own) expect(ratio / own[0]!).toBeCloseTo(1, 3);
      expect(own[0]).toBeGreaterThan(1);
    }
  });

  it('is refused where no batch has as many target tokens as the rank', async () => {
    const few = {...source, dataset: {...source.dataset, labels: source.dataset.labels.map(() => -100)}, name: 'few'};
    const before = source;
    source = few;
    await expect(start('eva')).rejects.toThrow(
      /need as many target tokens in a batch, but those of 4 rows have 0 at most/,
    );
    source = before;
  });
});

describe('CorDA', () => {
  it.each(['ipm', 'kpm'])('starts with the factors that NumPy gives in float64: %s', async variant => {
    const found = await start('corda', {variant, options: {rows: 16}});
    for (const [key, expected] of fixture(`corda-${variant}`)) {
      const part = key.slice(key.lastIndexOf('.') + 1);
      const {A, B} = found.get(key.slice(0, -part.length - 1))!;
      if (part === 'A') {
        const free = (values: ArrayLike<number>) => Float32Array.from(values, Math.abs);
        expect(difference(free(A), free(expected)), key).toBeLessThan(turned);
        continue;
      }
      const width = A.length / rank;
      const product = Float32Array.from(expected, (_, at) => {
        let sum = 0;
        for (let k = 0; k < rank; k++) sum += B[Math.floor(at / width) * rank + k]! * A[k * width + (at % width)]!;
        return sum;
      });
      expect(difference(product, expected), key).toBeLessThan(turned);
    }
  });

  it("starts as PEFT's own golden run does", async () => {
    const {readAdapter} = await import('../../trainer/adapter/write-adapter.ts');
    const {factors} = readAdapter(golden('train/llama-corda/init'));
    const found = await start('corda', {variant: 'ipm', options: {rows: 16}});
    for (const {name} of sites) {
      const free = (values: ArrayLike<number>) => Float32Array.from(values, Math.abs);
      expect(difference(free(found.get(name)!.A), free(factors.get(name)!['A']!)), name).toBeLessThan(turned);
    }
  });
});

describe('the mathematics behind them', () => {
  it('components of batches that are all of the data are those of the data', () => {
    const [width, count] = [6, 3];
    const numbers = random(1, 'components');
    // Three directions only, so that nothing is forgotten between batches.
    const mixed = (rows: number) => {
      const values = new Float32Array(rows * width);
      const draws = numbers.normal(rows * 3);
      for (let row = 0; row < rows; row++)
        for (let i = 0; i < width; i++)
          values[row * width + i] =
            2 +
            3 * draws[3 * row]! * Math.cos(i) +
            draws[3 * row + 1]! * Math.sin(i) +
            0.3 * draws[3 * row + 2]! * (i % 2);
      return values;
    };
    const batches = [mixed(9), mixed(5), mixed(7)];
    const parts = batches.reduce<Components | null>((before, batch) => withSamples(before, batch, width, count), null)!;
    const all = Float32Array.from(batches.flatMap(batch => [...batch]));
    const whole = withSamples(null, all, width, count);
    expect(parts.seen).toBe(21);
    parts.values.forEach((value, k) => {
      expect(value / whole.values[k]!).toBeCloseTo(1, 5);
    });
    parts.rows.forEach((value, i) => {
      expect(value).toBeCloseTo(whole.rows[i]!, 4);
    });
    parts.mean.forEach((value, i) => {
      expect(value).toBeCloseTo(whole.mean[i]!, 5);
    });
  });

  it('rows times an inverse give the rows back times the matrix, and what is not positive definite is refused', () => {
    const n = 7;
    const G = random(2, 'cholesky').normal(n * n);
    const M = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        M[i * n + j] = i === j ? 0.1 : 0;
        for (let k = 0; k < n; k++) M[i * n + j]! += G[i * n + k]! * G[j * n + k]!;
      }
    const X = random(3, 'cholesky').normal(2 * n);
    const Y = timesInverse(X, 2, cholesky(M, n), n);
    for (let row = 0; row < 2; row++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += Y[row * n + k]! * M[k * n + j]!;
        expect(sum).toBeCloseTo(X[row * n + j]!, 9);
      }
    expect(() => cholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow(/not positive definite/);
  });
});
