import {describe, expect, it} from 'vitest';
import {alphaOf, readAlpha} from '../../../core/sweep/alpha.ts';
import {gridPoints, gridSize} from '../../../core/sweep/rates.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {smallest, sweepOf} from './files.ts';

describe('a grid of learning rates', () => {
  it("gives the study's twelve points", () => {
    const points = gridPoints({from: 1.1247e-5, to: 6.3246e-3, per_decade: 4});
    // The study's rates are 2e-4 · 10^(k/4) with five digits.
    const published = Array.from({length: 12}, (_, k) => Number((2e-4 * 10 ** ((k - 5) / 4)).toPrecision(5)));
    expect(points).toHaveLength(12);
    for (const [index, point] of points.entries()) expect(Math.abs(point / published[index]! - 1)).toBeLessThan(1e-4);
  });

  it('holds its upper end, up to 0.1 % below or above the next point', () => {
    expect(gridSize({from: 1e-5, to: 1e-3, per_decade: 4})).toBe(9);
    expect(gridSize({from: 1e-5, to: 0.9991e-3, per_decade: 4})).toBe(9);
    expect(gridSize({from: 1e-5, to: 0.9985e-3, per_decade: 4})).toBe(8);
    expect(gridSize({from: 1e-3, to: 1e-3, per_decade: 4})).toBe(1);
    expect(gridSize({from: 2e-3, to: 1e-3, per_decade: 4})).toBe(0);
    for (let decades = 1; decades <= 12; decades += 1) {
      for (let perDecade = 1; perDecade <= 100; perDecade += 1) {
        expect(gridSize({from: 10 ** -decades, to: 1, per_decade: perDecade})).toBe(decades * perDecade + 1);
      }
    }
  });
});

describe('alpha', () => {
  it.each([
    ['16', 16],
    ['rank', 8],
    ['2*rank', 16],
    ['rank*sqrt(rank)', 8 ** 1.5],
    ['sqrt(rank) * 4', 4 * Math.sqrt(8)],
    ['sqrt( rank )*sqrt(rank)', 8],
    ['.5 * RANK * 2e1', 80],
  ])('%s is %d at rank 8', (text, value) => {
    const alpha = readAlpha(text);
    expect('code' in alpha ? alpha.message : alphaOf(alpha, 8)).toBeCloseTo(value, 12);
  });

  it('is exact for whole powers of the rank', () => {
    expect(alphaOf({factor: 1, rankPower: 1, text: 'rank'}, 7)).toBe(7);
    expect(alphaOf({factor: 2, rankPower: 0, text: '2'}, 7)).toBe(2);
  });

  it.each([
    '',
    '*',
    'rank*',
    'rank rank',
    'rank^2',
    'rank+1',
    'sqrt(2)',
    'r',
    '1e',
    '--1',
    `${'rank*'.repeat(9)}2`,
    '1e9',
  ])('is not %j', text => {
    expect(readAlpha(text)).toHaveProperty('code');
  });
});

describe('trials', () => {
  const sweep = sweepOf(
    smallest.replace('[lora]', '[pissa, lora]').replace('2e-4', '[1e-3, 2e-5]') +
      'rank: [16, 8]\nbatch_size: [4, 2]\nseeds: [2, 1]\nalpha: 2*rank\n',
  );

  it('stand in the order method, rank, batch size, learning rate, seed', () => {
    const trials = expandTrials(sweep);
    expect(trials).toHaveLength(32);
    expect(trials.slice(0, 5).map(({id}) => id)).toEqual([
      'pissa-r16-b4-lr2.00e-5-s2',
      'pissa-r16-b4-lr2.00e-5-s1',
      'pissa-r16-b4-lr1.00e-3-s2',
      'pissa-r16-b4-lr1.00e-3-s1',
      'pissa-r16-b2-lr2.00e-5-s2',
    ]);
    expect(trials[31]).toEqual({
      id: 'lora-r8-b2-lr1.00e-3-s1',
      method: 'lora',
      rank: 8,
      alpha: 16,
      batchSize: 2,
      learningRate: 1e-3,
      seed: 1,
    });
  });

  it('have ids of three digits, and more only where two rates would look the same', () => {
    const rates = [1e-4, 1.0001e-4, 1.00012e-4, 2e-4, 2e-4 + 2 ** -65];
    const {methods} = sweepOf(smallest.replace('2e-4', JSON.stringify(rates)));
    const ids = expandTrials({methods}).map(({id}) => id);
    expect(new Set(ids).size).toBe(5);
    expect(ids.slice(0, 3)).toEqual([
      'lora-r8-b16-lr1.0000e-4-s1',
      'lora-r8-b16-lr1.00010e-4-s1',
      'lora-r8-b16-lr1.00012e-4-s1',
    ]);
  });
});

it('gives rslora the alpha of the sweep times sqrt(rank), so that alpha / rank is alpha / sqrt(rank) of the sweep', () => {
  const text = `model: base
data: {train: rows.jsonl, format: text}
methods: [lora, rslora]
rank: [16]
alpha: 2*rank
learning_rate: [1e-3]
`;
  const {sweep} = readSweep(text, 's.sweep.yaml');
  expect(sweep && expandTrials(sweep).map(({method, alpha}) => [method, alpha])).toEqual([
    ['lora', 32],
    ['rslora', 128],
  ]);
});
