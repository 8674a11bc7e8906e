import {describe, expect, it} from 'vitest';
import {times} from '../../../trainer/math/dense.ts';
import {random} from '../../../trainer/math/random.ts';
import {bottomTriplets, randomizedTriplets, topTriplets} from '../../../trainer/math/svd.ts';
import type {Triplets} from '../../../trainer/math/triplets.ts';
import {goldenJson, goldenValues} from '../golden.ts';
import {matrixWith, norm, orthonormality, product, relativeDifference} from './spectra.ts';

/** A float32 matrix differs from the one it was rounded from by at most this share of its norm: 2^-24. */
const float32 = 2 ** -24;
/** What the accuracy of the triplets is required to be. */
const required = 1e-5;

const shapes: [number, number][] = [
  [60, 100],
  [100, 60],
  [64, 64],
];
const side = (rows: number, cols: number) => Math.min(rows, cols);
const spectra: Record<string, (n: number) => number[]> = {
  'evenly spaced': n => Array.from({length: n}, (_, i) => 1 - i / n),
  'all equal': n => Array.from({length: n}, () => 3),
  'two clusters': n => Array.from({length: n}, (_, i) => (i < n / 2 ? 1 : 0.25)),
  'two tight clusters': n => Array.from({length: n}, (_, i) => (i < n / 2 ? 1 : 0.5) * (1 - 1e-6 * i)),
  'decaying to 1e-12': n => Array.from({length: n}, (_, i) => 10 ** ((-12 * i) / (n - 1))),
  'of rank 7': n => Array.from({length: n}, (_, i) => (i < 7 ? 7 - i : 0)),
  'near the largest float32': n => Array.from({length: n}, (_, i) => 1e37 / (i + 1)),
  'near the smallest float32': n => Array.from({length: n}, (_, i) => 1e-34 / (i + 1)),
};

describe('singular triplets against PyTorch', () => {
  const tensors = goldenValues('svd/svd.safetensors');
  const numbers =
    goldenJson<Record<string, {pissa_A_row_norms: number[]; milora_A_row_norms: number[]}>>('svd/svd.json');
  for (const [shape, rows, cols] of [
    ['48x32', 48, 32],
    ['64x64', 64, 64],
  ] as const) {
    const W = tensors.get(`${shape}.W`)!;
    const values = tensors.get(`${shape}.singular_values`)!;
    for (const [method, triplets, expected] of [
      ['pissa', topTriplets(W, rows, cols, 4), values.slice(0, 4)],
      ['milora', bottomTriplets(W, rows, cols, 4), values.slice(-4)],
    ] as const) {
      it(`give ${method}'s product, residual, singular values and row norms of the ${shape} matrix`, () => {
        const sBA = product(triplets, rows, cols);
        expect(relativeDifference(sBA, tensors.get(`${shape}.${method}.r4.sBA`)!)).toBeLessThan(4 * float32);
        const residual = Float64Array.from(W, (value, i) => value - sBA[i]!);
        expect(relativeDifference(residual, tensors.get(`${shape}.${method}.r4.W_res`)!)).toBeLessThan(4 * float32);
        expect(relativeDifference(triplets.S, expected)).toBeLessThan(4 * float32);
        // A = sqrt(S) V^T, so the norm of a row is the root of its singular value.
        const norms = Float64Array.from(numbers[`${shape}.r4`]![`${method}_A_row_norms`]);
        expect(relativeDifference(triplets.S.map(Math.sqrt), norms)).toBeLessThan(1e-8);
      });
    }
  }
});

describe('singular triplets of adversarial spectra', () => {
  for (const [what, spectrumOf] of Object.entries(spectra)) {
    for (const [rows, cols] of shapes) {
      const n = side(rows, cols);
      const {W} = matrixWith(spectrumOf(n), rows, cols);
      it(`${what}, ${rows} x ${cols}: all of them give W back`, () => {
        for (const all of [topTriplets(W, rows, cols, n), bottomTriplets(W, rows, cols, n)]) {
          expect(relativeDifference(product(all, rows, cols), W)).toBeLessThan(1e-12);
          expect(orthonormality(all, rows, cols)).toBeLessThan(1e-10);
        }
      });

      it(`${what}, ${rows} x ${cols}: values are descending and right to rounding`, () => {
        const values = spectrumOf(n);
        for (const rank of [1, 6, 25]) {
          const top = topTriplets(W, rows, cols, rank).S;
          const bottom = bottomTriplets(W, rows, cols, rank).S;
          // Weyl: rounding W to float32 moves no value by more than the norm of the rounding.
          const allowed = float32 * norm(Float64Array.from(values));
          for (let i = 0; i < rank; i++) {
            expect(Math.abs(top[i]! - values[i]!)).toBeLessThan(allowed);
            expect(Math.abs(bottom[i]! - values[n - rank + i]!)).toBeLessThan(allowed);
          }
          for (const S of [top, bottom]) expect([...S]).toEqual([...S].sort((a, b) => b - a));
        }
      });

      it(`${what}, ${rows} x ${cols}: vectors belong to their values`, () => {
        for (const triplets of [topTriplets(W, rows, cols, 6), bottomTriplets(W, rows, cols, 6)]) {
          expect(orthonormality(triplets, rows, cols)).toBeLessThan(1e-10);
          // U S V and (U U^T) W are the same where U spans what it should; and W (V^T V) where V does. The vectors of
          // the longer side are W's image of the others: of a value s they are only good to epsilon * largest / s.
          const projected =
            rows <= cols ? project(triplets.U, W, rows, cols, 6) : projectRight(W, triplets.V, rows, cols, 6);
          const difference = norm(product(triplets, rows, cols).map((value, i) => value - projected[i]!));
          expect(difference).toBeLessThan(required * norm(triplets.S) + 1e-14 * norm(Float64Array.from(W)));
        }
      });
    }
  }

  it('the bottom of a matrix is what its top leaves, even far below the rounding of the Gram matrix', () => {
    for (const what of ['decaying to 1e-12', 'of rank 7', 'evenly spaced']) {
      const {W} = matrixWith(spectra[what]!(60), 60, 100);
      const top = product(topTriplets(W, 60, 100, 40), 60, 100);
      const bottom = product(bottomTriplets(W, 60, 100, 20), 60, 100);
      const rest = Float64Array.from(W, (value, i) => value - top[i]!);
      expect(relativeDifference(bottom, rest)).toBeLessThan(required);
    }
  });

  it('a diagonal matrix gives its diagonal to full relative precision, 1e-12 of the largest value included', () => {
    const W = new Float32Array(50 * 80);
    for (let i = 0; i < 50; i++) W[i * 80 + i] = 10 ** ((-12 * i) / 49);
    const S = bottomTriplets(W, 50, 80, 5).S;
    for (let i = 0; i < 5; i++) expect(S[i]! / W[(45 + i) * 81]! - 1).toBeCloseTo(0, 9);
  });

  it('a matrix of zeros and one of ones have the values they should', () => {
    for (const cut of [topTriplets, bottomTriplets]) {
      const zero = cut(new Float32Array(40 * 24), 40, 24, 5);
      expect([...zero.S]).toEqual([0, 0, 0, 0, 0]);
      expect(orthonormality(zero, 40, 24)).toBeLessThan(1e-10);
    }
    const ones = new Float32Array(40 * 24).fill(1);
    const {S} = topTriplets(ones, 40, 24, 3);
    expect(S[0]).toBeCloseTo(Math.sqrt(40 * 24), 10);
    expect([S[1], S[2]]).toEqual([0, 0]);
    expect([...bottomTriplets(ones, 40, 24, 3).S]).toEqual([0, 0, 0]);
  });

  it('a single value and a single row are matrices too', () => {
    expect(topTriplets(Float32Array.of(-2), 1, 1, 1).S[0]).toBe(2);
    expect(bottomTriplets(Float32Array.of(3, 4), 1, 2, 1).S[0]).toBeCloseTo(5, 14);
  });

  it('the same matrix gives the same triplets, bit for bit', () => {
    const {W} = matrixWith(spectra['two clusters']!(60), 60, 100);
    expect(topTriplets(W, 60, 100, 10)).toEqual(topTriplets(W, 60, 100, 10));
  });
});

describe('what cannot be factorised', () => {
  it('values that are not finite are refused', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const W = new Float32Array(12).fill(1);
      W[7] = value;
      expect(() => topTriplets(W, 3, 4, 1)).toThrow(/not finite/);
      expect(() => randomizedTriplets(W, 3, 4, 1, 2, random('x'))).toThrow(/not finite/);
    }
  });

  it('a rank above the shorter side is refused with the largest possible one', () => {
    expect(() => bottomTriplets(new Float32Array(12), 3, 4, 4)).toThrow(/rank from 1 to 3/);
    expect(() => topTriplets(new Float32Array(12), 3, 4, 0)).toThrow(/rank 0/);
  });
});

describe('the randomised factorisation', () => {
  it('is exact where the spectrum ends at the rank', () => {
    const {W} = matrixWith(spectra['of rank 7']!(60), 60, 100);
    const triplets = randomizedTriplets(W, 60, 100, 7, 2, random('start'));
    expect(relativeDifference(product(triplets, 60, 100), W)).toBeLessThan(10 * float32);
  });

  it('comes nearer to the best product with every iteration, from its first and on tall matrices too', () => {
    for (const [rows, cols] of shapes) {
      const {W} = matrixWith(spectra['evenly spaced']!(side(rows, cols)), rows, cols);
      const error = (triplets: Triplets) => relativeDifference(product(triplets, rows, cols), W);
      const best = error(topTriplets(W, rows, cols, 8));
      const excess = [0, 1, 4, 16].map(iterations => {
        const triplets = randomizedTriplets(W, rows, cols, 8, iterations, random('start'));
        expect(orthonormality(triplets, rows, cols)).toBeLessThan(1e-10);
        return error(triplets) / best - 1;
      });
      expect(excess).toEqual([...excess].sort((a, b) => b - a));
      expect(excess.at(-1)).toBeGreaterThanOrEqual(0);
      expect(excess.at(-1)).toBeLessThan(0.01);
    }
  });

  it('is as near to the exact product as torch.svd_lowrank with 16 iterations', () => {
    const tensors = goldenValues('svd/svd.safetensors');
    const theirs = goldenJson<Record<string, number>>('svd/svd.json');
    for (const [shape, rows, cols] of [
      ['48x32', 48, 32],
      ['64x64', 64, 64],
    ] as const) {
      const exact = tensors.get(`${shape}.pissa.r4.sBA`)!;
      const ours = [1, 2, 3, 4, 5].map(seed => {
        const triplets = randomizedTriplets(tensors.get(`${shape}.W`)!, rows, cols, 4, 16, random(seed));
        return relativeDifference(product(triplets, rows, cols), exact);
      });
      // Their one draw against five of ours: the spread between draws is a factor of a few.
      const median = ours.sort((a, b) => a - b)[2]!;
      expect(median).toBeLessThan(4 * theirs[`${shape}.lowrank_niter16_rel_diff`]!);
    }
  });

  it('follows its random stream and nothing else', () => {
    const {W} = matrixWith(spectra['evenly spaced']!(60), 60, 100);
    const draw = (seed: number) => randomizedTriplets(W, 60, 100, 4, 1, random(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1).S).not.toEqual(draw(2).S);
  });
});

/** (U U^T) W for U [rows, rank]. */
function project(U: Float64Array, W: Float32Array, rows: number, cols: number, rank: number): Float64Array {
  const turned = new Float64Array(U.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < rank; j++) turned[j * rows + i] = U[i * rank + j]!;
  return times(U, rows, rank, times(turned, rank, rows, Float64Array.from(W), cols), cols);
}

/** W V^T V, with V [rank, cols]. */
function projectRight(W: Float32Array, V: Float64Array, rows: number, cols: number, rank: number): Float64Array {
  const turned = new Float64Array(V.length);
  for (let i = 0; i < rank; i++) for (let j = 0; j < cols; j++) turned[j * rank + i] = V[i * cols + j]!;
  return times(times(Float64Array.from(W), rows, cols, turned, rank), rows, rank, V, cols);
}
