/** Of how many steps the mean is that stands for the training loss after `steps` updates: the last tenth, three at least. */
export function tailSteps(steps: number): number {
  return Math.min(steps, Math.max(3, Math.ceil(steps / 10)));
}
