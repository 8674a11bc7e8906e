import {describe, expect, it} from 'vitest';
import {random} from '../../../trainer/math/random.ts';

describe('a random stream', () => {
  it('is known by its name alone', () => {
    const other = random(1, 'layers.0.q_proj', 'B');
    other.uniform(1000, 0, 1);
    const first = random(1, 'layers.0.q_proj', 'A').uniform(100, -1, 1);
    expect(random(1, 'layers.0.q_proj', 'A').uniform(100, -1, 1)).toEqual(first);
  });

  it('differs from every other name, by type and by how the parts are cut', () => {
    const names = [[1], ['1'], [1, 0], [10], ['a', 'b'], ['ab'], ['a,b'], []];
    const firsts = names.map(name => random(...name).next());
    expect(new Set(firsts).size).toBe(names.length);
  });

  it('stays the same from version to version', () => {
    const numbers = random(1, 'layers.0.q_proj', 'A');
    expect([numbers.integerBelow(1000), numbers.integerBelow(1000), numbers.integerBelow(1000)]).toEqual([
      117, 465, 576,
    ]);
  });

  it('draws uniform values inside [low, high) with their mean and variance', () => {
    const values = random('uniform').uniform(100_000, -0.25, 0.75);
    expect(values.every(value => value >= -0.25 && value < 0.75)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    // Five standard errors of a uniform distribution of width 1.
    expect(Math.abs(mean - 0.25)).toBeLessThan(5 * Math.sqrt(1 / 12 / 100_000));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / 100_000));
  });

  it('never reaches the upper end, even where float32 would round up to it', () => {
    const high = Math.fround(1 + 2 ** -23);
    expect(
      random('edge')
        .uniform(1000, 1, high)
        .every(value => value === 1),
    ).toBe(true);
  });

  it('draws normal values, an odd number of them too', () => {
    const values = random('normal').normal(100_001);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    const fourth = values.reduce((sum, value) => sum + value ** 4, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(1 / 100_000));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 100_000));
    expect(Math.abs(fourth - 3)).toBeLessThan(5 * Math.sqrt(96 / 100_000));
  });

  it('draws whole numbers evenly', () => {
    const numbers = random('dice');
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[numbers.integerBelow(7)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(10_000));
    expect(numbers.integerBelow(1)).toBe(0);
  });

  it('puts 0 .. n - 1 into every order equally often', () => {
    const numbers = random('orders');
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = numbers.permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
    expect([...numbers.permutation(0)]).toEqual([]);
    expect([...numbers.permutation(100)].sort((a, b) => a - b)).toEqual(Array.from({length: 100}, (_, i) => i));
  });
});
