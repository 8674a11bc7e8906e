/** The two rates that a search trains whole first. */

/** The rate at or below a place and the next one, as places in the list, which rises and has two at least. */
export function pairAt(rates: readonly number[], place: number): [from: number, to: number] {
  // A place that is one of the rates is not to be missed by its last digit.
  const below = rates.findLastIndex(rate => rate <= place * (1 + 1e-9));
  const from = Math.min(Math.max(below, 0), rates.length - 2);
  return [from, from + 1];
}
