import {describe, expect, it} from 'vitest';
import {branchesOf} from '../../client/tree-model.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import {emptyRun, fold} from '../../core/run/fold.ts';
import {readSweep} from '../../core/sweep/read.ts';
import {expandTrials} from '../../core/sweep/trials.ts';

const {sweep} = readSweep(`model: m
data: {train: a.jsonl}
methods: [lora, pissa]
learning_rate: [1e-3, 2e-3]
seeds: [1, 2]
rank: 4
`);
const trials = expandTrials(sweep!);
const started: RunEventBody = {
  event: 'run-started',
  name: 's',
  trials,
  engine: 'cpu',
  reason: 'asked',
  workers: 1,
  resumed: false,
  steps: {'16': 10},
};
const ended = (trial: string, state: 'finished' | 'diverged' | 'failed', message?: string): RunEventBody => ({
  event: 'trial-ended',
  trial,
  state,
  steps: 10,
  seconds: 1,
  ...(message === undefined ? {} : {message}),
});
const scored = (trial: string, value: number): RunEventBody => ({
  event: 'evaluation',
  trial,
  step: 10,
  task: 'exact-match',
  metric: 'accuracy',
  value,
  correct: 100 * value,
  total: 100,
});
const stateAfter = (...bodies: RunEventBody[]) =>
  [started, ...bodies].map((body, at) => ({...body, at})).reduce(fold, emptyRun);
const [first, second] = trials.map(({id}) => id) as [string, string];
const start = (trial: string): RunEventBody => ({event: 'trial-started', trial, steps: 10, worker: 0});

describe('the tree of trials', () => {
  it('has methods, rates and seeds, waiting before anything ran', () => {
    const branches = branchesOf(sweep!, null);
    expect(branches.map(({label, state}) => [label, state])).toEqual([
      ['LoRA', 'waiting'],
      ['PiSSA', 'waiting'],
    ]);
    expect(branches[0]?.children.map(({label}) => label)).toEqual(['1e-3', '2e-3']);
    expect(branches[0]?.children[0]?.children.map(({label, id}) => [label, id])).toEqual([
      ['seed 1', 'lora-r4-b16-lr1.00e-3-s1'],
      ['seed 2', 'lora-r4-b16-lr1.00e-3-s2'],
    ]);
  });

  it('names rank and batch size where there are several', () => {
    const several = readSweep(
      'model: m\ndata: {train: a.jsonl}\nmethods: [lora]\nlearning_rate: [1e-3, 2e-3]\nrank: [4, 8]\nbatch_size: [16, 64]\n',
    ).sweep!;
    const labels = branchesOf(several, null)[0]?.children.map(({label}) => label);
    expect(labels).toHaveLength(8);
    expect(labels?.[0]).toBe('1e-3 · rank 4 · batch size 16');
  });

  it('has seeds that were added behind those of the file, at their rate', () => {
    const more = {...trials[0]!, id: `${first.slice(0, -1)}3`, seed: 3};
    const state = stateAfter({event: 'trials-added', trials: [more]}, ended(more.id, 'finished'));
    const [lora] = branchesOf(sweep!, state);
    expect(lora?.children[0]?.children.map(({label}) => label)).toEqual(['seed 1', 'seed 2', 'seed 3']);
    expect(lora?.children[0]?.only).toEqual([`trial=${first},${second},${more.id}`]);
    expect(lora?.children[1]?.children).toHaveLength(2);
  });

  it('tells near rates apart', () => {
    const near = readSweep('model: m\ndata: {train: a.jsonl}\nmethods: [lora]\nlearning_rate: [1e-3, 1.001e-3, 2e-3]\n')
      .sweep!;
    const labels = branchesOf(near, null)[0]?.children.map(({label}) => label);
    expect(labels).toEqual(['1.000e-3', '1.001e-3', '2e-3']);
  });

  it('shows what runs above all, and how far it is', () => {
    const step: RunEventBody = {event: 'step', trials: [first], step: 4, losses: [0.5], rates: [1e-3], gradNorms: [1]};
    const [lora] = branchesOf(sweep!, stateAfter(start(first), step));
    expect(lora).toMatchObject({state: 'running', description: '0/4'});
    expect(lora?.children[0]?.children[0]).toMatchObject({state: 'running', description: '40 % · loss 0.500'});
    expect(lora?.children[1]?.state).toBe('waiting');
  });

  it('shows the mean of a rate, the best of a method, and why a trial went wrong', () => {
    const done = [
      ...[start(first), scored(first, 0.5), ended(first, 'finished')],
      ...[start(second), scored(second, 0.7), ended(second, 'finished')],
      ...[start(trials[2]!.id), ended(trials[2]!.id, 'diverged', 'the loss is not finite')],
    ];
    const [lora] = branchesOf(sweep!, stateAfter(...done));
    expect(lora?.children[0]).toMatchObject({state: 'finished', description: '60.0 %'});
    expect(lora?.description).toContain('3/4 · best 60.0 %');
    expect(lora?.children[1]?.children[0]).toMatchObject({
      state: 'diverged',
      description: 'diverged: the loss is not finite',
    });
  });

  it('has filters that choose exactly the trials below a branch', () => {
    const [lora] = branchesOf(sweep!, null);
    expect(lora?.only).toEqual(['method=lora']);
    expect(lora?.children[0]?.only).toEqual([`trial=${first},${second}`]);
  });
});
