import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {RunEvent} from '../../../../core/run/events.ts';
import {emptyRun, fold} from '../../../../core/run/fold.ts';
import {formatLine} from '../../../../core/run/line.ts';
import {taskPlan} from '../../../../core/run/tasks/join.ts';
import {ownMark} from '../../../../trainer/process/processes.ts';
import {mergeTasks} from '../../../../trainer/store/tasks/merge.ts';
import {openTasks, type TaskOptions} from '../../../../trainer/store/tasks/open-tasks.ts';
import type {Plan} from '../../../../trainer/store/tasks/plan-file.ts';
import {claim} from '../../../../trainer/store/tasks/task-files.ts';
import {whenFree} from '../../../../trainer/store/tasks/waiting.ts';
import {until} from '../../../e2e/until.ts';
import {testFolder} from '../../test-folder.ts';
import {planOf} from './world.ts';

const home = testFolder();

/** A folder with a plan of two tasks of four trials each. */
function planned(name: string): {folder: string; plan: Plan} {
  const folder = join(home, name);
  const pinned = {engine: 'cpu', precision: 'float32', microBatch: {}, recompute: false, steps: {}} as const;
  const event = {...planOf(['lora', 'pissa']), pinned} as unknown as Plan['event'];
  mkdirSync(join(folder, 'events'), {recursive: true});
  writeFileSync(join(folder, 'events.jsonl'), formatLine(event));
  return {folder, plan: {event, state: fold(emptyRun, event)}};
}

function opening({folder, plan}: ReturnType<typeof planned>, more: Partial<TaskOptions> = {}) {
  return openTasks({
    ...{folder, plan, tasks: ['t0001'], notes: [], job: undefined, engine: 'cpu', workers: 1},
    ...{signal: new AbortController().signal, stored: () => {}, failed: () => {}, waits: () => {}},
    ...more,
  });
}

describe('a task', () => {
  it('whose last attempt ended before its first line is free once that is silent', async () => {
    const {folder, plan} = planned('empty');
    claim(folder, 't0001');
    const free = whenFree(folder, taskPlan(plan.state, 't0001'), {
      ...{job: undefined, signal: AbortSignal.timeout(60_000), silent: 400},
      waits: () => {},
    });
    expect(await free).toBe(1);
  });

  it('that waits for another one gives signs of life, and notices when it is taken over', async () => {
    const run = planned('waits');
    claim(run.folder, 't0002');
    // Somebody who lives works on the second one.
    const started = {...{event: 'task-started', at: 10, task: 't0002', attempt: 1, host: 'h', process: ownMark()!}};
    writeFileSync(
      join(run.folder, 'events/t0002.a1.jsonl'),
      formatLine({...started, engine: 'cpu', workers: 1, selected: []} as RunEvent),
    );
    const stop = new AbortController();
    const faults: unknown[] = [];
    const opened = opening(run, {
      ...{tasks: ['t0001', 't0002'], beat: 20, signal: stop.signal},
      failed: error => void faults.push(error),
    }).catch(error => error);
    const own = join(run.folder, 'events/t0001.a1.jsonl');
    const beats = () => (existsSync(own) ? readFileSync(own, 'utf8').split('"resources"').length - 1 : 0);
    await until('three beats', () => beats() >= 3);
    expect(faults).toEqual([]);
    claim(run.folder, 't0001');
    await until('word of who took it over', () => faults.length > 0);
    expect(faults[0]).toMatchObject({code: 'superseded'});
    stop.abort();
    expect(await opened).toMatchObject({code: 'stopped'});
  });

  it('that two processes want at once is had by one; the other waits', async () => {
    const run = planned('race');
    const stop = new AbortController();
    const waits = () => stop.abort();
    const both = await Promise.allSettled([
      opening(run, {signal: stop.signal, waits}),
      opening(run, {signal: stop.signal, waits}),
    ]);
    for (const one of both) if (one.status === 'fulfilled') one.value!.close();
    expect(both.map(({status}) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({status}) => status === 'rejected')).toMatchObject({reason: {code: 'stopped'}});
    expect(readdirSync(join(run.folder, 'events'))).toEqual(['t0001.a1.jsonl']);
  });

  it('of which only the merged file tells is not begun anew in its place', async () => {
    const run = planned('merged');
    const [id] = run.plan.event.tasks[0]!.trials as [string];
    const store = (await opening(run, {tasks: ['t0001', 't0002']}))!;
    store.append({event: 'trial-started', trial: id, steps: 6, worker: 0});
    store.append({event: 'trial-ended', trial: id, state: 'finished', steps: 6, tail: 0.2, seconds: 1});
    for (const trial of run.plan.event.tasks[1]!.trials) {
      store.append({event: 'trial-started', trial, steps: 6, worker: 0});
      store.append({event: 'trial-ended', trial, state: 'finished', steps: 6, tail: 0.2, seconds: 1});
    }
    store.append({event: 'run-ended', state: 'stopped', seconds: 2});
    store.close();
    const again = (await opening(run, {tasks: ['t0002']}))!;
    again.append({event: 'run-ended', state: 'finished', seconds: 2});
    again.close();
    await mergeTasks(run.folder);
    rmSync(join(run.folder, 'events'), {recursive: true});
    expect(await opening(run, {tasks: ['t0002']})).toBeNull();
    await expect(opening(run)).rejects.toMatchObject({code: 'files-gone'});
  });

  it('with the last number that is read gets no attempt that nobody would see', () => {
    const {folder} = planned('last');
    writeFileSync(join(folder, 'events/t0001.a999999999.jsonl'), '');
    expect(() => claim(folder, 't0001')).toThrow(/no number for the next attempt of t0001/);
    expect(readdirSync(join(folder, 'events'))).toEqual(['t0001.a999999999.jsonl']);
  });
});
