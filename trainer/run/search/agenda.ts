/** What a run has to train: all of it at once, or in portions, where what comes next depends on what came out. */
import type {TrialPack} from '../packs.ts';

/** Trials that are trained side by side from where they are. */
export interface Portion {
  trials: TrialPack;
  /** Up to this step, where they pause; absent = to their end. */
  until?: number | undefined;
}

export interface Agenda {
  /** What has come to be wanted since the last time. Nothing while nothing is under way: all is done. */
  next(): Portion[];
}

/** Every pack to its end, and that is all. */
export function wholeTrials(packs: readonly TrialPack[]): Agenda {
  const waiting = packs.map(trials => ({trials}));
  return {next: () => waiting.splice(0)};
}
