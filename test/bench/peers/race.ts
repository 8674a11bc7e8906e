/** Contenders of a group, side by side: all stay up and take turns. */

import {median, type Result} from '../pages/results.ts';
import {Contender} from './contender.ts';
import type {Entry, Setting} from './contenders.ts';

/** Differences allowed between the first losses of any two contenders: summation order; bfloat16 rounds to 3 digits. */
const lossTolerance = {ours: 1e-4, native32: 1e-4, native: 2e-2, stock: 1e-4, intel: 1e-4, bfloat16: 2e-2};
const rounded: Setting[] = ['native', 'bfloat16'];
/** A turn is about this long, whatever the contender. */
const turnMilliseconds = 1500;

/**
 * Starts the contenders of a group and lets them take turns; one that cannot run says why in its result.
 * @throws Error where two contenders do not compute the same loss
 */
export async function race(entries: Entry[], rounds: number, say: (line: string) => void): Promise<Result[]> {
  const results: Result[] = entries.map(({name, setting}) => ({name, setting, rounds: [], peakBytes: 0}));
  const running = new Map<Result, Contender>();
  try {
    for (const [index, entry] of entries.entries()) {
      const result = results[index]!;
      say(`starting ${entry.name}`);
      try {
        running.set(result, await Contender.start(entry.commands));
      } catch (error) {
        result.failure = (error as Error).message;
      }
    }
    const losses = [...running].filter(([{setting}]) => !rounded.includes(setting)).map(([, {firstLoss}]) => firstLoss);
    for (const [result, {firstLoss}] of running)
      if (Math.abs(firstLoss - median(losses)) > lossTolerance[result.setting])
        throw new Error(
          `${result.name} does not compute the same: first loss ${firstLoss}, the others ${median(losses)}.`,
        );
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      for (const [result, contender] of running) {
        const last = result.rounds.at(-1);
        const once = last ?? (await contender.measure(1));
        const steps = Math.min(50, Math.max(1, Math.round(turnMilliseconds / once)));
        // A step that takes a whole turn is one.
        result.rounds.push(last === undefined && steps === 1 ? once : await contender.measure(steps));
      }
    }
    for (const [result, contender] of running) result.peakBytes = await contender.peakBytes();
  } finally {
    await Promise.all([...running.values()].map(contender => contender.stop()));
  }
  return results;
}
