/** Canonical solutions in every shape of answer, through every published tokenizer, judged. */
import {readRows} from '../../../trainer/data/read/rows.ts';
import {openProgramFinder} from '../../../trainer/task/programs.ts';
import {type Outcome, openSandbox, type Problem, type Sandbox} from '../../../trainer/task/sandbox/sandbox.ts';
import type {Task, Tools} from '../../../trainer/task/task.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {answersOf, wrongOf} from '../../text/answered.ts';
import {modelFolder, published} from '../../text/published.ts';

/** Right solutions that the sandbox judges wrong. */
export const impossibleInSandbox = [
  {
    solution: 'MBPP 123',
    reason: 'sums of amicable numbers up to 10,000 by trial division take more than 3 s in WebAssembly',
  },
];

export interface InShapes {
  /** One line a text that was judged wrong. */
  wrong: string[];
  /** Solutions that are wrong as they stand; they are not asked again in shapes. */
  impossible: string[];
  texts: number;
  /** Programs that were run: of a solution every different one once. */
  programs: number;
}

/** Solutions before the next line of progress. */
const toldEvery = 20;

/**
 * Every text is decoded and its program found by itself; programs that are the same to the letter, with the same tests,
 * run once. `name`: of a row in what is told.
 */
export async function answersInShapes(
  task: Task,
  file: string,
  nameOf: (id: unknown) => string | undefined,
): Promise<InShapes> {
  const began = performance.now();
  const tokenizers = published.map(one => openTokenizer(modelFolder(one)));
  const [sandbox, programs] = [openSandbox(), openProgramFinder()];
  const found: InShapes = {wrong: [], impossible: [], texts: 0, programs: 0};
  let solutions = 0;
  for await (const row of readRows([file])) {
    const name = nameOf(row.values['task_id']);
    if (name === undefined) continue;
    const once = runsOnce(sandbox, () => found.programs++);
    const tools: Tools = {sandbox: () => once, programs: () => programs, scorer};
    const {verdict, reason} = await task.judge(row, task.expected(row), tools);
    if (verdict !== true) found.impossible.push(`${name}: ${reason}`);
    else {
      const {wrong, judged} = await wrongOf(answersOf(task, row), tokenizers, tools);
      found.wrong.push(...wrong);
      found.texts += judged;
    }
    if (++solutions % toldEvery !== 0) continue;
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${name}: ${solutions} solutions, ${found.texts} texts, ${found.programs} programs in ${seconds} s`);
  }
  sandbox.close();
  programs.close();
  return found;
}

function scorer(): never {
  throw new Error('no scorer here');
}

/** A sandbox that remembers how each program did. */
function runsOnce(sandbox: Sandbox, ran: () => void): Sandbox {
  const outcomes = new Map<string, Promise<Outcome>>();
  return {
    run(problem: Problem) {
      const key = JSON.stringify(problem);
      const known = outcomes.get(key);
      if (known) return known;
      ran();
      const outcome = sandbox.run(problem);
      outcomes.set(key, outcome);
      return outcome;
    },
    close: () => sandbox.close(),
  };
}
