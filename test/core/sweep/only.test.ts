import {describe, expect, it} from 'vitest';
import {SweepError} from '../../../core/error.ts';
import {askedOf, onlySweep} from '../../../core/sweep/only.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {smallest, sweepOf} from './files.ts';

const sweep = sweepOf(
  `${smallest.replace('[lora]', '{lora: {}, pissa: {rank: 4}}').replace('2e-4', '{from: 1.1247e-5, to: 6.3246e-3, per_decade: 4}')}seeds: [1, 2]\nbatch_size: [8, 16]\n`,
);

function refusal(...filters: string[]): string {
  try {
    onlySweep(sweep, filters);
  } catch (error) {
    if (error instanceof SweepError) return `${error.code}: ${error.message}`;
  }
  return 'none';
}

describe('--only', () => {
  it('keeps all trials when there is no filter', () => {
    expect(onlySweep(sweep, [])).toEqual(expandTrials(sweep));
  });

  it('finds a learning rate by the few digits that one types', () => {
    const trials = onlySweep(sweep, ['learning_rate=2e-4', 'method=lora', 'seed=1', 'batch_size=8']);
    expect(trials.map(({id}) => id)).toEqual(['lora-r8-b8-lr2.00e-4-s1']);
  });

  it('takes several values in one filter, and all filters together', () => {
    const trials = onlySweep(sweep, ['learning_rate=2e-4, 2e-5', 'seed=2', 'batch_size=16']);
    expect(trials.map(({method, learningRate}) => `${method} ${learningRate.toPrecision(2)}`)).toEqual([
      'lora 0.000020',
      'lora 0.00020',
      'pissa 0.000020',
      'pissa 0.00020',
    ]);
  });

  it('finds one trial by its id', () => {
    const trial = expandTrials(sweep).at(-1);
    expect(onlySweep(sweep, [`trial=${trial?.id}`])).toEqual([trial]);
  });

  it('takes trials by how the run has left them', () => {
    const [first, second, third] = expandTrials(sweep);
    const left = new Map([
      [first!.id, 'failed'],
      [second!.id, 'diverged'],
    ] as const);
    const stored = {trials: [first!, second!, third!], stateOf: (id: string) => left.get(id) ?? 'finished'};
    expect(onlySweep(sweep, ['state=failed'], stored)).toEqual([first]);
    expect(onlySweep(sweep, ['state=failed,diverged'], stored)).toEqual([first, second]);
    expect(() => onlySweep(sweep, ['state=paused'], stored)).toThrow(/they are failed, diverged or finished/);
    expect(() => onlySweep(sweep, ['state=failed'])).toThrow(
      /no trial of this sweep has state failed; they are waiting/,
    );
  });

  it('says which values filters give for a key', () => {
    expect(askedOf('state', ['state=failed, diverged', 'method=lora', 'state=stopped'])).toEqual([
      'failed',
      'diverged',
      'stopped',
    ]);
    expect(askedOf('state', ['method=lora'])).toEqual([]);
  });

  it.each([
    [['colour=red'], /^usage: .*there is no key 'colour'/],
    [['lr=2e-4'], /^usage: .*Did you mean 'learning_rate'\?/],
    [['constructor=1'], /^usage: /],
    [['method'], /^usage: .*method=VALUE/],
    [['rank='], /^usage: /],
    [['state=broken'], /^usage: .*no trial is ever 'broken'; write waiting, .* failed or stopped/],
    [['rank=eight'], /^usage: .*'eight' is not a number/],
    [['method=dora'], /^no-trials: .*it has lora, pissa/],
    [['method=lora,dora'], /^no-trials: .*dora/],
    [['learning_rate=3e-4'], /^no-trials: .*1.1247e-5/],
    [['method=lora', 'rank=4'], /^no-trials: .*no trial has all of them/],
  ])('refuses %j', (filters, expected) => {
    expect(refusal(...filters)).toMatch(expected);
  });
});
