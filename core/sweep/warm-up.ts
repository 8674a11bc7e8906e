/** Optimizer steps during which the rate rises to its peak: ceil(ratio * total), in the same double arithmetic as transformers. */
export function warmUpSteps(total: number, warmupRatio: number): number {
  return Math.ceil(total * warmupRatio);
}
