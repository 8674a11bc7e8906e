/** Low-rank pairs that are in use at a site: methods that share ranks out leave others zero, behind these, for the whole training. */
import type {Shapes} from '../../core/method/method.ts';
import type {Parts} from '../method/form.ts';

/** How many rows of A [places, inputs] there are before the last ones that are zero. */
export function pairsInUse({A}: Parts, places: number): number {
  const inputs = A!.length / places;
  let rank = places;
  while (rank > 0 && A!.subarray((rank - 1) * inputs, rank * inputs).every(value => value === 0)) rank--;
  return rank;
}

/** A and B [outputs, places] without the pairs that are not in use. */
export function withoutUnused(parts: Parts, places: number): {parts: Parts; rank: number} {
  const {A, B} = parts;
  const rank = pairsInUse(parts, places);
  const outputs = B!.length / places;
  const columns = Float32Array.from(
    {length: outputs * rank},
    (_, i) => B![Math.floor(i / rank) * places + (i % rank)]!,
  );
  return {parts: {A: A!.subarray(0, (rank * A!.length) / places), B: columns}, rank};
}

/** 1 for the numbers of pairs in use and 0 for all others, in the order of these shapes; null where all are in use. */
export function inUse(parts: Parts, shapes: Shapes, places: number): Float64Array | null {
  const rank = pairsInUse(parts, places);
  if (rank === places) return null;
  const marks = Object.entries(shapes).flatMap(([part, [, width = 1]]) =>
    Array.from(parts[part]!, (_, i) => Number((part === 'A' ? Math.floor(i / width) : i % width) < rank)),
  );
  return Float64Array.from(marks);
}
