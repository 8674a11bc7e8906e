/** What trials answered: prompt, what was expected, what was found, the verdict; wrong ones alone; two trials side by side. */
import {count} from '../../core/run/format.ts';
import type {AnswersAt, AnswersMessage} from '../../core/run/page-messages.ts';
import type {Answer} from '../../core/run/samples.ts';

/** What the page has been told of answers, and how it asks for more. */
export interface AnswersSource {
  /** Undefined while they are being read. */
  of(trial: string, at: AnswersAt | null): AnswersMessage | undefined;
}

/** An answer of each trial to the same row; undefined where one has none. */
export interface Pair {
  row: number;
  sample: number;
  prompt: string | undefined;
  expected: string | null;
  answers: (Answer | undefined)[];
}

/** Answers to the same rows side by side, in the order of the rows. */
export function paired(sides: readonly (readonly Answer[])[]): Pair[] {
  const pairs = new Map<string, Pair>();
  sides.forEach((answers, side) => {
    // The prompt stands at the first answer to its row alone.
    const prompts = new Map(answers.flatMap(({row, prompt}) => (prompt === undefined ? [] : [[row, prompt] as const])));
    for (const answer of answers) {
      const {row, sample, expected} = answer;
      const key = `${row} ${sample}`;
      const pair = pairs.get(key) ?? {row, sample, prompt: undefined, expected, answers: sides.map(() => undefined)};
      pair.prompt ??= prompts.get(row);
      pair.answers[side] = answer;
      pairs.set(key, pair);
    }
  });
  return [...pairs.values()].sort((a, b) => a.row - b.row || a.sample - b.sample);
}

/** Of one trial what is wrong; of two what any of them has wrong. */
export function wrongOnes(pairs: readonly Pair[]): Pair[] {
  return pairs.filter(({answers}) => answers.some(answer => answer?.verdict === false));
}

/** `5 of 32 right`; of two also on how many they differ. */
export function countInWords(pairs: readonly Pair[]): string {
  const sides = pairs[0]?.answers.length ?? 0;
  const scored = pairs.some(({answers}) => answers.some(answer => typeof answer?.verdict === 'number'));
  if (scored) return count(pairs.length, 'row');
  const right = Array.from({length: sides}, (_, side) => {
    const own = pairs.flatMap(({answers}) => answers[side] ?? []);
    return `${own.filter(({verdict}) => verdict === true).length} of ${own.length} right`;
  });
  const differing = pairs.filter(({answers: [a, b]}) => a && b && a.verdict !== b.verdict).length;
  return sides > 1 ? `${right.join(' and ')}; they differ on ${differing}` : (right[0] ?? 'no answers');
}
