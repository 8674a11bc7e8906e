import {appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {RunEvent} from '../../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../../core/run/fold.ts';
import {formatLine, readLine} from '../../../../core/run/line.ts';
import {joined, taskPlan} from '../../../../core/run/tasks/join.ts';
import {attemptName} from '../../../../core/run/tasks/names.ts';
import {mergeTasks} from '../../../../trainer/store/tasks/merge.ts';
import {readFolder} from '../../../../trainer/store/tasks/read-folder.ts';
import {testFolder} from '../../test-folder.ts';
import {type AttemptLines, attemptsOf, chance, planOf, shuffled, writeFolder} from './world.ts';

const home = testFolder();
const seeds = Array.from({length: 30}, (_, k) => k + 1);

const eventsOf = ({lines}: AttemptLines): RunEvent[] => lines.flatMap(line => readLine(line.trim()).event ?? []);

/** The run as it is defined: its plan and then each attempt after another. */
function defined(plan: RunEvent, attempts: readonly AttemptLines[]): RunState {
  const merged: RunEvent = {event: 'merged', at: 0, files: {}};
  return foldAll(emptyRun, [plan, ...attempts.flatMap(eventsOf), merged]);
}

function world(seed: number) {
  const random = chance(seed);
  const plan = planOf(['lora', 'pissa', 'dora'], seed % 2 === 0 ? 3 : undefined);
  return {random, plan, attempts: attemptsOf(plan, random), folder: join(home, `world-${seed}`)};
}

describe('a run of tasks', () => {
  it.each(seeds)('is the same in whatever order its tasks are joined (%i)', seed => {
    const {random, plan, attempts} = world(seed);
    const start = foldAll(emptyRun, [plan]);
    const parts = plan.tasks!.map(({task}) => {
      const own = attempts.filter(one => one.task === task);
      return foldAll(taskPlan(start, task), own.flatMap(eventsOf));
    });
    const expected = defined(plan, attempts);
    for (let round = 0; round < 5; round++) expect(joined(start, shuffled(parts, random))).toEqual(expected);
  });

  it.each(seeds)('is read alike before and after merges, with torn and with late lines (%i)', async seed => {
    const {random, plan, attempts, folder} = world(seed);
    writeFolder(folder, plan, []);
    expect((await readFolder(folder)).state).toEqual(defined(plan, []));
    // Files grow side by side, some merged while others go on.
    const grown = attempts.map(one => ({...one, lines: [] as string[]}));
    const left = shuffled(
      attempts.flatMap((one, k) => one.lines.map(() => k)),
      random,
    );
    for (const k of left) {
      const line = attempts[k]!.lines[grown[k]!.lines.length]!;
      // A line is seen half written.
      const cut = Math.floor(random() * line.length);
      const file = join(folder, 'events', attemptName(attempts[k]!));
      appendFileSync(file, line.slice(0, cut));
      if (random() < 0.05) await mergeTasks(folder);
      appendFileSync(file, line.slice(cut));
      grown[k]!.lines.push(line);
      if (random() < 0.05) {
        // No attempt begins before the one before it has its file; one without a line says nothing.
        const there = grown.filter(one => one.lines.length > 0);
        expect((await readFolder(folder)).state).toEqual(defined(plan, there));
      }
    }
    for (const one of attempts) appendFileSync(join(folder, 'events', attemptName(one)), one.torn);
    const expected = defined(plan, attempts);
    expect((await readFolder(folder)).state).toEqual(expected);
    await mergeTasks(folder);
    const once = readFileSync(join(folder, 'events.jsonl'), 'utf8');
    expect((await readFolder(folder)).state).toEqual(expected);
    await mergeTasks(folder);
    const untimed = (text: string) => text.replace(/"at":\d+,"files"/, '"files"');
    expect(untimed(readFileSync(join(folder, 'events.jsonl'), 'utf8'))).toBe(untimed(once));
    // The one file is the whole run.
    rmSync(join(folder, 'events'), {recursive: true});
    expect((await readFolder(folder)).state).toEqual(expected);
    const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
    expect(
      foldAll(
        emptyRun,
        lines.flatMap(line => readLine(line).event ?? []),
      ),
    ).toEqual(expected);
    await mergeTasks(folder);
    expect((await readFolder(folder)).state).toEqual(expected);
  });

  it('says of a merge which lines of which file are left out', async () => {
    const plan = planOf(['lora']);
    const folder = join(home, 'broken');
    writeFolder(folder, plan, attemptsOf(plan, chance(3)).slice(0, 1));
    const name = readdirSync(join(folder, 'events'))[0]!;
    expect((await mergeTasks(folder)).unreadable).toEqual({});
    appendFileSync(join(folder, 'events', name), '\n{"event":\n???\n{"event": "step"');
    const {unreadable, remarks} = await mergeTasks(folder);
    expect(unreadable).toEqual({[`events/${name}`]: 2});
    expect(remarks).toEqual([
      expect.stringMatching(new RegExp(`^Lines \\d+, \\d+ of events/${name} are unreadable and left out\\.$`)),
    ]);
    // Whoever repeats it hears it again: the files are there still.
    expect((await mergeTasks(folder)).unreadable).toEqual(unreadable);
  });

  it('keeps of a later attempt what it says, whatever an earlier one still writes', async () => {
    const plan = planOf(['lora']);
    const folder = join(home, 'zombie');
    const [id] = plan.tasks![0]!.trials as [string];
    const start = (attempt: number): RunEvent => ({
      ...{event: 'task-started', at: 10, task: 't0001', attempt, host: `node${attempt}`, engine: 'cpu'},
      ...{workers: 1, selected: [id]},
    });
    const begun = (from?: number): RunEvent => ({
      ...{event: 'trial-started', at: 11, trial: id, steps: 6, worker: 0, ...(from === undefined ? {} : {from})},
    });
    const step = (number: number, loss: number): RunEvent => ({
      ...{event: 'step', at: 12, trials: [id], step: number, losses: [loss], rates: [1e-3], gradNorms: [1]},
    });
    const lines = (events: RunEvent[]) => events.map(formatLine);
    const first = {task: 't0001', attempt: 1, lines: lines([start(1), begun(), step(1, 5)]), torn: ''};
    const second = {task: 't0001', attempt: 2, lines: lines([start(2), begun(1), step(2, 7)]), torn: ''};
    writeFolder(folder, plan, [first, second]);
    await mergeTasks(folder);
    appendFileSync(join(folder, 'events/t0001.a1.jsonl'), lines([step(2, 100), step(3, 100)]).join(''));
    const {state} = await readFolder(folder);
    expect(state.trials[0]).toMatchObject({steps: 2, loss: 7, losses: {means: [5, 7]}});
    expect(state.tasks[0]).toMatchObject({attempt: 2, host: 'node2', state: 'running'});
  });

  it('says of which file a line is torn or no event', async () => {
    const {plan, attempts, folder} = world(1000);
    writeFolder(folder, plan, attempts.length > 0 ? attempts : attemptsOf(plan, chance(7)));
    writeFileSync(join(folder, 'events/t0001.a9.jsonl'), 'nonsense\n{"event":"st');
    const {remarks, garbage} = await readFolder(folder);
    expect(garbage).toBe(1);
    expect(remarks.filter(one => one.includes('events/t0001.a9.jsonl'))).toHaveLength(2);
  });
});
