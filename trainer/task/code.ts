/** Programs in generated text, found as PiSSA does (code_process.py), and the tasks that run them: HumanEval and MBPP. */
import {columnIn, type Row, rowError, textIn} from '../data/row.ts';
import type {Judged, Task, Tools} from './task.ts';

/** Where Codex's evaluation stops a completion (Chen et al. 2021, section 2.1 and its data). */
const nextStatement = /\n(?=class |def |#|if |print\(|@)/;

/** What closes an answer in MBPP's prompt (Austin et al. 2021). */
const done = '[DONE]';

/** The Python in an output: the first fenced block, else the whole text; up to its own tests and examples. */
export function programIn(output: string): string {
  let text = output.replaceAll('\r', '').split(done)[0]!.replace('[BEGIN]', '');
  const fence = /```(?:python|py)?[ \t]*\n/.exec(text);
  if (fence) text = text.slice(fence.index + fence[0].length).split('\n```')[0]!;
  else if (/^\n*[ \t]/.test(text) && text.trim() !== '') text = text.split(nextStatement)[0]!;
  return text.split(/^(?:if __name__ == ["']__main__["']:|# Example usage|assert\b)/m)[0]!.trimEnd();
}

async function run(
  tools: Tools,
  extracted: string,
  problem: {program: string; trusted: string; tests: string; reference: string},
): Promise<Judged> {
  const {passed, reason} = await tools.sandbox().run(problem);
  return {extracted, verdict: passed, ...(passed ? {} : {reason})};
}

/** HumanEval (Chen et al. 2021): the prompt is completed, and its `check` calls the completed function. */
export const humaneval: Task = {
  stop: [done],
  asked: row => `Complete the following Python function:\n\n${textIn(row, 'prompt')}`,
  expected: row => textIn(row, 'canonical_solution'),
  judge(row, output, tools) {
    const prompt = textIn(row, 'prompt');
    const entry = textIn(row, 'entry_point');
    const extracted = programIn(output);
    return run(tools, extracted, {
      program: `${prompt}${extracted}\n`,
      trusted: `${prompt}    pass\n`,
      tests: `${textIn(row, 'test')}\ncheck(${entry})\n`,
      reference: `def ${entry}(): pass`,
    });
  },
};

/** MBPP (Austin et al. 2021), both files: the full one has `text`, the hand-verified one `prompt` and `test_imports`. */
export const mbpp: Task = {
  stop: [done],
  asked(row) {
    const what = textIn(row, 'text' in row.values ? 'text' : 'prompt');
    return `You are an expert Python programmer, and here is your task: ${what} Your code should pass these tests:\n\n${lines(row, 'test_list')}\n`;
  },
  expected: row => textIn(row, 'code').replaceAll('\r', ''),
  judge(row, output, tools) {
    const extracted = programIn(output);
    return run(tools, extracted, {
      program: extracted,
      trusted: 'test_imports' in row.values ? lines(row, 'test_imports') : '',
      tests:
        `${'test_setup_code' in row.values ? textIn(row, 'test_setup_code') : ''}\n${lines(row, 'test_list')}\n`.replaceAll(
          '\r',
          '',
        ),
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
