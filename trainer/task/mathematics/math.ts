/** MATH (Hendrycks et al. 2021), scored by the rule of the study and PiSSA (test_acc.py); boxed answers count too. */
import {textIn} from '../../data/read/row.ts';
import type {Task} from '../task.ts';
import {boxedAnswer, sameAnswer} from './math-equivalence.ts';

/** MetaMathQA's last words. */
const mark = 'The answer is: ';

/** What follows the last mark, up to the end of its sentence; else the last boxed answer; null without either. */
export function answerIn(text: string): string | null {
  if (!text.includes(mark)) return boxedAnswer(text);
  const said = text.split(mark).at(-1)!.split('.\n')[0]!.trim();
  return (said.endsWith('.') ? said.slice(0, -1) : said).trim();
}

export const math: Task = {
  asked: row => textIn(row, 'problem'),
  expected: row => textIn(row, 'solution'),
  judge(row, output, _, {strict = false} = {}) {
    const expected = 'answer' in row.values ? textIn(row, 'answer') : (boxedAnswer(textIn(row, 'solution')) ?? '');
    const extracted = strict && !output.includes(mark) ? null : answerIn(output);
    return {extracted, verdict: extracted !== null && sameAnswer(extracted, expected)};
  },
};
