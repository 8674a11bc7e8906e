import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {beforeEach, expect, it} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {formatLine} from '../../../core/run/line.ts';
import {setAside} from '../../../trainer/store/history/set-aside.ts';
import {askToStop} from '../../../trainer/store/stop-file.ts';
import {planOf} from '../store/tasks/world.ts';
import {testFolder} from '../test-folder.ts';

const home = testFolder();
let folder: string;
let number = 0;
beforeEach(() => {
  folder = join(home, `runs-${number++}`, 'many');
  mkdirSync(folder, {recursive: true});
});

const plan = planOf(['lora']);
const submitted: RunEvent = {event: 'submitted', at: 2000, to: 'slurm', job: '12', tasks: ['t0001'], round: 1};
const write = (...events: RunEvent[]) => writeFileSync(join(folder, 'events.jsonl'), events.map(formatLine).join(''));
const beside = () => readdirSync(join(folder, '..')).sort();

it('a run of tasks goes as a whole, under the time at which it was planned', async () => {
  write(plan);
  mkdirSync(join(folder, 'events'));
  writeFileSync(join(folder, 'events/t0001.a1.jsonl'), '');
  const kept = await setAside(folder);
  expect(basename(kept!)).toMatch(/^many@\d{4}-\d\d-\d\d-\d{4}$/);
  expect(beside()).toEqual([basename(kept!)]);
  expect(readdirSync(kept!).sort()).toEqual(['events', 'events.jsonl']);
  expect(readFileSync(join(kept!, 'events.jsonl'), 'utf8')).toBe(formatLine(plan));
});

it('what a scheduler may still start stays, until somebody has cancelled it', async () => {
  write(plan, submitted);
  await expect(setAside(folder)).rejects.toMatchObject({
    code: 'run-locked',
    message: expect.stringContaining('cancel'),
  });
  expect(beside()).toEqual(['many']);
  askToStop(folder, ['t0001.a1.jsonl']);
  await expect(setAside(folder), 'a part of it').rejects.toMatchObject({code: 'run-locked'});
  askToStop(folder);
  expect(await setAside(folder)).not.toBeNull();
});

it('what has no results is no run to keep, and no folder is made', async () => {
  const {tasks: _, ...alone} = plan;
  write(alone);
  expect(await setAside(folder)).toBeNull();
  expect(beside()).toEqual(['many']);
  expect(await setAside(join(folder, '../nothing'))).toBeNull();
  expect(existsSync(join(folder, '../nothing'))).toBe(false);
});

it('two runs of the same minute have names of their own', async () => {
  const names: string[] = [];
  for (let k = 0; k < 3; k++) {
    mkdirSync(folder, {recursive: true});
    write(plan);
    names.push(basename((await setAside(folder))!));
  }
  expect(names.slice(1)).toEqual([`${names[0]}-2`, `${names[0]}-3`]);
});
