import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';

const file = (lines: string): string =>
  [
    'model: base',
    'data: {train: train.jsonl}',
    'methods: {pissa: {}, lora: {}, dora: {seeds: [1, 2, 3, 4]}}',
    'learning_rate: {from: 1e-4, to: 1e-2}',
    'seeds: [1, 2, 3]',
    'evaluate: {task: loss, data: test.jsonl}',
    lines,
    '',
  ].join('\n');

describe('the key verdict', () => {
  it.each([
    ['verdict: {}', {margin: 0.01, baseline: 'lora'}],
    ['verdict: {margin: 0.5%, baseline: pissa}', {margin: 0.005, baseline: 'pissa'}],
    ['verdict: {seeds: 8}', {margin: 0.01, baseline: 'lora', seeds: 8, looks: [3, 5, 8]}],
    ['verdict: {seeds: 8}\nsearch: halving', {margin: 0.01, baseline: 'lora', seeds: 8, looks: [3, 5, 8]}],
    ['', undefined],
  ])('%s', (line, verdict) => {
    const {sweep, problems} = readSweep(file(line));
    expect(problems.filter(({code}) => !code.startsWith('fairness/') && !code.startsWith('search/'))).toEqual([]);
    expect(sweep?.verdict).toEqual(verdict);
  });

  it('asks for no further seeds where nothing is measured', () => {
    const {problems} = readSweep(file('verdict: {seeds: 8}').replace(/evaluate.*\n/, ''));
    const [error] = problems.filter(({severity}) => severity === 'error');
    expect(error).toMatchObject({code: 'search/no-metric', path: ['verdict', 'seeds']});
    expect(error?.message).toContain('Further seeds need an evaluation');
    expect(error?.fixes).not.toEqual([]);
  });

  it('is against the first method where there is no lora', () => {
    const text = file('verdict: {}').replace('lora: {}', 'milora: {}');
    expect(readSweep(text).sweep?.verdict?.baseline).toBe('pissa');
  });

  it.each([
    ['verdict: {baseline: milora}', 'unknown-value', "none of the sweep's methods"],
    ['verdict: {baseline: lroa}', 'unknown-method', 'lora'],
    ['verdict: {seeds: 3}\nsearch: halving', 'out-of-range', "raise 'verdict.seeds' to 4"],
    ['verdict: {seeds: 1}', 'out-of-range', 'from 2'],
    ['verdict: {margin: 0%}', 'out-of-range', 'margin'],
    ['verdict: {margin: 0.01}', 'wrong-type', 'percentage'],
    ['verdict: {margins: 1%}', 'unknown-key', 'margin'],
  ])('%s is an error that says what to do', (line, code, words) => {
    const {problems} = readSweep(file(line));
    const errors = problems.filter(({severity}) => severity === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({path: expect.arrayContaining(['verdict'])});
    expect(`${errors[0]?.code}: ${errors[0]?.message}`).toMatch(new RegExp(`^(${code}|unknown-value): .*${words}`));
  });
});
