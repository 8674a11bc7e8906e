import {expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {searchInWords} from '../../../trainer/plan/searched.ts';

const sentences = (search: string, rates = '{from: 1e-5, to: 5.7e-3}', more = '') => {
  const text = `model: m
data: {train: a.jsonl}
methods: [lora, pissa]
learning_rate: ${rates}
batch_size: [4, 16]
seeds: [1, 2, 3]
evaluate: {task: loss, data: b.jsonl}
search: ${search}
${more}`;
  const {sweep} = readSweep(text);
  return searchInWords(sweep!, expandTrials(sweep!), {4: 1600, 16: 400}, {seconds: 720, workers: 4, side: 1});
};

it('a plan says what a search will cost, beside the grid', () => {
  expect(sentences('grid')).toEqual([]);
  const [scans, share, chain, clock, rest] = sentences('halving');
  // Two methods, 12 rates each: 100 of 1,600 steps at batch size 4 and 25 of 400 at 16.
  expect(scans).toContain(
    'About 32 of 48 rates are scanned in 2,000 steps; about 19 trials (16 to 72) are trained whole',
  );
  expect(share).toMatch(/13\.\d % of the grid's steps: the grid costs 7\.2 ×/);
  expect(chain).toContain('follow one another');
  // 13.9 % of 720 s at least, and the longest of the chains, of 1,600 steps each, where the other workers wait.
  expect(clock).toMatch(/^With 4 workers the search trains for about \d min .*The grid trains for about 12 min/);
  expect(rest).toContain('those of the whole grid');
});

it('a plan says why nothing is searched', () => {
  expect(sentences('halving', '[1e-4, 1e-3]')[0]).toMatch(/^2 rates are too few/);
});

it('a plan says how many seeds may be added, of a grid and of a search', () => {
  const [further] = sentences('grid', undefined, 'verdict: {seeds: 8}');
  // Two methods at two batch sizes, five seeds each.
  expect(further).toContain('0 to 20 further trainings follow: up to 8 seeds at each best rate');
  expect(sentences('halving', undefined, 'verdict: {seeds: 8}')).toContain(further);
  expect(sentences('grid', undefined, 'verdict: {seeds: 3}')).toEqual([]);
});
