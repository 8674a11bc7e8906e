import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {SweepError} from '../../../core/error.ts';
import {dot} from '../../../trainer/math/dense.ts';
import {type LanczosOptions, lanczos} from '../../../trainer/math/lanczos.ts';
import {random} from '../../../trainer/math/random.ts';
import {golden, goldenJson} from '../golden.ts';

interface Golden {
  n: number;
  lambda_max: number;
  lambda_min: number;
  largest_ritz: number[];
  stop_iteration: number;
}

const goldens = goldenJson<Record<string, Golden>>('lanczos/lanczos.json');

/** Float64 tensors of the fixture, which the trainer's own reader would round to float32. */
function doubles(name: string): Float64Array {
  const bytes = readFileSync(golden('lanczos/matrices.safetensors'));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString()) as Record<string, {data_offsets: [number, number]}>;
  const [from, to] = header[name]!.data_offsets;
  return new Float64Array(Uint8Array.from(bytes.subarray(start + from, start + to)).buffer);
}

const times = (matrix: Float64Array, x: Float64Array) => x.map((_, row) => dot(matrix, row * x.length, x, 0, x.length));
const norm = (x: Float64Array) => Math.sqrt(dot(x, 0, x, 0, x.length));
const paper: LanczosOptions = {maxIterations: 300, tolerance: 5e-3};
const exact: LanczosOptions = {...paper, accuracy: 1e-4};
const diagonal = (values: number[]) => (x: Float64Array) => x.map((value, i) => value * values[i]!);
const ones = (n: number) => new Float64Array(n).fill(1);

describe.each(Object.entries(goldens))('lanczos on the matrix %s', (name, reference) => {
  const matrix = doubles(`${name}.matrix`);
  const start = doubles(`${name}.start`);
  const apply = (x: Float64Array) => times(matrix, x);

  it('has the Ritz values of the reference at every iteration', async () => {
    for (const [index, expected] of reference.largest_ritz.entries()) {
      const {largest} = await lanczos(apply, start, {maxIterations: index + 1, tolerance: 0});
      // Rounding of two float64 iterations with full reorthogonalisation.
      expect(Math.abs(largest.value - expected)).toBeLessThan(1e-10 * Math.abs(reference.lambda_max));
    }
  });

  it("the paper's rule alone goes on at least as long as the reference, which watches one end only", async () => {
    const {iterations} = await lanczos(apply, start, paper);
    expect(iterations).toBeGreaterThanOrEqual(reference.stop_iteration);
  });

  it('finds both ends where accuracy is asked for, plateaus or not', async () => {
    const {largest, smallest, converged} = await lanczos(apply, start, {...exact, vectors: true});
    expect(converged).toBe(true);
    expect(Math.abs(largest.value / reference.lambda_max - 1)).toBeLessThan(1e-6);
    expect(Math.abs(smallest.value / reference.lambda_min - 1)).toBeLessThan(1e-6);
    for (const {value, vector, residual} of [largest, smallest]) {
      expect(norm(vector!)).toBeCloseTo(1, 12);
      const error = apply(vector!).map((y, i) => y - value * vector![i]!);
      expect(Math.abs(norm(error) - residual)).toBeLessThan(1e-10 * Math.abs(reference.lambda_max));
    }
  });
});

describe('lanczos', () => {
  it('waits for an operator that takes its time', async () => {
    const {largest} = await lanczos(async x => diagonal([3, 1, 2])(x), ones(3), exact);
    expect(largest.value).toBeCloseTo(3, 12);
  });

  it('a plateau looks finished to the paper’s rule and not to the residual', async () => {
    const apply = (x: Float64Array) => times(doubles('clustered_top.matrix'), x);
    const start = doubles('clustered_top.start');
    const {lambda_max} = goldens['clustered_top']!;
    const stalled = await lanczos(apply, start, paper);
    expect(lambda_max - stalled.largest.value).toBeGreaterThan(0.03);
    expect(stalled.smallest.residual).toBeGreaterThan(0.01);
  });

  it('goes on in a new direction where the start lies in an invariant subspace', async () => {
    const values = Array.from({length: 20}, (_, i) => i - 9);
    const start = new Float64Array(20);
    start[4] = 1;
    const {largest, smallest} = await lanczos(diagonal(values), start, exact);
    // Residuals of at most 1e-4 · 10, squared, over gaps of 1.
    expect(largest.value).toBeCloseTo(10, 5);
    expect(smallest.value).toBeCloseTo(-9, 5);
  });

  it('starts anywhere where the start is zero', async () => {
    const {largest} = await lanczos(diagonal([1, 5, 2]), new Float64Array(3), exact);
    expect(largest.value).toBeCloseTo(5, 12);
  });

  it('a zero operator has eigenvalue 0, after two looks', async () => {
    const result = await lanczos(x => new Float64Array(x.length), ones(50), {...exact, vectors: true});
    expect(result).toMatchObject({iterations: 2, converged: true, largest: {value: 0, residual: 0}});
    expect(norm(result.smallest.vector!)).toBeCloseTo(1, 12);
  });

  it('a multiple of the identity has one eigenvalue', async () => {
    const {largest, smallest, iterations} = await lanczos(x => x.map(value => -7 * value), ones(50), exact);
    expect([largest.value, smallest.value]).toEqual([expect.closeTo(-7, 12), expect.closeTo(-7, 12)]);
    expect(iterations).toBe(2);
  });

  it('one number is a matrix too', async () => {
    const result = await lanczos(x => x.map(value => 4 * value), Float64Array.of(2), exact);
    expect(result).toMatchObject({iterations: 1, converged: true, largest: {value: 4, residual: 0}});
  });

  it('says so where the iterations end first', async () => {
    const values = Array.from({length: 200}, (_, i) => Math.cos(i));
    const {converged, iterations, largest} = await lanczos(diagonal(values), random('l').normal(200), {
      ...exact,
      maxIterations: 6,
    });
    expect(converged).toBe(false);
    expect(iterations).toBe(6);
    // The residual bounds the distance to some eigenvalue.
    expect(Math.min(...values.map(value => Math.abs(value - largest.value)))).toBeLessThanOrEqual(largest.residual);
  });

  it('refuses an operator that gives what is not a number', async () => {
    const failing = lanczos(x => x.map((value, i) => (i === 3 ? Number.NaN : value)), ones(8), exact);
    await expect(failing).rejects.toThrow(SweepError);
    await expect(failing).rejects.toMatchObject({code: 'not-finite', data: {iteration: 1}});
  });

  it('passes on what an operator throws', async () => {
    const broken = lanczos(() => Promise.reject(new Error('out of order')), ones(8), exact);
    await expect(broken).rejects.toThrow('out of order');
  });

  it('products in float32 are enough for seven digits', async () => {
    const values = Array.from({length: 300}, (_, i) => (i === 7 ? 12 : Math.sin(i)));
    const rounded = (x: Float64Array) => diagonal(values)(x).map(Math.fround);
    const {largest, smallest} = await lanczos(rounded, random('f32').normal(300), exact);
    expect(Math.abs(largest.value / 12 - 1)).toBeLessThan(1e-6);
    expect(Math.abs(smallest.value - Math.min(...values))).toBeLessThan(1e-5);
  });
});
