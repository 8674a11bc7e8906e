/** A grid of learning rates as written in a file. */
export interface Grid {
  from: number;
  to: number;
  per_decade: number;
}

/** A point this much above `to` (relative) still belongs to the grid: `to` is often written with few digits. */
const inclusive = 1e-3;

/** The widest grid, in decades. */
export const mostDecades = 30;

/** How many points a grid of at most `mostDecades` has; 0 where `from` lies above `to`. Nothing is allocated. */
export function gridSize({from, to, per_decade}: Grid): number {
  // Ten to the power of a rounded quotient: 1e-9 of a step keeps an exact last point in.
  return Math.max(0, Math.floor(per_decade * Math.log10((to * (1 + inclusive)) / from) + 1e-9) + 1);
}

/** The points `from · 10^(k / per_decade)` up to `to`, rising; to 15 digits, so that 1e-6 times ten is 1e-5 and nothing beside it. */
export function gridPoints(grid: Grid): number[] {
  return Array.from({length: gridSize(grid)}, (_, k) =>
    Number((grid.from * 10 ** (k / grid.per_decade)).toPrecision(15)),
  );
}

/** A rate as one writes it in a sweep file, to five digits: `2e-5`, `6.3246e-4`. */
export function writeRate(rate: number): string {
  const [digits, exponent] = rate.toExponential(4).split('e');
  return `${Number(digits)}e${Number(exponent)}`;
}

/** What one reads of a rate and may type: three digits, as tables and ids show it, and five, as quick fixes write it. */
export function shownRates(rate: number): number[] {
  return [Number(rate.toExponential(2)), Number(writeRate(rate))];
}
