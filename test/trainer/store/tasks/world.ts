/** Runs of tasks as chance makes them: what several machines may leave in a folder. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent, RunEventBody, RunStarted} from '../../../../core/run/events.ts';
import {formatLine} from '../../../../core/run/line.ts';
import {attemptName} from '../../../../core/run/tasks/names.ts';
import {tasksOf} from '../../../../core/run/tasks/tasks.ts';
import type {Trial} from '../../../../core/sweep/sweep.ts';

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32, T. Ettinger, public domain). */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(Math.floor(random() * rest.length), 1)[0]!);
}

const trial = (method: Trial['method'], learningRate: number, seed: number): Trial => ({
  ...{method, rank: 4, alpha: 4, batchSize: 8, learningRate, seed},
  id: `${method}-r4-b8-lr${learningRate.toExponential(2)}-s${seed}`,
});

export const stepsOfTrial = 6;

/** A plan of a few methods, two rates and two seeds each. */
export function planOf(
  methods: readonly Trial['method'][],
  perTask?: number,
): RunStarted & {at: number; tasks: object[]} {
  const trials = methods.flatMap(method => [1e-3, 2e-3].flatMap(rate => [1, 2].map(seed => trial(method, rate, seed))));
  return {
    ...{event: 'run-started', at: 1000, name: 'many', trials, engine: 'cpu', reason: 'r', workers: 1, resumed: false},
    steps: {'8': stepsOfTrial},
    tasks: tasksOf(trials, {perTask}),
  };
}

export interface AttemptLines {
  task: string;
  attempt: number;
  lines: string[];
  /** What a crash left behind the last line. */
  torn: string;
}

/** Attempts of every task, each of which goes as far as chance has it; the last one may reach the end. */
export function attemptsOf(plan: ReturnType<typeof planOf>, random: () => number): AttemptLines[] {
  return tasksIn(plan).flatMap(({task, trials}) => {
    const number = Math.floor(random() * 4);
    const done = new Map<string, number>();
    return Array.from({length: number}, (_, k) => {
      const events = attemptEvents({task, attempt: k + 1, trials}, done, random);
      const torn = random() < 0.3 ? formatLine(events.at(-1)!).slice(0, -9) : '';
      return {task, attempt: k + 1, lines: events.map(formatLine), torn};
    });
  });
}

const tasksIn = ({tasks}: RunStarted) => tasks!;

/** @param done steps up to which a checkpoint of each trial lies; kept up */
function attemptEvents(
  {task, attempt, trials}: {task: string; attempt: number; trials: readonly string[]},
  done: Map<string, number>,
  random: () => number,
): RunEvent[] {
  // Clocks of machines differ.
  let at = Math.floor(5000 + 100_000 * random());
  const events: RunEvent[] = [];
  const tell = (body: RunEventBody) => {
    at += Math.floor(1 + 900 * random());
    events.push({...body, at});
  };
  const host = `node${Math.floor(3 * random())}`;
  tell({event: 'task-started', task, attempt, host, engine: 'cpu', workers: 2, selected: [...trials]});
  tell({event: 'note', message: `rows are cut on ${random() < 0.5 ? 'every' : host} machine`});
  tell({event: 'resources', memoryBytes: Math.floor(1e9 * random())});
  for (const id of trials) {
    const from = done.get(id) ?? 0;
    if (from === stepsOfTrial) continue;
    const to = Math.min(stepsOfTrial, from + Math.floor(random() * (stepsOfTrial + 2)));
    tell({
      event: 'trial-started',
      trial: id,
      steps: stepsOfTrial,
      worker: 0,
      ...(from > 0 ? {from, loss: 1, gradNorm: 1} : {}),
    });
    for (let step = from + 1; step <= to; step++)
      tell({event: 'step', trials: [id], step, losses: [1 / step], rates: [1e-3], gradNorms: [step], tokens: [8]});
    if (to === stepsOfTrial) {
      tell({
        event: 'evaluation',
        trial: id,
        step: to,
        task: 'loss',
        metric: 'loss',
        value: 0.5,
        correct: null,
        total: 3,
      });
      tell({event: 'trial-ended', trial: id, state: 'finished', steps: to, tail: 0.2, seconds: 1});
      done.set(id, to);
    } else if (random() < 0.7) done.set(id, Math.floor(random() * (to + 1)));
    else break;
  }
  const isDone = trials.every(id => done.get(id) === stepsOfTrial);
  if (isDone || random() < 0.5)
    tell({event: 'task-ended', task, attempt, state: isDone ? 'finished' : 'stopped', seconds: 2});
  return events;
}

/** Writes a folder as it would lie there. */
export function writeFolder(folder: string, plan: RunEvent, attempts: readonly AttemptLines[]): void {
  mkdirSync(join(folder, 'events'), {recursive: true});
  writeFileSync(join(folder, 'events.jsonl'), formatLine(plan));
  for (const {lines, torn, ...attempt} of attempts)
    writeFileSync(join(folder, 'events', attemptName(attempt)), lines.join('') + torn);
}
