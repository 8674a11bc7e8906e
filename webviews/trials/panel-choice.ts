/** What stands beside the page, as the reader has opened it; a reload keeps it. */
import type {AnswersAt} from '../../core/run/page-messages.ts';

export type Panel =
  /** One trial of those that a press meant, e.g. of the seeds at one point. */
  | {kind: 'trial'; trials: string[]; shown: string}
  | {kind: 'compare'; trials: string[]}
  /** What one trial answered, or two side by side. */
  | {kind: 'answers'; trials: string[]; at: AnswersAt | null; isWrongOnly: boolean; shown: number};

/** Answers that are shown at first, and so many more with every press. */
export const answersAtOnce = 20;

/** Opens trials: one, or the first of several that stand at one point. */
export function trialPanel(trials: string[]): Panel | null {
  const [shown] = trials;
  return shown === undefined ? null : {kind: 'trial', trials, shown};
}

export function answersPanel(trials: readonly string[]): Panel {
  return {kind: 'answers', trials: trials.slice(0, 2), at: null, isWrongOnly: false, shown: answersAtOnce};
}
