/** What was found in files that are still as they were is not looked for again. */
import {stamp} from '../files/stamp.ts';

/** Answers that are kept, the latest asked for. */
const most = 64;

const answers = new Map<string, unknown>();

/** The work's result for these files as they are now; `key` says what was asked of them. Failures are not kept. */
export async function remembered<T>(key: unknown, files: readonly string[], work: () => T | Promise<T>): Promise<T> {
  const whole = JSON.stringify([key, files.map(stamp)]);
  if (answers.has(whole)) {
    const known = answers.get(whole) as T;
    answers.delete(whole);
    answers.set(whole, known);
    return known;
  }
  const found = await work();
  answers.set(whole, found);
  if (answers.size > most) answers.delete(answers.keys().next().value!);
  return found;
}
