/** Where along the ordered axis of rates the scan puts the best rate of a whole training. */

/**
 * Short trainings like larger rates: the best one falls as a power of the number of steps. Published schedules of their own
 * have 0.29 to 0.35; prefixes of a full schedule somewhat less. Too low a place costs one more whole run on a smooth slope, too
 * high a one lands among unstable runs: hence the exponent of whole schedules.
 */
const stepsPower = 0.32;

/** A parabola through three points says little beyond them: its lowest point is at most this part of the way to a neighbour. */
const mostOfTheWay = 0.75;

/**
 * The rate where the training loss of a scan is lowest, moved to what `share` = scan steps / steps makes of it, and within the
 * grid. `rates` rise; `losses` are those of the scan, Infinity where it diverged, NaN where there was none. Null where all diverged.
 */
export function placeOf(rates: readonly number[], losses: readonly number[], share: number): number | null {
  const lowest = Math.min(...losses.filter(loss => !Number.isNaN(loss)));
  if (lowest === Number.POSITIVE_INFINITY) return null;
  const place = Math.log10(vertex(rates, losses, losses.lastIndexOf(lowest))) + stepsPower * Math.log10(share);
  return Math.min(Math.max(10 ** place, rates[0]!), rates.at(-1)!);
}

/** The lowest point of the parabola through `best` and its neighbours over log10(rate), in log(loss); the rate of `best` without one. */
function vertex(rates: readonly number[], losses: readonly number[], best: number): number {
  const [left, middle, right] = [best - 1, best, best + 1].map(index => ({
    x: Math.log10(rates[index] ?? Number.NaN),
    // A loss of zero has no logarithm.
    y: Math.log(Math.max(losses[index] ?? Number.NaN, Number.MIN_VALUE)),
  })) as [Point, Point, Point];
  const before = (middle.y - left.y) / (middle.x - left.x);
  const behind = (right.y - middle.y) / (right.x - middle.x);
  const bend = behind - before;
  // Also where a neighbour is missing or diverged.
  if (!(Number.isFinite(bend) && bend > 0)) return rates[best]!;
  // The slope is `before` half-way to the left neighbour, and rises evenly to `behind` half-way to the right one.
  const [from, to] = [(left.x + middle.x) / 2, (middle.x + right.x) / 2];
  const lowest = from - (before * (to - from)) / bend;
  const reach = (neighbour: Point) => middle.x + mostOfTheWay * (neighbour.x - middle.x);
  return 10 ** Math.min(Math.max(lowest, reach(left)), reach(right));
}

interface Point {
  /** log10 of the rate. */
  x: number;
  /** Natural logarithm of the loss. */
  y: number;
}
