/** Answers that think first: what is judged stands behind the thoughts. */
import {afterAll, describe, expect, it} from 'vitest';
import type {TaskName} from '../../../core/sweep/sweep.ts';
import type {Row} from '../../../trainer/data/read/row.ts';
import {openJudge} from '../../../trainer/task/judge.ts';
import {behindThoughts, textBehindThoughts} from '../../../trainer/task/thoughts.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {modelFolder} from '../../text/published.ts';

const qwen = openTokenizer(modelFolder('qwen3'));
const idsOf = (text: string): number[] => qwen.encode(text, {special: false});
const behind = (answer: string, prompt = 'Q') => behindThoughts(idsOf(answer), idsOf(prompt), qwen);

describe('what stands behind thoughts', () => {
  it.each([
    ['7', '7'],
    ['<think>\nIs it 8?\n</think>\n\n7', '7'],
    ['<think></think>7', '7'],
    // The prompt has opened the thoughts.
    ['Is it 8?\n</think>\n\n7', '7'],
    ['<think>a</think>b<think>c</think>d', 'd'],
    // The first line of a body keeps its indentation.
    ['<think>\nx\n</think>\n\n    return 7\n', '    return 7\n'],
    ['<think>x</think>\n \n\tif x', '\tif x'],
    ['say <think> in words', 'say <think> in words'],
    ['<think>a</think>', ''],
  ])('of %j is %j', (answer, text) => {
    expect(behind(answer)).toBe(text);
  });

  it('is nothing where the thoughts never end, in the answer or begun by its prompt', () => {
    expect(behind('<think>\nIt is 7')).toBeNull();
    expect(behind('It is 7', 'Q\n<think>\n')).toBeNull();
    expect(behind('It is 7</think>8', 'Q\n<think>\n')).toBe('8');
    expect(behind('It is 7', 'Q\n<think>\n\n</think>\n\n')).toBe('It is 7');
  });

  it('is found where the marks are special tokens, which no text shows, and where they are no tokens', () => {
    const marks = new Map([
      [1, '[THINK]'],
      [2, '[/THINK]'],
    ]);
    const special = {
      added: new Set(marks.values()),
      encode: (text: string) => [...marks].flatMap(([id, mark]) => (mark === text ? [id] : [])),
      decode: (ids: readonly number[], {skipSpecial}: {skipSpecial: boolean}) =>
        ids
          .map(id => marks.get(id) ?? '')
          .map((mark, i) => (mark === '' ? String.fromCodePoint(ids[i]!) : skipSpecial ? '' : mark))
          .join(''),
    };
    const letters = (text: string) => [...text].map(letter => letter.codePointAt(0)!);
    expect(behindThoughts([1, ...letters('no'), 2, ...letters('yes')], [], special)).toBe('yes');
    expect(behindThoughts([1, ...letters('no')], [], special)).toBeNull();
    expect(behindThoughts(letters('no'), [65, 1], special)).toBeNull();
    const llama = openTokenizer(modelFolder('llama2'));
    const said = llama.encode('<think>\n8\n</think>\n\n7', {special: false});
    expect(llama.added.has('</think>')).toBe(false);
    expect(behindThoughts(said, llama.encode('Q', {special: true}), llama)).toBe('7');
  });

  it('of an expected text is the same', () => {
    expect(textBehindThoughts('<think>\n\n</think>\n\n 7')).toBe(' 7');
    expect(textBehindThoughts('\n7')).toBe('\n7');
  });
});

const open: {close(): void}[] = [];
afterAll(() => {
  for (const one of open) one.close();
});

/** Whether the judge finds this answer to one row right. */
async function verdictOf(
  task: TaskName,
  values: Row['values'],
  output: string,
  {answer = '', strict = false}: {answer?: string; strict?: boolean} = {},
): Promise<boolean> {
  const row = {values, file: 'rows.jsonl', line: 1};
  const prompt = {ids: idsOf('Q'), answer, answerIds: idsOf(answer), row};
  const settings = {task, data: 'rows.jsonl', maxNewTokens: 9, samples: 1, temperature: 0, strict};
  const judge = openJudge({
    prompts: new Map([[0, [prompt]]]),
    tokenizer: qwen,
    ends: {ids: [], texts: []},
    evaluations: [settings],
    pathOf: path => path,
  });
  open.push(judge);
  const [found] = await judge.score({trial: 't', step: 0, evaluation: 0, answers: [idsOf(output)]});
  return found?.correct === 1;
}

describe('a judge', () => {
  const wrongThought = '<think>\nThe answer is: 8\n</think>\n\n';
  it.each([
    ['gsm8k', {question: '', answer: '#### 7'}, 'It is 7'],
    ['math', {problem: '', solution: '\\boxed{7}', answer: '7'}, 'So \\boxed{7}'],
  ] as const)('of %s hears the answer, not the thoughts', async (task, row, said) => {
    expect(await verdictOf(task, row, wrongThought + said)).toBe(true);
    expect(await verdictOf(task, row, `<think>\n${said}\n</think>\n\nThe answer is: 8`)).toBe(false);
    expect(await verdictOf(task, row, `<think>\n${said}. The answer is: 7`)).toBe(false);
    expect(await verdictOf(task, row, `<think>\n${said}. The answer is: 7`, {strict: true})).toBe(true);
  });

  it('of exact-match compares what stands behind the thoughts of both', async () => {
    const match = (said: string, answer: string) => verdictOf('exact-match', {}, said, {answer});
    expect(await match('<think>\nWhite?\n</think>\n\nwhite', 'white')).toBe(true);
    expect(await match('<think>\nWhite?\n</think>\n\nwhite', '<think>\nSnow.\n</think>\n\nwhite')).toBe(true);
    expect(await match('<think>\nwhite\n</think>\n\nblack', 'white')).toBe(false);
    expect(await match('<think>\nwhite', '')).toBe(false);
  });

  it('of programs takes no program out of the thoughts', async () => {
    const good = 'def f(x):\n    return x + 1';
    const bad = 'def f(x):\n    # a longer try\n    y = x\n    return y';
    const thought = (first: string, then: string) =>
      `<think>\n\`\`\`python\n${first}\n\`\`\`\n</think>\n\n\`\`\`python\n${then}\n\`\`\``;
    const mbpp = {text: 'Add one.', code: good, test_list: ['assert f(1) == 2']};
    expect(await verdictOf('mbpp', mbpp, thought(bad, good))).toBe(true);
    expect(await verdictOf('mbpp', mbpp, thought(good, bad))).toBe(false);
    expect(await verdictOf('mbpp', mbpp, `<think>\n\`\`\`python\n${good}\n\`\`\``)).toBe(false);
    const humaneval = {
      prompt: 'def f(x):\n    """Add one."""\n',
      entry_point: 'f',
      canonical_solution: '    return x + 1\n',
      test: 'def check(f):\n    assert f(1) == 2\n',
    };
    expect(await verdictOf('humaneval', humaneval, '<think>\nreturn x\n</think>\n\n    return x + 1\n')).toBe(true);
  });
});
