/** Charts of which a part is shown. */
import {Chart} from 'chart.js';
import {describe, expect, it} from 'vitest';
import {logTicks} from '../../core/figure/ticks.ts';
import {emptyRun, foldAll} from '../../core/run/fold.ts';
import {compare} from '../../core/run/verdict.ts';
import {pressed} from '../../webviews/axes/keys.ts';
import {Drawings, type Zoom} from '../../webviews/drawings.ts';
import {rateChart} from '../../webviews/rate-chart.ts';
import {light} from '../../webviews/theme/palette.ts';
import {toyEvents} from '../core/run/toy-run.ts';
import {Blank} from './drawn.ts';

const comparison = compare(foldAll(emptyRun, toyEvents()))[0]!;
const part = {x: {min: 1.1e-3, max: 1.4e-3}, y: {min: 0.5, max: 0.6}};

/** A chart on a blank canvas, and what the reader's moves came to. */
function shown(kept: Record<string, Zoom>) {
  const canvas = new Blank();
  const moves: string[] = [];
  const drawings = new Drawings(kept, () => moves.push('redraw'));
  const configuration = rateChart(comparison, light);
  drawings.place([{key: 'one', canvas: canvas.asCanvas, configuration, figure: () => null}]);
  drawings.drawAll();
  return {canvas, drawings, moves};
}

/** How far what is drawn may reach out of the plot, in pixels. */
function overhang(canvas: Blank): number {
  const {left, right, top, bottom} = Chart.getChart(canvas.asCanvas)!.chartArea;
  // Legend and labels have areas of their own.
  const own = canvas.clips.filter(
    ({from, to, middle}) => middle > top && middle < bottom && to > left + 1 && from < right - 1,
  );
  return Math.max(...own.flatMap(({from, to}) => [left - from, to - right]));
}

describe('ticks of a logarithmic axis', () => {
  it('are three or more, rising, within any range', () => {
    for (const min of [1e-7, 1.1e-4, 3.3e-3, 0.97, 2.5, 420])
      for (const times of [1.001, 1.01, 1.2, 1.9, 2.5, 4, 12, 90, 1e4, 1e7]) {
        const ticks = logTicks(min, min * times);
        expect(ticks.length, `${min} × ${times}`).toBeGreaterThanOrEqual(3);
        expect(ticks.length).toBeLessThanOrEqual(12);
        expect(ticks).toEqual([...new Set(ticks)].sort((a, b) => a - b));
        expect(ticks[0]).toBeGreaterThanOrEqual(min);
        expect(ticks.at(-1)).toBeLessThanOrEqual(min * times);
      }
  });

  it('are powers of ten where there are enough of those', () => {
    expect(logTicks(8e-6, 2e-2)).toEqual([1e-5, 1e-4, 1e-3, 1e-2]);
    expect(logTicks(8e-4, 2e-2)).toEqual([1e-3, 2e-3, 5e-3, 1e-2, 2e-2]);
  });
});

describe('a chart of which a part is shown', () => {
  it('draws nothing outside of its plot, where the whole one lets markers stand out', () => {
    expect(overhang(shown({}).canvas)).toBeGreaterThan(20);
    expect(overhang(shown({one: part}).canvas)).toBeLessThan(1);
  });

  it('is reached by Tab and says its keys; 0 goes back to all of it', () => {
    const {canvas, drawings, moves} = shown({one: part});
    expect(canvas.tabIndex).toBe(0);
    expect(canvas.attributes.get('aria-keyshortcuts')).toContain('ArrowLeft');
    expect(drawings.zooms).toEqual({one: part});
    expect(canvas.press('Tab')).toBe(false);
    expect(canvas.press('0')).toBe(true);
    expect(drawings.zooms).toEqual({});
    expect(moves).toEqual(['redraw']);
  });

  it('is moved by the arrows and zoomed by + and −', () => {
    const done: unknown[] = [];
    const chart = {
      pan: (by: unknown) => done.push(by),
      zoom: (factor: unknown) => done.push(factor),
    } as unknown as Parameters<typeof pressed>[0];
    expect(['ArrowLeft', 'ArrowUp', '+', '-', 'a'].map(key => pressed(chart, key))).toEqual([
      ...Array(4).fill('moved'),
      null,
    ]);
    expect(done).toEqual([{x: 40}, {y: 40}, 1.25, 0.8]);
  });
});
