/** How the largest tensors of a step are cut: attention by its queries, logits by their rows. */

/** Positions of a block of queries: shorter ones multiply more slowly than they save. */
const blockLength = 128;
/** Blocks of a sequence at most. */
export const mostBlocks = 32;

/** Positions [start, end) of the blocks of queries; each reads the keys before its end. */
export function blocksOf(positions: number): [start: number, end: number][] {
  const length = Math.max(blockLength, Math.ceil(positions / mostBlocks));
  const count = Math.max(1, Math.floor(positions / length));
  return Array.from({length: count}, (_, i) => [i * length, i === count - 1 ? positions : (i + 1) * length]);
}

/** Keys that a query reads on the average. */
export function keysRead(positions: number): number {
  return blocksOf(positions).reduce((sum, [start, end]) => sum + (end - start) * end, 0) / Math.max(1, positions);
}

/** Logits are made for so many at a time, so that [rows, vocabulary] never stands in memory whole. */
const logitsAtOnce = 3 << 22;
/** With fewer rows at a time a product with the vocabulary takes longer. */
const fewestRows = 128;

/** Rows whose logits are made at once. */
export function logitRows(vocabulary: number): number {
  return Math.max(fewestRows, Math.floor(logitsAtOnce / vocabulary));
}
