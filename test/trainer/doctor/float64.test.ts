import {describe, expect, it} from 'vitest';
import {distanceFrom, exact, productOf, stepOf} from '../../../trainer/doctor/float64.ts';
import {measure} from '../../../trainer/doctor/measure.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {roundProducts} from '../../../trainer/setup/rounded.ts';

const numbers = (count: number, seed: number) => Float32Array.from({length: count}, (_, k) => Math.sin(k * 7 + seed));

describe('what float32 explains', () => {
  const [a, b] = [numbers(12 * 64, 1), numbers(10 * 64, 2)];
  const expected = productOf(exact(a, 64), exact(b, 64));
  /** a · bᵀ with every product and sum rounded, in either order of summation. */
  const rounded = (round: (value: number) => number, backwards: boolean) =>
    expected.flatMap((row, i) =>
      row.map((_, j) => {
        const terms = Array.from({length: 64}, (_, k) => round(a[i * 64 + k]! * b[j * 64 + k]!));
        return (backwards ? terms.reverse() : terms).reduce((sum, term) => round(sum + term), 0);
      }),
    );

  it('is a product in float32, in any order', () => {
    for (const backwards of [false, true]) {
      const distance = distanceFrom(expected, rounded(Math.fround, backwards));
      expect(distance).toBeGreaterThan(0);
      expect(distance).toBeLessThan(1);
    }
  });

  it('is neither a product with fewer digits, nor one wrong number, nor one that is none, nor one too few', () => {
    const right = expected.flat().map(({value}) => value);
    expect(distanceFrom(expected, right)).toBe(0);
    const tenBits = (value: number) => Math.fround(value * (1 + (value > 0 ? 1 : -1) * 2 ** -11));
    expect(distanceFrom(expected, rounded(tenBits, false))).toBeGreaterThan(1);
    expect(distanceFrom(expected, right.with(50, right[50]! + 1e-3))).toBeGreaterThan(1);
    expect(distanceFrom(expected, right.with(50, Number.NaN))).toBeNaN();
    expect(distanceFrom(expected, right.slice(1))).toBeNaN();
  });
});

describe('the step in float64', () => {
  const [rows, size, out, rank, vocabulary] = [3, 5, 4, 2, 6];
  const step = {
    x: exact(numbers(rows * size, 1), size),
    W: exact(numbers(out * size, 2), size),
    A: exact(numbers(rank * size, 3), size),
    B: exact(numbers(out * rank, 4), rank),
    E: exact(numbers(vocabulary * out, 5), out),
    targets: [5, 0, 2],
    scale: 2,
    rate: 0.1,
  };
  it.each(['A', 'B'] as const)('goes down the slope of its own loss by %s', name => {
    const moved = stepOf(step)[name];
    const change = 1e-5;
    step[name].forEach((row, i) => {
      row.forEach(({value}, k) => {
        const at = (difference: number) => {
          const other = step[name].map(line => [...line]);
          other[i]![k] = {value: value + difference, bound: 0};
          return stepOf({...step, [name]: other}).loss.value;
        };
        // Central differences: off by the square of the change.
        const slope = (at(change) - at(-change)) / (2 * change);
        expect((value - moved[i]![k]!.value) / step.rate).toBeCloseTo(slope, 7);
      });
    });
  });
});

describe('an engine', () => {
  it('that computes in float32 is within the bound, and one with the products of bfloat16 is not', async () => {
    const right = await measure(await openEngine('cpu', {threads: 1}));
    expect(right.product).toBeLessThan(1);
    expect(right.step).toBeLessThan(1);
    expect(right.rates.length).toBeGreaterThan(0);
    expect(right.rates.every(({gflops}) => gflops > 0)).toBe(true);
    roundProducts('cpu', 'float32');
    const wrong = await measure(await openEngine('cpu', {threads: 1}));
    expect(wrong.product).toBeGreaterThan(1);
    expect(wrong.step).toBeGreaterThan(1);
  });
});
