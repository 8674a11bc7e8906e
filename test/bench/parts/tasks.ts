/** A run of a thousand tasks: how long its folder takes to be read, by whoever wants to know how it stands. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll} from '../../../core/run/fold.ts';
import {formatLine} from '../../../core/run/line.ts';
import {taskPlan} from '../../../core/run/tasks/join.ts';
import {type Task, tasksOf} from '../../../core/run/tasks/tasks.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {Snapshots} from '../../../trainer/store/fold/snapshots.ts';
import {readFolder} from '../../../trainer/store/tasks/read-folder.ts';
import {attemptFile} from '../../../trainer/store/tasks/task-files.ts';
import {taskSnapshotFile, taskSnapshotFrom} from '../../../trainer/store/tasks/task-snapshot.ts';
import type {Part, Section} from '../pages/part.ts';

const [number, rates, steps] = [1000, 12, 100];

export const tasks: Part = {
  summary: 'a run of a thousand tasks, read with and without the snapshots that they leave',
  leftOut: undefined,
  async measure(): Promise<Section[]> {
    const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-tasks-'));
    try {
      const bytes = write(folder);
      const brief = await timed(() => readFolder(folder, undefined, true));
      const whole = await timed(() => readFolder(folder));
      const seconds = ({wall, processor}: Timing) => [`${wall.toFixed(1)} s`, `${processor.toFixed(1)} s`];
      return [
        {
          title: 'A run of a thousand tasks',
          introduction: `${number} tasks of ${rates} trials with ${steps} steps each, all finished: ${(bytes / 1e6).toFixed(0)} MB of events in ${number} files.`,
          table: [
            ['read', 'time', 'processor time'],
            ['how it stands (`status`, `cancel`, the relay), from snapshots', ...seconds(brief)],
            ['everything, curves too (`show`, `report`)', ...seconds(whole)],
          ],
          sentences: [
            'The best of three readings each; other work on the machine lengthens the time, not the processor time.',
          ],
        },
      ];
    } finally {
      rmSync(folder, {recursive: true, force: true});
    }
  },
};

interface Timing {
  wall: number;
  processor: number;
}

async function timed(work: () => Promise<unknown>): Promise<Timing> {
  let best: Timing = {wall: Infinity, processor: Infinity};
  for (let round = 0; round < 3; round++) {
    const [began, before] = [performance.now(), process.cpuUsage()];
    await work();
    const {user, system} = process.cpuUsage(before);
    const now = {wall: (performance.now() - began) / 1000, processor: (user + system) / 1e6};
    if (now.wall < best.wall) best = now;
  }
  return best;
}

/** The folder as such a run leaves it; bytes of its events. */
function write(folder: string): number {
  const trials: Trial[] = Array.from({length: number * rates}, (_, k) => {
    const rank = 1 + Math.floor(k / rates);
    const learningRate = 1e-5 * 2 ** (k % rates);
    const id = `lora-r${rank}-b8-lr${learningRate.toExponential(2)}-s1`;
    return {id, method: 'lora', rank, alpha: 8, batchSize: 8, learningRate, seed: 1};
  });
  const all = tasksOf(trials);
  const plan: RunEvent = {
    ...{event: 'run-started', at: 0, name: 'thousand', trials, engine: 'compiled', reason: '', workers: 0},
    ...{resumed: false, steps: {'8': steps}, tasks: all},
  };
  mkdirSync(join(folder, 'events'));
  writeFileSync(join(folder, 'events.jsonl'), formatLine(plan));
  const start = foldAll(emptyRun, [plan]);
  let bytes = 0;
  for (const task of all) {
    const events = eventsOf(task);
    const attempt = {task: task.task, attempt: 1};
    const file = attemptFile(folder, attempt);
    const text = events.map(formatLine).join('');
    writeFileSync(file, text);
    bytes += text.length;
    const place = {file: taskSnapshotFile(folder, attempt), events: file, from: taskSnapshotFrom, before: []};
    const snapshots = new Snapshots(place, taskPlan(start, task.task));
    for (const event of events) snapshots.add(event);
    snapshots.write(text.length, true);
  }
  return bytes;
}

function eventsOf({task, trials}: Task): RunEvent[] {
  let at = 0;
  const events: RunEvent[] = [];
  const tell = (body: RunEventBody) => {
    at += 700;
    events.push({...body, at});
  };
  tell({...{event: 'task-started', task, attempt: 1, host: 'node1', engine: 'compiled'}, workers: 1, selected: trials});
  for (const id of trials) {
    tell({event: 'trial-started', trial: id, steps, worker: 0});
    for (let step = 1; step <= steps; step++) {
      const [loss, norm] = [1 + Math.sin(step) ** 2, Math.cos(step) ** 2];
      tell({event: 'step', trials: [id], step, losses: [loss], rates: [1e-5 * step], gradNorms: [norm], tokens: [300]});
    }
    tell({event: 'trial-ended', trial: id, state: 'finished', steps, tail: 1, seconds: 70});
  }
  tell({event: 'task-ended', task, attempt: 1, state: 'finished', seconds: 900});
  return events;
}
