/** The learning rate of every optimizer step, as transformers' `get_{cosine,linear,constant}_schedule_with_warmup` give it. */
import type {TrainingSettings} from '../../core/sweep/sweep.ts';
import {warmUpSteps} from '../../core/sweep/warm-up.ts';

/**
 * The rate used in optimizer step `step` (from 0) of `total`. During the warm-up of w steps it is peak * step / w, so
 * the first update of a warm-up has rate 0; then progress p = (step - w) / (total - w) gives
 * cosine: peak * (1 + cos(pi * p)) / 2, linear: peak * (1 - p), constant: peak.
 */
export function rateAt(
  step: number,
  total: number,
  peak: number,
  {schedule, ...warmUp}: Pick<TrainingSettings, 'schedule' | 'warmupRatio' | 'warmupSteps'>,
): number {
  const warmup = warmUpSteps(total, warmUp);
  if (step < warmup) return (peak * step) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  switch (schedule) {
    case 'cosine':
      return (peak * (1 + Math.cos(Math.PI * progress))) / 2;
    case 'linear':
      return peak * (1 - progress);
    case 'constant':
      return peak;
  }
}
