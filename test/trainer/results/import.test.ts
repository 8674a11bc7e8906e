import {existsSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {importResults} from '../../../trainer/results/import.ts';
import {writeReport} from '../../../trainer/results/report.ts';
import {showRun} from '../../../trainer/results/show.ts';

interface ExpectedPeak {
  model: string;
  task: string;
  metric: string;
  rank: number;
  batch: number;
  method: string;
  peak_lr: number;
  peak_mean: number;
  peak_std_ddof1: number;
  n_seeds: number;
  tied_lrs: number[];
}

const fixtures = new URL('../../fixtures/', import.meta.url);
const paper = new URL('paper-results.json', fixtures).pathname;
const expected: {peaks: ExpectedPeak[]} = JSON.parse(readFileSync(new URL('expected.json', fixtures), 'utf8'));

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'import-')), 'run');

async function peaksOf(folder: string): Promise<Record<string, string | number | null>[]> {
  const {lines} = await showRun(folder, 'peaks', 'json');
  return JSON.parse([...lines].join('\n'));
}

describe("the study's published results, imported", () => {
  it('have the expected peaks, to the last digit', async () => {
    const {folder, rows} = importResults(paper, newFolder());
    expect(rows).toBe(585 + 180);
    const peaks = await peaksOf(folder);
    expect(peaks).toHaveLength(expected.peaks.length);
    for (const one of expected.peaks) {
      const name = one.method === 'InitAB' ? 'init-ab' : one.method.toLowerCase();
      const mine = peaks.find(
        peak =>
          peak['model'] === one.model &&
          peak['task'] === one.task &&
          peak['metric'] === one.metric &&
          peak['batch_size'] === one.batch &&
          peak['method'] === name,
      );
      expect(mine).toMatchObject({rank: one.rank, learning_rate: one.peak_lr, seeds: one.n_seeds});
      expect(Number(mine?.['mean']).toFixed(6)).toBe(one.peak_mean.toFixed(6));
      expect(Number(mine?.['std']).toFixed(6)).toBe(one.peak_std_ddof1.toFixed(6));
      expect(mine?.['tied']).toBe(one.tied_lrs.join(' '));
    }
  });

  it('make a report whose table shows them as they were published', async () => {
    const {folder} = importResults(paper, newFolder());
    const {summary} = await writeReport(folder);
    expect(summary).toContain('## Qwen3-0.6B-Base: math gsm8k_acc, rank 128, batch size 64');
    expect(summary).toContain(
      '| dora | 3.6e-4 (6.3e-5 … 6.3e-4 not told apart) | 66.95 ± 0.60 | 3 | +0.71 ± 1.50 | not resolved, needs about 7 more seeds |',
    );
    expect(summary).toContain('Equivalent to lora, within 1.00: pissa (−0.17 ± 0.67) and dora (−0.14 ± 0.67).');
  });
});

describe('results that cannot be imported', () => {
  const good = {task: 'gsm8k', metric: 'accuracy', method: 'lora', rank: 8, batch: 16, lr: 2e-4, seed: 1, value: 0.5};
  const cases: [string, unknown, string][] = [
    ['no rows', {rows: []}, 'no rows'],
    ['a number', 7, 'neither a list of rows'],
    ['a row without a rate', [{...good, lr: undefined}], 'rows[0] has no number "lr"'],
    ['an unknown method', [good, {...good, method: 'LoFT'}], 'rows[1] has the method LoFT'],
    ['one value twice', [good, good], 'rows[1] gives accuracy of lora-r8-b16-lr2.00e-4-s1 a second time'],
  ];
  it.each(cases)('%s: one sentence, and no folder', (_, document, sentence) => {
    const out = newFolder();
    const file = `${out}.json`;
    writeFileSync(file, JSON.stringify(document));
    expect(() => importResults(file, out)).toThrow(sentence);
    expect(existsSync(out)).toBe(false);
  });

  it('a folder that is in use is left alone', () => {
    const {folder} = importResults(paper, newFolder());
    expect(() => importResults(paper, folder)).toThrow('is not empty');
  });
});
