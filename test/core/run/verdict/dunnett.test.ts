import {describe, expect, it} from 'vitest';
import {dunnett, normalBelow} from '../../../../core/run/verdict/dunnett.ts';
import {studentQuantile, studentWithin} from '../../../../core/run/verdict/student.ts';

describe("Dunnett's critical values", () => {
  // Dunnett 1964, tables 2 and 3 (two-sided, equal numbers), given to two decimals.
  it.each([
    [0.95, 2, 5, 3.03],
    [0.95, 3, 5, 3.29],
    [0.95, 4, 5, 3.48],
    [0.95, 2, 10, 2.57],
    [0.95, 4, 10, 2.89],
    [0.95, 9, 20, 2.95],
    [0.95, 4, 20, 2.65],
    [0.95, 4, 60, 2.51],
    [0.99, 2, 5, 4.63],
    [0.99, 4, 10, 3.88],
    [0.99, 2, 20, 3.13],
  ])('at %d for %i methods and %i degrees of freedom are those of the tables: %d', (confidence, k, freedom, table) => {
    expect(Math.abs(dunnett(confidence, k, freedom) - table)).toBeLessThanOrEqual(0.0051);
  });

  it('is 2.890 for four methods and ten degrees of freedom', () => {
    expect(dunnett(0.95, 4, 10)).toBeCloseTo(2.89, 3);
  });

  it("is Student's t for one method, whatever the degrees of freedom", () => {
    for (const freedom of [1, 2, 3, 7, 30, 500])
      expect(dunnett(0.95, 1, freedom)).toBeCloseTo(studentQuantile(0.95, freedom), 2);
  });

  it('grows with what is asked of it, and where differences share less', () => {
    expect(dunnett(0.99, 4, 10)).toBeGreaterThan(dunnett(0.95, 4, 10));
    expect(dunnett(0.95, 5, 10)).toBeGreaterThan(dunnett(0.95, 4, 10));
    expect(dunnett(0.95, 4, 9)).toBeGreaterThan(dunnett(0.95, 4, 10));
    expect(dunnett(0.95, 4, 10, 0.3)).toBeGreaterThan(dunnett(0.95, 4, 10));
  });

  it('lies below what Bonferroni would ask for', () => {
    expect(dunnett(0.95, 4, 10)).toBeLessThan(studentQuantile(1 - 0.05 / 4, 10));
  });
});

describe("Student's distribution", () => {
  // Two-sided 5 % points of the usual tables, given to three decimals.
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
    [120, 1.98],
  ])('has the table’s point for %i degrees of freedom', (freedom, t) => {
    expect(studentWithin(t, freedom)).toBeCloseTo(0.95, 4);
    expect(studentQuantile(0.95, freedom)).toBeCloseTo(t, 3);
  });

  it('knows broken degrees of freedom: the density, summed by hand, agrees', () => {
    for (const freedom of [1.5, 2.7, 6.25]) {
      const density = (x: number): number => (1 + x ** 2 / freedom) ** (-(freedom + 1) / 2);
      // Over x = tan(u) the whole line is finite.
      const sum = (until: number): number => {
        const steps = 200_000;
        const width = Math.atan(until) / steps;
        let total = 0;
        for (let k = 0; k < steps; k++) {
          const x = Math.tan((k + 0.5) * width);
          total += density(x) * (1 + x ** 2) * width;
        }
        return total;
      };
      expect(studentWithin(2, freedom)).toBeCloseTo(sum(2) / sum(Number.MAX_VALUE), 4);
    }
  });
});

describe('the normal distribution', () => {
  it('has the values of the tables on both sides and far out', () => {
    expect(normalBelow(0)).toBeCloseTo(0.5, 14);
    expect(normalBelow(1.959963984540054)).toBeCloseTo(0.975, 12);
    expect(normalBelow(-3) / 1.3498980316300946e-3).toBeCloseTo(1, 12);
    expect(normalBelow(-8) / 6.220960574271785e-16).toBeCloseTo(1, 6);
    expect(normalBelow(40)).toBe(1);
  });
});
