/** The mean of some numbers; NaN of none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The product of some numbers: of a shape, how many numbers a tensor of it holds. */
export function product(values: readonly number[]): number {
  return values.reduce((all, value) => all * value, 1);
}

/** To the nearest whole number, halves to the even one, as Python rounds. */
export function roundedToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
