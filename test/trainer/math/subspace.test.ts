import {describe, expect, it} from 'vitest';
import {openProducts} from '../../../trainer/engine/onnx/products.ts';
import {random} from '../../../trainer/math/random.ts';
import {inverseFactor, inverseOf} from '../../../trainer/math/subspace/cholesky.ts';
import type {Matrix} from '../../../trainer/math/subspace/products.ts';
import {quantilesOf} from '../../../trainer/math/subspace/quantiles.ts';
import {filteredTriplets, paysFor} from '../../../trainer/math/subspace/triplets.ts';
import {bottomTriplets, topTriplets} from '../../../trainer/math/svd.ts';
import {matrixWith, orthonormality, product, relativeDifference} from './spectra.ts';

const products = openProducts(1);
const exact = {top: topTriplets, bottom: bottomTriplets};
/** What float32 leaves of a value that it is rounded to. */
const float32 = 2 ** -24;

const drawn = (rows: number, cols: number): Float32Array =>
  Float32Array.from(random('weights', rows, cols).normal(rows * cols), value => value / Math.sqrt(cols));

describe('singular triplets by filters', () => {
  for (const [rows, cols] of [
    [512, 512],
    [512, 900],
    [900, 512],
  ] as const) {
    for (const end of ['top', 'bottom'] as const) {
      it(`a drawn ${rows} x ${cols} matrix, whose values lie as close as they can: the ${end} is the exact one`, async () => {
        const W = drawn(rows, cols);
        const found = await filteredTriplets(W, [rows, cols], {end, rank: 48}, products);
        const expected = exact[end](W, rows, cols, 48);
        expect(orthonormality(found!, rows, cols)).toBeLessThan(1e-10);
        expect(relativeDifference(found!.S, expected.S)).toBeLessThan(1e-12);
        // The vectors that the end begins with are told from their neighbours by a thousandth of their values.
        expect(relativeDifference(product(found!, rows, cols), product(expected, rows, cols))).toBeLessThan(
          float32 / 10,
        );
      });
    }
  }

  it('a spectrum with a few values far above the others', async () => {
    const values = Array.from({length: 512}, (_, i) => (i < 5 ? 40 - 5 * i : 1 - i / 520));
    const {W} = matrixWith(values, 512, 600);
    for (const end of ['top', 'bottom'] as const) {
      const found = await filteredTriplets(W, [512, 600], {end, rank: 16}, products);
      const expected = product(exact[end](W, 512, 600, 16), 512, 600);
      expect(relativeDifference(product(found!, 512, 600), expected)).toBeLessThan(float32);
    }
  });

  it('the same matrix gives the same triplets, bit for bit, however many threads there are', async () => {
    const W = drawn(512, 640);
    const wanted = {end: 'top', rank: 32} as const;
    const one = await filteredTriplets(W, [512, 640], wanted, products);
    expect(await filteredTriplets(W, [512, 640], wanted, openProducts(2))).toEqual(one);
  });

  it('values far from 1 are no trouble', async () => {
    const W = drawn(512, 512);
    const wanted = {end: 'top', rank: 16} as const;
    const found = await filteredTriplets(W, [512, 512], wanted, products);
    const unit = 2 ** 100;
    const large = await filteredTriplets(
      W.map(value => value * unit),
      [512, 512],
      wanted,
      products,
    );
    expect(large!.S).toEqual(found!.S.map(value => value * unit));
  });

  it('what has no gap, or drowns in rounding, is left to the exact algorithm', async () => {
    const spectra: Record<string, (i: number) => number> = {
      'all equal': () => 3,
      'of rank 7': i => (i < 7 ? 7 - i : 0),
      'decaying to 1e-12': i => 10 ** ((-12 * i) / 511),
    };
    for (const spectrum of Object.values(spectra)) {
      const {W} = matrixWith(
        Array.from({length: 512}, (_, i) => spectrum(i)),
        512,
        512,
      );
      expect(await filteredTriplets(W, [512, 512], {end: 'bottom', rank: 16}, products)).toBe(null);
    }
    const zeros = new Float32Array(512 * 512);
    expect(await filteredTriplets(zeros, [512, 512], {end: 'top', rank: 16}, products)).toBe(null);
  });

  it('is for large matrices and a small part of their spectrum', () => {
    expect(paysFor(1024, 3072, 128)).toBe(true);
    expect(paysFor(192, 576, 8)).toBe(false);
    expect(paysFor(1024, 1024, 512)).toBe(false);
  });
});

describe('what filters are laid out by', () => {
  it('quantiles of a spectrum are right within a few hundredths', async () => {
    const n = 400;
    const values = Float32Array.from({length: n * n}, (_, at) => (at % (n + 1) === 0 ? 1 + at / (n * n) : 0));
    const quantiles = await quantilesOf({values, rows: n, cols: n}, products);
    expect(quantiles.largest).toBeCloseTo(2, 2);
    for (const share of [0.1, 0.25, 0.5, 0.9])
      expect(Math.abs(quantiles.above(share) - (2 - share))).toBeLessThan(0.04);
  });
});

describe("Cholesky's factorisation", () => {
  const n = 150;
  const rows = random('factor').normal(n * n);
  const A: Matrix<Float64Array> = {values: new Float64Array(n * n), rows: n, cols: n};
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++) A.values[i * n + j]! += rows[i * n + k]! * rows[j * n + k]! + (i === j ? 1 / n : 0);

  it('an inverse by blocks is one', async () => {
    const inverse = await inverseOf(A, products);
    const {values} = await products.times(A, inverse!);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) expect(values[i * n + j]!).toBeCloseTo(i === j ? 1 : 0, 9);
  });

  it('what is not positive definite has none', async () => {
    const values = A.values.slice();
    values[(n - 1) * (n + 1)] = -1;
    expect(inverseFactor({values, rows: n, cols: n})).toBe(null);
    expect(await inverseOf({values, rows: n, cols: n}, products)).toBe(null);
  });
});
