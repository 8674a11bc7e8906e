import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {readRows} from '../../../trainer/data/rows.ts';
import {humaneval, mbpp} from '../../../trainer/task/code.ts';
import {openProgramFinder} from '../../../trainer/task/programs.ts';
import {limitMilliseconds, openSandbox} from '../../../trainer/task/sandbox/sandbox.ts';
import type {Task} from '../../../trainer/task/task.ts';
import {hostilePrograms} from './hostile.ts';
import {runHostile} from './hosting.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/tasks/', import.meta.url));

it.each([
  ['HumanEval', humaneval, 'humaneval-first-20.jsonl'],
  ['MBPP', mbpp, 'mbpp-17.jsonl'],
] as [string, Task, string][])(
  'the solutions of %s pass their tests',
  async (_, task, file) => {
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
  },
  120_000,
);

it('hostile programs are stopped, touch nothing and pass nothing', async () => {
  // The first that takes all time waits for its limit; most others end at once.
  const names = ['pretends', 'ends early', 'reaches', 'calls out'];
  const some = hostilePrograms.filter(
    ({name}) => names.some(start => name.startsWith(start)) && /\((1|2|4|6|7)\)/.test(name),
  );
  const {reports, connections, aliveAfter} = await runHostile([hostilePrograms[3]!, ...some]);
  expect(reports.length).toBeGreaterThan(18);
  expect(reports.filter(({passed}) => passed)).toEqual([]);
  expect(reports.filter(({untouched}) => !untouched)).toEqual([]);
  expect(reports.filter(({seconds}) => seconds > limitMilliseconds / 1000 + 2)).toEqual([]);
  expect([connections, aliveAfter]).toEqual([0, true]);
}, 180_000);
