import {spawn} from 'node:child_process';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {readRows} from '../../../trainer/data/read/rows.ts';
import {humaneval, mbpp} from '../../../trainer/task/code.ts';
import {openProgramFinder} from '../../../trainer/task/programs.ts';
import {openSandbox} from '../../../trainer/task/sandbox/sandbox.ts';
import type {Task} from '../../../trainer/task/task.ts';
import {runHostile} from './hosting.ts';
import {breakingPrograms} from './programs/breakers.ts';
import {fakePrograms} from './programs/fakes.ts';
import {honestProblems} from './programs/honest.ts';
import {hostilePrograms} from './programs/hostile.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/tasks/', import.meta.url));

it.each([
  ['HumanEval', humaneval, 'humaneval-first-20.jsonl'],
  ['MBPP', mbpp, 'mbpp-17.jsonl'],
] as [string, Task, string][])('the solutions of %s pass their tests', async (_, task, file) => {
  const sandbox = openSandbox();
  const programs = openProgramFinder();
  const judged: Promise<unknown>[] = [];
  for await (const row of readRows([join(fixtures, file)])) {
    const tools = {sandbox: () => sandbox, programs: () => programs, scorer: () => expect.unreachable()};
    judged.push(Promise.resolve(task.judge(row, task.expected(row), tools)).then(({verdict}) => verdict));
  }
  expect(await Promise.all(judged)).toEqual(judged.map(() => true));
  sandbox.close();
  programs.close();
});

it('hostile programs are stopped, touch nothing and pass nothing', async () => {
  // The first that takes all time waits for its limit; most others end at once.
  const names = ['pretends', 'ends early', 'reaches', 'calls out'];
  const some = hostilePrograms.filter(
    ({name}) => names.some(start => name.startsWith(start)) && /\((1|2|4|6|7)\)/.test(name),
  );
  const programs = [hostilePrograms[3]!, ...some, ...fakePrograms, ...breakingPrograms];
  const {reports, connections, aliveAfter} = await runHostile(programs);
  expect(reports.length).toBe(programs.length);
  expect(fakePrograms.length).toBeGreaterThanOrEqual(20);
  expect(reports.length).toBeGreaterThan(78);
  expect(reports.filter(({passed}) => passed)).toEqual([]);
  expect(reports.filter(({untouched}) => !untouched)).toEqual([]);
  expect([connections, aliveAfter]).toEqual([0, true]);
});

it('honest programs have the verdict that CPython gives them', async () => {
  const sandbox = openSandbox();
  const judged = honestProblems.map(async ({what, passes, ...problem}) => {
    const {passed, reason} = await sandbox.run(problem);
    return passed === passes ? [] : [`${what}: ${passed ? 'passed' : reason}`];
  });
  expect((await Promise.all(judged)).flat()).toEqual([]);
  sandbox.close();
});

it('a program is stopped after its own time, not after the time that a full machine takes for it', async () => {
  const sandbox = openSandbox(1);
  const problem = {trusted: '', tests: 'assert f() == 1', reference: 'def f(): pass'};
  // Half a second of work or so, on a machine where eight more processes want each processor.
  const busy = Array.from({length: 8 * availableParallelism()}, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], {stdio: 'ignore'}),
  );
  try {
    const work = 'def f():\n  for _ in range(8_000_000): pass\n  return 1';
    expect(await sandbox.run({...problem, program: work})).toMatchObject({passed: true, reason: ''});
  } finally {
    for (const child of busy) child.kill('SIGKILL');
  }
  for (const program of ['def f():\n  while True: pass', 'import time\ndef f(): time.sleep(1000)'])
    expect(await sandbox.run({...problem, program})).toMatchObject({passed: false, reason: 'stopped after 3 s'});
  sandbox.close();
});
