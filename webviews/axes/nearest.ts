/** Which points a chart speaks of. */

/** A point as it stands on the screen, in pixels, with the name of what it belongs to; edges of bands have none. */
export interface Candidate {
  label: string;
  x: number;
  y: number;
}

/** Places of the named candidates that lie nearest; several where they lie upon each other. */
export function nearestNamed(candidates: readonly Candidate[], at: {x: number; y: number}): number[] {
  const distances = candidates.map(({label, x, y}) => (label === '' ? Infinity : Math.hypot(x - at.x, y - at.y)));
  const least = Math.min(...distances);
  return least === Infinity ? [] : distances.flatMap((distance, k) => (distance === least ? [k] : []));
}
