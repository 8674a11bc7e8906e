/**
 * The long checks of the tasks, on whole data sets: `npm run test:tasks -- FOLDER`, where FOLDER holds humaneval/HumanEval.jsonl,
 * mbpp/mbpp.jsonl, mbpp/sanitized-mbpp.jsonl, gsm8k/{train,test}.jsonl and math500/math500.jsonl. Without a folder: the
 * hostile programs only. The last line says whether all held.
 */
import {join} from 'node:path';
import {readRows} from '../../../trainer/data/read/rows.ts';
import {humaneval, mbpp} from '../../../trainer/task/code.ts';
import {gsm8k} from '../../../trainer/task/mathematics/gsm8k.ts';
import {math} from '../../../trainer/task/mathematics/math.ts';
import {openProgramFinder} from '../../../trainer/task/programs.ts';
import {openSandbox} from '../../../trainer/task/sandbox/sandbox.ts';
import type {Task} from '../../../trainer/task/task.ts';
import {verdictsOfCpython} from './cpython.ts';
import {runHostile} from './hosting.ts';
import {answersInShapes, impossibleInSandbox} from './in-shapes.ts';
import {breakingPrograms} from './programs/breakers.ts';
import {fakePrograms} from './programs/fakes.ts';
import {honestProblems} from './programs/honest.ts';
import {hostilePrograms} from './programs/hostile.ts';

const isImpossible = (name: string): boolean => impossibleInSandbox.some(({solution}) => solution === name);

const folder = process.argv[2];
let failed = 0;

async function goldAnswers(name: string, task: Task, files: string[], isWanted = (_id: number) => true): Promise<void> {
  const began = performance.now();
  const sandbox = openSandbox();
  const programs = openProgramFinder();
  const tools = {
    sandbox: () => sandbox,
    programs: () => programs,
    scorer: () => {
      throw new Error('no scorer here');
    },
  };
  const judged: Promise<boolean | 'known'>[] = [];
  for await (const row of readRows(files.map(file => join(folder!, file)))) {
    if (!isWanted(Number(row.values['task_id']))) continue;
    const known = isImpossible(`${task === mbpp ? 'MBPP ' : ''}${row.values['task_id']}`);
    judged.push(
      Promise.resolve(task.judge(row, task.expected(row), tools)).then(({verdict, reason, extracted}) => {
        if (verdict === true) return true;
        const remark = known ? ', known to be impossible in the sandbox' : '';
        console.log(`${name} line ${row.line}: ${reason ?? `extracted ${extracted}`}${remark}`);
        return known ? 'known' : false;
      }),
    );
  }
  const verdicts = await Promise.all(judged);
  const right = verdicts.filter(verdict => verdict === true).length;
  sandbox.close();
  programs.close();
  failed += verdicts.filter(verdict => verdict === false).length;
  console.log(`${name}: ${right} of ${judged.length} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** What fails as it stands is asked in no shape; it has to be one of those that are known to be impossible in the sandbox. */
async function inShapes(name: string, task: Task, file: string, isWanted: (id: number) => boolean): Promise<void> {
  const began = performance.now();
  const nameOf = (id: unknown) => (task === humaneval ? String(id) : isWanted(Number(id)) ? `MBPP ${id}` : undefined);
  const {wrong, impossible, texts, programs} = await answersInShapes(task, join(folder!, file), nameOf);
  const unexpected = impossible.filter(line => !isImpossible(line.slice(0, line.indexOf(':'))));
  for (const line of [...wrong, ...unexpected]) console.log(line);
  failed += wrong.length + unexpected.length;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `${name} in shapes: ${texts - wrong.length} of ${texts} texts right by ${programs} programs, ${impossible.length} solutions left out, ${seconds} s`,
  );
}

const began = performance.now();
const {reports, connections, aliveAfter} = await runHostile(
  [...hostilePrograms, ...fakePrograms, ...breakingPrograms],
  ({name, reason, seconds}) => console.log(`${seconds.toFixed(1)} s  ${name}: ${reason}`),
);
const bad = reports.filter(({passed, untouched}) => passed || !untouched);
for (const report of bad) console.log(`FAILED ${JSON.stringify(report)}`);
failed += bad.length + connections + (aliveAfter ? 0 : 1);
console.log(
  `hostile: ${reports.length - bad.length} of ${reports.length} held, ${connections} connections, longest ${Math.max(...reports.map(({seconds}) => seconds)).toFixed(1)} s, ${((performance.now() - began) / 1000).toFixed(0)} s in all`,
);
const told = verdictsOfCpython(honestProblems);
if (told === undefined) console.log('honest programs are not compared with CPython: there is no python3 here');
else {
  const different = honestProblems.filter(({passes}, i) => told[i] !== passes);
  for (const {what} of different) console.log(`CPython judges otherwise: ${what}`);
  failed += different.length;
  console.log(`honest: ${honestProblems.length - different.length} of ${honestProblems.length} as CPython judges them`);
}
if (folder !== undefined) {
  await goldAnswers('GSM8K', gsm8k, ['gsm8k/train.jsonl', 'gsm8k/test.jsonl']);
  await goldAnswers('MATH-500', math, ['math500/math500.jsonl']);
  await goldAnswers('HumanEval', humaneval, ['humaneval/HumanEval.jsonl']);
  const isTest = (id: number) => id > 10 && id < 511;
  await goldAnswers('MBPP, sanitized', mbpp, ['mbpp/sanitized-mbpp.jsonl'], isTest);
  await goldAnswers('MBPP', mbpp, ['mbpp/mbpp.jsonl'], isTest);
}
if (folder !== undefined) {
  await inShapes('HumanEval', humaneval, 'humaneval/HumanEval.jsonl', () => true);
  await inShapes('MBPP', mbpp, 'mbpp/mbpp.jsonl', id => id > 10 && id < 511);
}
console.log(failed === 0 ? 'all held' : `${failed} did not hold`);
process.exitCode = failed === 0 ? 0 : 1;
