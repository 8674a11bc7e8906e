/** GSM8K (Cobbe et al. 2021), scored by the rule of the study and PiSSA (test_acc.py). */
import {textIn} from '../../data/read/row.ts';
import type {Task} from '../task.ts';
import {filtered} from './filters.ts';

/** MetaMathQA closes with the first, GSM8K's own answers with the second. */
const marks = ['The answer is: ', '####'];

/** A number with or without thousands separators, or a fraction. */
const number = /[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\/\d+)?/g;

/**
 * The first number after the last mark, as text without separators, or the last one of a text without a mark; null where
 * there is none. The study counts texts without its mark as wrong, which models that were not trained on it never write;
 * its own pattern stops at a second separator (`1,234,567`), which some of GSM8K's answers have; here they are read whole.
 */
export function answerNumber(text: string): string | null {
  const from = Math.max(...marks.map(mark => (text.includes(mark) ? text.lastIndexOf(mark) + mark.length : -1)));
  const found = from < 0 ? text.match(number)?.at(-1) : text.slice(from).match(number)?.[0];
  return found?.replaceAll(',', '') ?? null;
}

/** What the study's pattern reads: up to a second separator. */
const studyNumber = /[-+]?\d*[.,/]?\d+/;

/** Python's digits are those of all scripts, which stand in tens. */
const anyDigit = /\p{Nd}/u;

function plainDigit(digit: string): string {
  const point = digit.codePointAt(0)!;
  let before = 0;
  while (anyDigit.test(String.fromCodePoint(point - before - 1))) before++;
  return String(before % 10);
}

/** The number as the study's script finds it, behind its own mark only; null without the mark or a number. */
export function studyAnswer(text: string): string | null {
  const at = text.lastIndexOf(marks[0]!);
  if (at < 0) return null;
  const found = text
    .slice(at + marks[0]!.length)
    .replaceAll(new RegExp(anyDigit, 'gu'), plainDigit)
    .match(studyNumber)?.[0]
    .replaceAll(',', '');
  // A fraction with nothing above its line is none.
  return found === undefined || !/\d/.test(found.split('/')[0]!) ? null : found;
}

/** The value that is compared: rounded to a whole number as Python rounds, halves to the even one; n/0 counts as n. */
export function roundedValue(text: string): number {
  const [above, below = '1'] = text.split('/');
  const value = Number(above) / (Number(below) || 1);
  const down = Math.floor(value);
  if (value - down === 0.5) return down % 2 === 0 ? down : down + 1;
  return Math.round(value);
}

export const gsm8k: Task = {
  asked: row => textIn(row, 'question'),
  expected: row => textIn(row, 'answer'),
  judge(row, output, _, {strict = false, filters} = {}) {
    const gold = textIn(row, 'answer');
    const extracted = strict ? studyAnswer(output) : answerNumber(output);
    const expected = answerNumber(gold) ?? gold.trim().replaceAll(',', '');
    const verdict = extracted !== null && roundedValue(extracted) === Number(expected);
    return {extracted, verdict, ...(filters && {filtered: filtered(filters, output, gold)})};
  },
};
