import type {TrainingSettings} from './sweep.ts';

/** Optimizer steps during which the rate rises to its peak: as given, else ceil(ratio * total), in the same double arithmetic as transformers. */
export function warmUpSteps(
  total: number,
  {warmupRatio, warmupSteps}: Pick<TrainingSettings, 'warmupRatio' | 'warmupSteps'>,
): number {
  return warmupSteps ?? Math.ceil(total * warmupRatio);
}
