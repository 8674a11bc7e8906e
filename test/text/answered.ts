/** Answers with programs in the usual shapes, through a tokenizer and back, judged in the sandbox. */

import {promptIds} from '../../trainer/data/encode.ts';
import {type Row, rowError, textIn} from '../../trainer/data/read/row.ts';
import {humaneval, mbpp} from '../../trainer/task/code.ts';
import type {Task, Tools} from '../../trainer/task/task.ts';
import type {Tokenizer} from '../../trainer/text/tokenizer.ts';
import {bodyShapes, wholeShapes} from '../trainer/task/answer-shapes.ts';

export interface Answered {
  task: Task;
  row: Row;
  shape: string;
  /** What stands before the answer, and the answer. */
  prompt: string;
  answer: string;
}

/** The solution of a row of HumanEval or MBPP in every shape. */
export function answersOf(task: Task, row: Row): Answered[] {
  const isHumanEval = task === humaneval;
  const solution = task.expected(row);
  const entry = isHumanEval ? textIn(row, 'entry_point') : entryOf(row, solution);
  const whole = isHumanEval ? textIn(row, 'prompt') + solution : solution;
  const asked = `${task.asked(row)}\n\n### Response:`;
  const make = (shapes: Record<string, string>, prompt: string) =>
    Object.entries(shapes).map(([shape, answer]) => ({task, row, shape, prompt, answer}));
  return [
    ...make(wholeShapes(whole, entry), asked),
    ...(isHumanEval ? make(bodyShapes(solution, entry), textIn(row, 'prompt')) : []),
  ];
}

function entryOf(row: Row, solution: string): string {
  const tests = JSON.stringify(row.values['test_list']);
  const names = [...solution.matchAll(/^(?:def|class) (\w+)/gm)].map(([, name]) => name!);
  const entry = names.find(name => new RegExp(`\\b${name}\\b`).test(tests));
  if (entry === undefined) throw rowError('bad-data', row, 'the tests name no function of the solution.');
  return entry;
}

/**
 * What a model that answers so has said: the answer's tokens behind the prompt's, as text. Once as the tokens of an answer
 * by itself (format completion), once as those that follow the prompt's in the tokens of both.
 */
export function saidBy(
  tokenizer: Tokenizer,
  {prompt, answer}: Pick<Answered, 'prompt' | 'answer'>,
  asked = promptIds(prompt, tokenizer),
): string[] {
  const both = promptIds(prompt + answer, tokenizer);
  let same = 0;
  while (same < asked.length && asked[same] === both[same]) same++;
  const follows = tokenizer.decode(both.slice(same), {skipSpecial: true, after: asked.slice(0, same)});
  const alone = tokenizer.decode(tokenizer.encode(answer, {special: false}), {skipSpecial: true, after: asked});
  // Where the last characters of the prompt are one token with the first of the answer, they are said again.
  return [...new Set(same === asked.length ? [follows, alone] : [alone])];
}

/** Those that are judged wrong, each text once. */
export async function wrongOf(
  answers: readonly Answered[],
  tokenizers: readonly Tokenizer[],
  tools: Tools,
): Promise<{wrong: string[]; judged: number}> {
  const prompts = new Set(answers.map(({prompt}) => prompt));
  const asked = tokenizers.map(tokenizer => new Map([...prompts].map(text => [text, promptIds(text, tokenizer)])));
  const texts = answers.flatMap(one => {
    const said = new Set(tokenizers.flatMap((tokenizer, i) => saidBy(tokenizer, one, asked[i]!.get(one.prompt))));
    return [...said].map(text => ({...one, text}));
  });
  const verdicts = await Promise.all(
    texts.map(async ({task, row, shape, text}) => {
      const {verdict, reason} = await task.judge(row, text, tools);
      const name = task === mbpp ? `MBPP ${row.values['task_id']}` : String(row.values['task_id']);
      return verdict === true ? [] : [`${name}, ${shape}: ${reason}`];
    }),
  );
  return {wrong: verdicts.flat(), judged: texts.length};
}
