/**
 * How lm-evaluation-harness finds and compares GSM8K's answers, by the names of its filters (its gsm8k.yaml, exact_match): what a published
 * score of the one or the other was measured with.
 */
import type {FilterName} from '../../../core/sweep/sweep.ts';

/** The answer that a filter finds; null where there is none. */
const found: Record<FilterName, (text: string) => string | null> = {
  // The first one that stands behind GSM8K's own mark.
  'strict-match': text => /#### (-?[0-9.,]+)/.exec(text)?.[1] ?? null,
  // The last number, or the last run of two or more of the signs that numbers are written with.
  'flexible-extract': text =>
    text
      .match(/-?[$0-9.,]{2,}|-?[0-9]+/g)
      ?.at(-1)
      ?.trim() ?? null,
};

/** Without separators, dollars, what stands before the mark, and a full stop at the end. */
const plain = (text: string): string =>
  text
    .replaceAll(/[,$]/g, '')
    .replace(/[\s\S]*#### /, '')
    .replace(/\.(?=\n?$)/, '')
    .toLowerCase();

/** Whether each filter finds the answer of a row, which ends as GSM8K's do: `#### 42`. */
export function filtered(
  names: readonly FilterName[],
  output: string,
  answer: string,
): Partial<Record<FilterName, boolean>> {
  return Object.fromEntries(
    names.map(name => {
      const one = found[name](output);
      return [name, one !== null && plain(one) === plain(answer)];
    }),
  );
}

/** What a filter's share is called. */
export const filterMetric = (name: string): string => `accuracy_${name.replaceAll('-', '_')}`;
