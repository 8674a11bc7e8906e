/** Every setting as a line over all that varies. */
import {describe, expect, it} from 'vitest';
import {type Parallel, parallelCaption, parallelOf} from '../../../core/figure/charts/parallel.ts';
import {settingsTables} from '../../../core/run/compare/settings-table.ts';
import {grid, richRun} from './rich-run.ts';

const [accuracy, loss] = settingsTables(
  richRun({methods: ['lora', 'pissa', 'dora'], rates: grid(1e-5, 6), batchSizes: [16], decays: ['0']}),
).map(table => parallelOf(table)) as [Parallel, Parallel];

describe('parallel coordinates', () => {
  it('have an axis for everything that varies and one for the metric', () => {
    expect(accuracy.axes.map(({title}) => title)).toEqual(['method', 'rank', 'learning rate', 'gsm8k accuracy']);
    expect(loss.axes.at(-1)!.title).toBe('loss');
    for (const {at} of accuracy.lines) expect(at).toHaveLength(4);
  });

  it('are read from the top where they are names, and rise where they are numbers', () => {
    const [method, rank] = accuracy.axes;
    expect(method!.ticks.map(({label, at}) => [label, at])).toEqual([
      ['LoRA', 1],
      ['PiSSA', 0.5],
      ['DoRA', 0],
    ]);
    expect(rank!.ticks.map(({label, at}) => [label, at])).toEqual([
      ['4', 0],
      ['128', 1],
    ]);
  });

  it('end in the best setting, the highest accuracy and the lowest loss', () => {
    for (const [{lines}, best] of [
      [accuracy, Math.max],
      [loss, Math.min],
    ] as const) {
      expect(lines.at(-1)!.row.mean).toBe(best(...lines.map(({row}) => row.mean)));
      expect(lines.at(-1)!.goodness).toBe(1);
      expect(lines[0]!.goodness).toBe(0);
    }
  });

  it('show the best of very many, and say so', () => {
    const [table] = settingsTables(richRun());
    const many = parallelOf(table!)!;
    expect(many.lines.length).toBeLessThan(table!.rows.length);
    expect(many.left).toBe(table!.rows.length - many.lines.length);
    expect(parallelCaption(many)).toContain(`${many.left.toLocaleString('en-US')} are left out`);
    expect(many.lines[0]!.row.mean).toBeGreaterThanOrEqual(Math.min(...table!.rows.map(({mean}) => mean)));
  });

  it('are none over two things', () => {
    const two = richRun({methods: ['lora', 'pissa'], ranks: [8], batchSizes: [16], decays: ['0']});
    expect(parallelOf(settingsTables(two)[0]!)).toBeNull();
  });
});
