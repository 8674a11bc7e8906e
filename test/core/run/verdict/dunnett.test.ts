import {describe, expect, it} from 'vitest';
import {dunnett, normalBelow} from '../../../../core/run/verdict/dunnett.ts';
import {studentQuantile, studentWithin} from '../../../../core/run/verdict/student.ts';
import {fivePercent, onePercent} from './dunnett-1964.ts';

describe("Dunnett's critical values", () => {
  // The table is off by one in its last digit there: the values are 4.9747, 5.6833 and 5.7919, which two other ways of computing confirm.
  const misprinted = ['0.99 3 5', '0.99 7 5', '0.99 8 5'];

  it.each([
    [0.95, fivePercent],
    [0.99, onePercent],
  ])('at %d are those of the published table to its last digit, for 1 to 9 methods', (confidence, table) => {
    const off = table.flatMap(([freedom, values]) =>
      values.flatMap((value, place) => {
        const found = dunnett(confidence, place + 1, Math.min(freedom, 1e7));
        const isOff = Math.abs(found - value) > 0.005 + 1e-4;
        return isOff ? [{at: `${confidence} ${place + 1} ${freedom}`, by: Math.abs(found - value)}] : [];
      }),
    );
    expect(table).toHaveLength(22);
    expect(off.map(({at}) => at)).toEqual(misprinted.filter(at => at.startsWith(`${confidence} `)));
    for (const {by} of off) expect(by).toBeLessThan(0.0085);
  });

  // Gauss-Legendre over the control and adaptive quadrature over the chi in SciPy; its multivariate_t (by random lattices) agrees to five digits.
  it.each([
    [0.95, 1, 5, 0.5, 2.57058184],
    [0.95, 4, 10, 0.5, 2.89048011],
    [0.95, 9, 20, 0.5, 2.94628151],
    [0.95, 4, 40, 0.3, 2.58241335],
    [0.95, 2, 3, 0.5, 3.8665099],
    [0.95, 9, 8, 0.25, 3.54869159],
    [0.97, 3, 5, 0.5, 3.78557968],
    [0.97, 8, 5, 0.5, 4.45161729],
    [0.97, 9, 8, 0.25, 3.92358751],
    [0.99, 3, 5, 0.5, 4.97469503],
    [0.99, 7, 5, 0.5, 5.68327633],
    [0.99, 8, 5, 0.5, 5.79188405],
    [0.99, 2, 3, 0.5, 6.97388751],
    [0.99, 9, 20, 0.5, 3.69371575],
  ])(
    'at %d for %i methods, %i degrees of freedom and a correlation of %d is %d',
    (confidence, k, freedom, rho, value) => {
      expect(Math.abs(dunnett(confidence, k, freedom, rho) / value - 1)).toBeLessThan(1e-6);
    },
  );

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
