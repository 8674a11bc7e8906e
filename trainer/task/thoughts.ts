/** Thoughts in an answer: what is judged is what stands behind them. */
import type {Tokenizer} from '../text/tokenizer.ts';

/** What models put around their thoughts. */
const marks = [
  ['<think>', '</think>'],
  ['[THINK]', '[/THINK]'],
] as const;

/** Tokens of a prompt that are looked at for a mark that opens thoughts. */
const tail = 16;

/**
 * What an answer says behind its thoughts: behind the last closing mark, as lm-evaluation-harness cuts it
 * (`think_end_token`), but with the indentation of its first line. null where thoughts are opened, in the answer or at the
 * end of its prompt, and never closed: what was only thought of is no answer.
 * @param ids of the answer
 * @param asked ids of the prompt
 */
export function behindThoughts(
  ids: readonly number[],
  asked: readonly number[],
  tokenizer: Pick<Tokenizer, 'added' | 'encode' | 'decode'>,
): string | null {
  // Special tokens leave nothing in a text, so marks that are tokens are looked for among them.
  const closing = marks.flatMap(([, mark]) =>
    tokenizer.added.has(mark) ? tokenizer.encode(mark, {special: false}).slice(-1) : [],
  );
  const from = Math.max(-1, ...closing.map(id => ids.lastIndexOf(id))) + 1;
  const text = tokenizer.decode(ids.slice(from), {skipSpecial: true, after: [...asked, ...ids.slice(0, from)]});
  if (from > 0) return textBehindThoughts(`${marks[0][1]}${text}`);
  const before = tokenizer.decode(asked.slice(-tail), {skipSpecial: false});
  const begins = tokenizer.decode(ids.slice(0, tail), {skipSpecial: false, after: asked});
  const isOpen = marks.some(([mark]) => before.trimEnd().endsWith(mark) || begins.trimStart().startsWith(mark));
  return isOpen && !isClosed(text) ? null : textBehindThoughts(text);
}

const isClosed = (text: string): boolean => marks.some(([, mark]) => text.includes(mark));

/** The same of a text whose thoughts end, or that has none. */
export function textBehindThoughts(text: string): string {
  if (!isClosed(text)) return text;
  const ends = marks.map(([, mark]) => (text.includes(mark) ? text.lastIndexOf(mark) + mark.length : 0));
  return text.slice(Math.max(...ends)).replace(/^(?:[^\S\n]*\n)+/, '');
}
