/** One variance for several groups of seeds: two or three seeds of one alone say too little. */
export interface Noise {
  variance: number;
  /** Degrees of freedom of it. */
  freedom: number;
}

/** Of sample standard deviations (n - 1), those that are known; null where none is. */
export function pooled(groups: readonly {std: number | null; seeds: number}[]): Noise | null {
  let [squares, freedom] = [0, 0];
  for (const {std, seeds} of groups) {
    if (std === null) continue;
    squares += std ** 2 * (seeds - 1);
    freedom += seeds - 1;
  }
  return freedom === 0 ? null : {variance: squares / freedom, freedom};
}
