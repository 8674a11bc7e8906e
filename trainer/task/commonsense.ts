/** The eight commonsense sets as LLM-Adapters (Hu et al. 2023) writes them, by text: rows `{instruction, output, answer}`. */
import {type Row, rowError, textIn} from '../data/read/row.ts';
import type {Task} from './task.ts';

/** How an answer is called in each set, and what the evaluation script finds in an output. */
const words: Readonly<Record<string, RegExp>> = {
  true: /true|false/,
  false: /true|false/,
  solution: /solution[12]/,
  answer: /answer[1-5]/,
  ending: /ending[1-4]/,
  option: /option[12]/,
};

/** What is looked for in outputs for a row, by its right answer. */
function patternOf(row: Row): RegExp {
  const answer = textIn(row, 'answer').trim();
  const pattern = words[answer.replace(/\d$/, '')];
  if (pattern && new RegExp(`^(?:${pattern.source})$`).test(answer)) return pattern;
  throw rowError(
    'bad-data',
    row,
    `the answer ${JSON.stringify(answer.slice(0, 40))} is none of true, false, solution1, answer1, ending1, option1 and their like; rows of the sets as published are for the task multiple-choice.`,
  );
}

/** The first such word of the output counts; without one the answer is wrong. */
export const commonsense: Task = {
  asked: row => textIn(row, 'instruction'),
  expected(row) {
    // An answer that is none of the words is said before anything is generated.
    patternOf(row);
    return textIn(row, 'output');
  },
  judge(row, output) {
    const extracted = output.match(patternOf(row))?.[0] ?? null;
    return {extracted, verdict: extracted === textIn(row, 'answer').trim()};
  },
};
