/** The tasks that run generated programs: HumanEval and MBPP. Programs are found as EvalPlus finds them (programs-source.ts). */
import {columnIn, type Row, rowError, textIn} from '../data/read/row.ts';
import {numpyForTests, plusSeconds, usesNumpy} from './plus-tests.ts';
import type {Answer} from './programs.ts';
import type {Judged, Task, Tools} from './task.ts';

/** What closes an answer in MBPP's prompt (Austin et al. 2021). */
const done = '[DONE]';

/** What closed and opened an answer in the prompt is no part of it. */
const answered = (output: string): string => output.split(done)[0]!.replace('[BEGIN]', '');

async function run(tools: Tools, {trusted, ...answer}: Answer & {trusted: string}): Promise<Judged> {
  const {tests, reference} = answer;
  const {program, extracted} = await tools.programs().find(answer);
  const problem = {program: `${program}\n`, trusted, tests, reference};
  const {passed, reason} = await tools
    .sandbox()
    .run(usesNumpy(tests) ? {...problem, trusted: numpyForTests + trusted, seconds: plusSeconds} : problem);
  return {extracted, verdict: passed, ...(passed ? {} : {reason})};
}

/** @throws SweepError `bad-data` for rows of EvalPlus's own files, whose further tests are inputs alone */
function refuseInputs(row: Row): void {
  if (!Object.hasOwn(row.values, 'plus_input')) return;
  throw rowError(
    'bad-data',
    row,
    'it has the tests of EvalPlus as inputs alone (plus_input), which are not read: take the rows of evalplus/humanevalplus or evalplus/mbppplus on the hub, whose column test has their results.',
  );
}

/**
 * HumanEval (Chen et al. 2021): the prompt is completed, and its `check` calls the completed function. HumanEval+ is the same with
 * more in its `check`.
 */
export const humaneval: Task = {
  stop: [done],
  asked: row => `Complete the following Python function:\n\n${textIn(row, 'prompt')}`,
  expected(row) {
    refuseInputs(row);
    return textIn(row, 'canonical_solution');
  },
  judge(row, output, tools) {
    const prompt = textIn(row, 'prompt');
    const entry = textIn(row, 'entry_point');
    return run(tools, {
      output: answered(output),
      prompt,
      entry,
      setup: '',
      trusted: `${prompt}    pass\n`,
      tests: `${textIn(row, 'test')}\ncheck(${entry})\n`,
      reference: `def ${entry}(): pass`,
    });
  },
};

/**
 * MBPP (Austin et al. 2021), both files: the full one has `text`, the hand-verified one `prompt` and `test_imports`. MBPP+ has a `test`
 * that stands in place of the list: the model is shown the list, and judged by the test.
 */
export const mbpp: Task = {
  stop: [done],
  asked(row) {
    const what = textIn(row, 'text' in row.values ? 'text' : 'prompt');
    return `You are an expert Python programmer, and here is your task: ${what} Your code should pass these tests:\n\n${lines(row, 'test_list')}\n`;
  },
  expected(row) {
    refuseInputs(row);
    return textIn(row, 'code').replaceAll('\r', '');
  },
  judge(row, output, tools) {
    const imports = 'test_imports' in row.values ? lines(row, 'test_imports') : '';
    const setup = 'test_setup_code' in row.values ? textIn(row, 'test_setup_code').replaceAll('\r', '') : '';
    return run(tools, {
      output: answered(output),
      prompt: '',
      entry: null,
      setup: `${imports}\n${setup}\n`,
      trusted: imports,
      tests: `${setup}\n${('test' in row.values ? textIn(row, 'test') : lines(row, 'test_list')).replaceAll('\r', '')}\n`,
      reference: 'code' in row.values ? textIn(row, 'code').replaceAll('\r', '') : '',
    });
  },
};

/** A list of lines of Python. */
function lines(row: Row, column: string): string {
  const value = columnIn(row, column);
  if (Array.isArray(value) && value.every(line => typeof line === 'string')) return value.join('\n');
  throw rowError('bad-data', row, `column ${JSON.stringify(column)} is not a list of lines of Python.`);
}
