import {expect, it} from 'vitest';
import type {RunEventBody} from '../../../../core/run/events.ts';
import {emptyRun, fold, type RunState} from '../../../../core/run/fold.ts';
import {seenBy} from '../../../../core/run/trials/known-trials.ts';
import {compare} from '../../../../core/run/verdict.ts';
import {stepsKey} from '../../../../core/sweep/axes/axes.ts';
import {readSweep} from '../../../../core/sweep/read.ts';
import {expandTrials} from '../../../../core/sweep/trials.ts';
import {random} from '../../../../trainer/math/random.ts';

const {sweep} = readSweep(`model: [m/a, m/b]
data: {train: a.jsonl}
methods: [lora, pissa]
learning_rate: [1e-4, 1e-3]
rank: [4, 8]
seeds: [1, 2]
tune: [learning_rate, training.weight_decay]
training: {weight_decay: [0, 0.1]}
`);
const trials = expandTrials(sweep!);
const stream = random('kept comparisons');

/** Nothing that was made of an earlier state is known of it. */
const unknown = (state: RunState): RunState => ({...state, places: {...state.places}});

function* story(): Generator<RunEventBody> {
  yield {
    ...{event: 'run-started', name: 's', trials, engine: 'cpu', reason: '', workers: 2, resumed: false},
    steps: Object.fromEntries(trials.map(trial => [stepsKey(trial), 2])),
    ...{tune: ['training.weight_decay'], fixed: {}},
  };
  for (const place of stream.permutation(trials.length)) {
    const {id: trial} = trials[place]!;
    yield {event: 'trial-started', trial, steps: 2, worker: 0};
    for (const step of [1, 2])
      yield {event: 'step', trials: [trial], step, losses: [stream.next()], rates: [1e-3], gradNorms: [1]};
    const scores = {metric: 'accuracy', correct: null, total: 10};
    for (const task of ['one', 'other'])
      yield {event: 'evaluation', trial, step: 2, task, ...scores, value: stream.next()};
    yield {event: 'resources', memoryBytes: 1};
    yield {event: 'trial-ended', trial, state: stream.next() < 0.8 ? 'finished' : 'diverged', steps: 2, seconds: 1};
  }
  yield {event: 'run-ended', state: 'finished', seconds: 9};
}

it('what is compared of a run that went on is what is compared of it at once, after every event', () => {
  let state = emptyRun;
  let at = 0;
  for (const body of story()) {
    const before = compare(state);
    state = fold(state, {...body, at: at++});
    const found = compare(state);
    expect(found).toEqual(compare(unknown(state)));
    if (body.event === 'step' || body.event === 'resources') expect(found).toBe(before);
  }
  expect(compare(state)).toHaveLength(8);
});

it('a trial that the file no longer has counts no more, and counts again, in what was compared before', () => {
  let state = emptyRun;
  let at = 0;
  for (const body of story()) state = fold(state, {...body, at: at++});
  const whole = compare(state);
  expect(seenBy(state, trials)).toBe(state);
  const without = seenBy(state, trials.slice(5));
  expect(compare(without)).toEqual(compare(unknown(without)));
  expect(compare(without)).not.toEqual(whole);
  const again = seenBy(without, trials);
  expect(compare(again)).toEqual(whole);
});

it('a trial that the file no longer has takes its axis along: those that say nothing of it are told without', () => {
  const size = (batchSize: number, more: object) => (seed: number) => ({
    ...{id: `lora-r8-b${batchSize}-s${seed}`, method: 'lora' as const, rank: 8, alpha: 8, batchSize},
    ...{learningRate: 1e-3, seed},
    ...more,
  });
  const plain = [1, 2].map(size(16, {}));
  const decayed = [1, 2].map(size(32, {settings: {'training.weight_decay': '0.1'}}));
  const both = [...plain, ...decayed];
  let state = emptyRun;
  let at = 0;
  const tell = (body: RunEventBody): void => {
    state = fold(state, {...body, at: at++});
  };
  tell({
    ...{event: 'run-started', name: 's', trials: both, engine: 'cpu', reason: '', workers: 1, resumed: false},
    steps: Object.fromEntries(both.map(trial => [stepsKey(trial), 2])),
    ...{tune: ['training.weight_decay'], fixed: {'training.weight_decay': '0'}},
  });
  for (const {id: trial, seed} of both) {
    tell({event: 'trial-started', trial, steps: 2, worker: 0});
    tell({event: 'evaluation', trial, step: 2, task: 'one', metric: 'accuracy', correct: null, total: 10, value: seed});
    tell({event: 'trial-ended', trial, state: 'finished', steps: 2, seconds: 1});
  }
  expect(compare(state)).toHaveLength(2);
  const without = seenBy(state, plain);
  expect(compare(without)).toEqual(compare(unknown(without)));
});
