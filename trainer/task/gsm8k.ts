/** GSM8K (Cobbe et al. 2021), scored by the rule of the study and PiSSA (test_acc.py). */
import {textIn} from '../data/row.ts';
import type {Task} from './task.ts';

/** MetaMathQA closes with the first, GSM8K's own answers with the second. */
const marks = ['The answer is: ', '####'];

/** A number with or without thousands separators, or a fraction. */
const number = /[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\/\d+)?/;

/**
 * The number after the last mark, as text without separators; null without a mark or a number. The study's own pattern
 * stops at a second separator (`1,234,567`), which some of GSM8K's answers have; here they are read whole.
 */
export function answerNumber(text: string): string | null {
  const from = Math.max(...marks.map(mark => (text.includes(mark) ? text.lastIndexOf(mark) + mark.length : -1)));
  return from < 0 ? null : (number.exec(text.slice(from))?.[0].replaceAll(',', '') ?? null);
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
  judge(row, output) {
    const gold = textIn(row, 'answer');
    const extracted = answerNumber(output);
    const expected = answerNumber(gold) ?? gold.trim().replaceAll(',', '');
    return {extracted, verdict: extracted !== null && roundedValue(extracted) === Number(expected)};
  },
};
