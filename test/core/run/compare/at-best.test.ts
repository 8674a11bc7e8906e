import {expect, it} from 'vitest';
import type {RunEventBody} from '../../../../core/run/events.ts';
import {emptyRun, fold} from '../../../../core/run/fold.ts';
import {forgettingMetric} from '../../../../core/run/peak.ts';
import {compare, title} from '../../../../core/run/verdict.ts';

/** Accuracy is best at the middle rate of LoRA and at the highest of PiSSA; both forget more the higher the rate. */
const measured = [
  {method: 'lora', learningRate: 1e-4, accuracy: 0.5, forgetting: 0.01},
  {method: 'lora', learningRate: 1e-3, accuracy: 0.9, forgetting: 0.1},
  {method: 'lora', learningRate: 1e-2, accuracy: 0.6, forgetting: 1},
  {method: 'pissa', learningRate: 1e-4, accuracy: 0.7, forgetting: -0.02},
  {method: 'pissa', learningRate: 1e-3, accuracy: 0.8, forgetting: 0.2},
  {method: 'pissa', learningRate: 1e-2, accuracy: 0.9, forgetting: 2},
] as const;

function runOf(metrics: readonly ('accuracy' | 'forgetting')[]) {
  const trials = measured.flatMap(({method, learningRate}) =>
    [1, 2].map(seed => ({
      id: `${method} ${learningRate} ${seed}`,
      method,
      rank: 8,
      alpha: 8,
      batchSize: 16,
      learningRate,
      seed,
    })),
  );
  const bodies: RunEventBody[] = [
    {event: 'run-started', name: 'a', trials, engine: 'cpu', reason: '', workers: 1, resumed: false, steps: {16: 1}},
    ...trials.flatMap(({id, method, learningRate, seed}): RunEventBody[] => {
      const one = measured.find(row => row.method === method && row.learningRate === learningRate)!;
      const at = {event: 'evaluation', trial: id, step: 1, correct: null, total: 100} as const;
      const task = {accuracy: 'exact-match', forgetting: 'loss on old.jsonl'};
      return [
        ...metrics.map(metric => ({...at, task: task[metric], metric, value: one[metric] + (seed - 1.5) * 1e-3})),
        {event: 'trial-ended', trial: id, state: 'finished', steps: 1, seconds: 1},
      ];
    }),
    {event: 'run-ended', state: 'finished', seconds: 1},
  ];
  return bodies.reduce((state, body, k) => fold(state, {...body, at: k}), emptyRun);
}

it('forgetting is compared at the rates that are best by what decides: it is least where nothing is learnt', () => {
  const [accuracy, forgetting] = compare(runOf(['accuracy', 'forgetting']));
  expect(accuracy!.metric).toBe('accuracy');
  expect(forgetting!.metric).toBe(forgettingMetric);
  expect(title(forgetting!)).toBe(
    'forgetting on old.jsonl at the best rates by exact-match accuracy, rank 8, batch size 16',
  );
  const peaks = forgetting!.curves.map(({method, peak}) => [method, peak?.learningRate, peak?.mean, peak?.seeds]);
  expect(peaks).toEqual([
    ['lora', 1e-3, 0.1, 2],
    ['pissa', 1e-2, 2, 2],
  ]);
  expect(forgetting!.spread!.gaps).toMatchObject([{method: 'pissa', difference: 1.9, word: 'worse'}]);
});

it('forgetting alone has bests of its own, below 0 too', () => {
  const [forgetting, ...others] = compare(runOf(['forgetting']));
  expect(others).toEqual([]);
  expect(forgetting!.curves.map(({peak}) => peak?.learningRate)).toEqual([1e-4, 1e-4]);
  expect(forgetting!.curves.map(({peak}) => peak?.near)).toEqual([[1e-4], [1e-4]]);
  expect(forgetting!.spread!.gaps).toMatchObject([{method: 'pissa', word: 'better'}]);
});
