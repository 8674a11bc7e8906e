import {appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it, vi} from 'vitest';
import {Follower} from '../../client/run/follow.ts';
import {seldomMilliseconds} from '../../client/run/follow-tasks.ts';
import {grouped} from '../../core/grouped.ts';
import {interrupted} from '../../core/run/fold.ts';
import {formatLine} from '../../core/run/line.ts';
import {attemptName} from '../../core/run/tasks/names.ts';
import {mergeTasks} from '../../trainer/store/tasks/merge.ts';
import {readFolder} from '../../trainer/store/tasks/read-folder.ts';
import {attemptsOf, chance, planOf, shuffled} from '../trainer/store/tasks/world.ts';

const home = mkdtempSync(join(tmpdir(), 'follow-tasks-'));
afterAll(() => rmSync(home, {recursive: true, force: true}));

describe('a run of tasks as the editor follows it', () => {
  it.each([1, 2, 3, 4, 5, 6])('is what its folder holds, while files grow and are merged (%i)', async seed => {
    const random = chance(seed);
    const plan = planOf(['lora', 'pissa', 'dora']);
    const attempts = attemptsOf(plan, random);
    const folder = join(home, `run-${seed}`);
    mkdirSync(join(folder, 'events'), {recursive: true});
    writeFileSync(join(folder, 'events.jsonl'), formatLine(plan));
    const follower = new Follower(folder);
    await follower.read();
    expect(follower.hasTasks).toBe(true);
    const same = async (one: Follower) => {
      await one.read();
      const {state} = await readFolder(folder);
      const running = new Set(state.tasks.flatMap(({task, state: how}) => (how === 'running' ? [task] : [])));
      // Whatever runs grew a moment ago.
      expect(one.state(false)).toEqual(interrupted(state, task => running.has(task)));
    };
    // Tasks side by side, the attempts of each one after another.
    const queues = grouped(attempts, ({task}) => task);
    const lines = [...queues.values()].map(own =>
      own.flatMap(one => one.lines.map(line => [attemptName(one), line] as const)),
    );
    const order = shuffled(
      lines.flatMap((own, k) => own.map(() => k)),
      random,
    );
    for (const k of order) {
      const [name, line] = lines[k]!.shift()!;
      const cut = Math.floor(random() * line.length);
      appendFileSync(join(folder, 'events', name), line.slice(0, cut));
      if (random() < 0.1) await follower.read();
      appendFileSync(join(folder, 'events', name), line.slice(cut));
      if (random() < 0.1) await mergeTasks(folder);
      if (random() < 0.1) await same(follower);
    }
    await same(follower);
    await same(new Follower(folder));
    await mergeTasks(folder);
    rmSync(join(folder, 'events'), {recursive: true});
    const merged = new Follower(folder);
    await merged.read();
    expect(merged.state(false)).toEqual(interrupted((await readFolder(folder)).state));
  });

  it('looks seldom at the files of tasks that have ended, and at once at a further attempt', async () => {
    const plan = planOf(['lora']);
    const folder = join(home, 'ended');
    const file = (attempt: number) => join(folder, 'events', `t0001.a${attempt}.jsonl`);
    mkdirSync(join(folder, 'events'), {recursive: true});
    writeFileSync(join(folder, 'events.jsonl'), formatLine(plan));
    const begun = (attempt: number) =>
      formatLine({
        ...{event: 'task-started', at: 10, task: 't0001', attempt, host: `h${attempt}`, engine: 'cpu', workers: 1},
        selected: [],
      });
    const ended = formatLine({event: 'task-ended', at: 20, task: 't0001', attempt: 1, state: 'stopped', seconds: 1});
    const note = formatLine({event: 'note', at: 30, message: 'a late word'});
    writeFileSync(file(1), begun(1) + ended);
    vi.useFakeTimers({toFake: ['performance']});
    try {
      const follower = new Follower(folder);
      const notes = async () => {
        await follower.read();
        return follower.state(false).notes;
      };
      expect(await notes()).toEqual([]);
      appendFileSync(file(1), note);
      expect(await notes()).toEqual([]);
      vi.advanceTimersByTime(seldomMilliseconds);
      expect(await notes()).toEqual(['a late word']);
      writeFileSync(file(2), begun(2));
      await follower.read();
      expect(follower.state(false).tasks[0]).toMatchObject({attempt: 2, host: 'h2'});
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves out files of tasks that it does not have, as its folder is read', async () => {
    const plan = planOf(['lora']);
    const folder = join(home, 'strange');
    mkdirSync(join(folder, 'events'), {recursive: true});
    writeFileSync(join(folder, 'events.jsonl'), formatLine(plan));
    const line = (attempt: number) =>
      formatLine({
        ...{event: 'task-started', at: 10, task: 't9999', attempt, host: 'h', engine: 'cpu', workers: 1},
        selected: [],
      });
    const follower = new Follower(folder);
    for (const attempt of [1, 2]) writeFileSync(join(folder, `events/t9999.a${attempt}.jsonl`), line(attempt));
    await follower.read();
    appendFileSync(join(folder, 'events/t9999.a1.jsonl'), line(1));
    await follower.read();
    expect(follower.state(false)).toEqual((await readFolder(folder)).state);
  });
});
