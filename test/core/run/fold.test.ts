import {describe, expect, it} from 'vitest';
import type {MethodName} from '../../../core/method/methods.ts';
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, fold, interrupted, type RunState} from '../../../core/run/fold.ts';
import {progress} from '../../../core/run/progress.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {toyEvents} from './toy-run.ts';

const trial = (method: MethodName, learningRate: number): Trial => ({
  id: `${method}-${learningRate}`,
  method,
  rank: 8,
  alpha: 8,
  batchSize: 16,
  learningRate,
  seed: 1,
});
const [a, b, c] = [trial('lora', 1e-3), trial('lora', 2e-3), trial('pissa', 1e-3)];

function start(trials: Trial[], resumed = false): RunEventBody {
  return {
    event: 'run-started',
    name: 'x',
    trials,
    engine: 'cpu',
    reason: 'asked for',
    workers: 2,
    resumed,
    steps: {'16': 10},
  };
}
const trialStart = (id: string): RunEventBody => ({event: 'trial-started', trial: id, steps: 10, worker: 0});
const step = (trials: string[], at: number, losses: (number | null)[]): RunEventBody => ({
  event: 'step',
  trials,
  step: at,
  losses,
  rates: trials.map(() => 1e-3),
  gradNorms: losses,
  tokens: trials.map(() => 70),
});
const evaluation = (id: string, at: number, value: number): RunEventBody => ({
  event: 'evaluation',
  trial: id,
  step: at,
  task: 'exact-match',
  metric: 'accuracy',
  value,
  correct: value * 100,
  total: 100,
});
const end = (id: string, state: 'finished' | 'diverged' | 'stopped', steps = 10): RunEventBody => ({
  event: 'trial-ended',
  trial: id,
  state,
  steps,
  seconds: 5,
});

/** One event a second. */
function folded(bodies: RunEventBody[], from: RunState = emptyRun): RunState {
  const begin = from.lastAt ?? 0;
  return bodies.reduce((state, body, k) => fold(state, {...body, at: begin + 1000 * (k + 1)}), from);
}
const view = (state: RunState, id: string) => state.trials[state.places[id]!]!;

describe('the fold of a run', () => {
  it('follows each trial of a pack by itself', () => {
    const state = folded([
      start([a, b, c]),
      trialStart(a.id),
      trialStart(b.id),
      step([a.id, b.id], 1, [3, 4]),
      step([a.id, b.id], 2, [2, null]),
      end(b.id, 'diverged', 2),
    ]);
    expect(view(state, a.id)).toMatchObject({state: 'running', steps: 2, loss: 2, totalSteps: 10});
    expect(view(state, a.id).losses.means).toEqual([3, 2]);
    expect(view(state, b.id)).toMatchObject({state: 'diverged', steps: 2, loss: null, seconds: 5});
    expect(view(state, b.id).losses.means).toEqual([4]);
    expect(view(state, c.id)).toMatchObject({state: 'waiting', steps: 0, totalSteps: 10});
  });

  it('forgets what an interrupted start of a trial gave, once the trial starts again', () => {
    const first = folded([
      start([a, b]),
      trialStart(a.id),
      step([a.id], 1, [9]),
      step([a.id], 2, [8]),
      evaluation(a.id, 2, 0.1),
    ]);
    const again = folded([start([a, b], true), trialStart(a.id), step([a.id], 1, [7])], first);
    expect(view(again, a.id).losses.means).toEqual([7]);
    expect(view(again, a.id).evaluations).toEqual([]);
  });

  it('goes on from a checkpoint where a trial does', () => {
    const first = folded([
      start([a]),
      trialStart(a.id),
      ...[1, 2, 3, 4].map(k => step([a.id], k, [k])),
      evaluation(a.id, 2, 0.1),
      evaluation(a.id, 4, 0.2),
    ]);
    const again = folded(
      [start([a], true), {event: 'trial-started', trial: a.id, steps: 10, worker: 0, from: 2}, step([a.id], 3, [30])],
      first,
    );
    expect(view(again, a.id).losses.means).toEqual([1, 2, 30]);
    expect(view(again, a.id).evaluations.map(one => one.step)).toEqual([2]);
  });

  it('keeps finished trials through a resumption, also those no longer in the sweep', () => {
    const first = folded([start([a, b]), trialStart(b.id), evaluation(b.id, 10, 0.5), end(b.id, 'finished')]);
    const again = folded([start([a, c], true)], first);
    expect(again.trials.map(({trial: {id}, state}) => [id, state])).toEqual([
      [a.id, 'waiting'],
      [c.id, 'waiting'],
      [b.id, 'finished'],
    ]);
    expect(again.selected).toEqual([a.id, c.id]);
  });

  it('counts the pause between two starts as no running time', () => {
    const first = folded([start([a]), trialStart(a.id), {event: 'run-ended', state: 'stopped', seconds: 2}]);
    const later: RunEvent = {...start([a], true), at: first.lastAt! + 3_600_000};
    const state = fold(fold(first, later), {...trialStart(a.id), at: later.at + 1000});
    expect(state.seconds).toBe(3);
  });

  it('keeps two evaluations of a task at one step apart by their data', () => {
    const of = (entry: string, value: number) => ({...evaluation(a.id, 5, value), entry});
    const state = folded([start([a]), of('train.jsonl', 0.9), of('test.jsonl', 0.5), of('train.jsonl', 0.8)]);
    expect(view(state, a.id).evaluations.map(({task, value}) => [task, value])).toEqual([
      ['exact-match on test.jsonl', 0.5],
      ['exact-match on train.jsonl', 0.8],
    ]);
  });

  it('takes the last evaluation of a step, and the last probe of a block', () => {
    const probe = (lambdaMax: number): RunEventBody => ({
      event: 'curvature',
      method: 'lora',
      rank: 8,
      batchSize: 16,
      seed: 1,
      step: 0,
      layer: 0,
      module: 'q_proj',
      lambdaMax,
      lambdaMin: -1,
      iterations: 9,
      residual: 0.001,
    });
    const state = folded([start([a]), evaluation(a.id, 5, 0.1), evaluation(a.id, 5, 0.2), probe(1), probe(2)]);
    expect(view(state, a.id).evaluations.map(one => one.value)).toEqual([0.2]);
    expect(state.curvature.map(row => row.lambdaMax)).toEqual([2]);
  });

  it('leaves the state before an event as it was', () => {
    const before = folded([start([a]), trialStart(a.id), step([a.id], 1, [3])]);
    const copy = structuredClone({...before, places: {...before.places}});
    folded([step([a.id], 2, [2]), evaluation(a.id, 2, 1), end(a.id, 'finished')], before);
    expect({...before, places: {...before.places}}).toEqual(copy);
  });

  it('passes over events of trials it does not know', () => {
    const state = folded([start([a]), step(['constructor', '__proto__'], 1, [1, 1]), end('other', 'finished')]);
    expect(state.trials).toHaveLength(1);
    expect(view(state, a.id).state).toBe('waiting');
  });

  it('lets a run without an end stand still when its process is gone', () => {
    const state = interrupted(folded([start([a, b]), trialStart(a.id)]));
    expect(state.state).toBe('stopped');
    expect(state.trials.map(one => one.state)).toEqual(['stopped', 'waiting']);
  });

  it('folds a whole sweep in bounded memory', () => {
    const state = toyEvents(1).reduce(fold, emptyRun);
    expect(state.trials.every(one => one.state === 'finished' && one.losses.steps.length <= 400)).toBe(true);
  });
});

describe('the memory of a run', () => {
  it('is the last one heard of, and the most so far', () => {
    const heard = [3e8, 5e8, 4e8].map((memoryBytes): RunEventBody => ({event: 'resources', memoryBytes}));
    expect(folded([start([a, b]), ...heard]).memory).toEqual({bytes: 4e8, peak: 5e8});
  });
});

describe('progress', () => {
  it('counts no warm-up steps in its rate and judges the time left by whole trials', () => {
    const running = folded([
      start([a, b]),
      trialStart(a.id),
      {event: 'note', message: 'a slow first step'},
      ...Array.from({length: 6}, (_, k) => step([a.id], k + 1, [1])),
    ]);
    // Steps 3..6 took one second each; four of a's and ten of b's are left.
    expect(progress(running)).toMatchObject({
      ...{stepsPerSecond: 1, tokensPerSecond: 70},
      ...{stepsDone: 6, stepsTotal: 20, secondsLeft: 14},
    });
    const next = folded([end(a.id, 'finished'), trialStart(b.id)], running);
    expect(progress(next)).toMatchObject({trialsDone: 1, trialsTotal: 2, stepsDone: 10});
    // Trial a took 8 seconds from start to end, ten steps: b will, too.
    expect(progress(next).secondsLeft).toBeCloseTo(8, 9);
  });

  it('leaves out what was finished before a resumption', () => {
    const first = folded([start([a, b]), trialStart(a.id), end(a.id, 'finished')]);
    expect(progress(folded([start([a, b], true)], first))).toMatchObject({
      trialsTotal: 1,
      trialsDone: 0,
      stepsTotal: 10,
    });
    const all = folded([trialStart(b.id), end(b.id, 'diverged', 4)], first);
    expect(progress(folded([start([a, b], true)], all))).toMatchObject({trialsTotal: 0, secondsLeft: 0});
  });
});
