/** Answers beside each other, and what a press on a point means. */
import {describe, expect, it} from 'vitest';
import {emptyRun, foldAll} from '../../core/run/fold.ts';
import type {Answer} from '../../core/run/samples.ts';
import {compare} from '../../core/run/verdict.ts';
import {rateBars, rateChart} from '../../webviews/rate-chart.ts';
import {light} from '../../webviews/theme/palette.ts';
import {countInWords, paired, wrongOnes} from '../../webviews/trials/answers.ts';
import {toyEvents} from '../core/run/toy-run.ts';
import {drawn} from './drawn.ts';

const answer = (row: number, verdict: boolean | number, more: Partial<Answer> = {}): Answer => ({
  ...{row, sample: 0, output: `out ${row}`, expected: `right ${row}`, extracted: null, verdict},
  ...more,
});

describe('answers of two trials', () => {
  const sides = [
    [answer(2, true, {prompt: 'two?'}), answer(1, false, {prompt: 'one?'}), answer(1, true, {sample: 1})],
    [answer(1, true, {prompt: 'one?'}), answer(3, false)],
  ];
  const pairs = paired(sides);

  it('stand beside each other by row and sample, each with the prompt of its row', () => {
    expect(pairs.map(({row, sample, prompt}) => [row, sample, prompt])).toEqual([
      [1, 0, 'one?'],
      [1, 1, 'one?'],
      [2, 0, 'two?'],
      [3, 0, undefined],
    ]);
    expect(pairs.map(({answers}) => answers.map(one => one?.verdict))).toEqual([
      [false, true],
      [true, undefined],
      [true, undefined],
      [undefined, false],
    ]);
  });

  it('are wrong where any of them is', () => {
    expect(wrongOnes(pairs).map(({row, sample}) => [row, sample])).toEqual([
      [1, 0],
      [3, 0],
    ]);
  });

  it('are counted, with those that differ', () => {
    expect(countInWords(pairs)).toBe('2 of 3 right and 1 of 2 right; they differ on 1');
    expect(countInWords(paired([sides[0]!]))).toBe('2 of 3 right');
    expect(countInWords(paired([[answer(1, 0.5)]]))).toBe('1 row');
    expect(countInWords([])).toBe('no answers');
  });
});

describe.each([rateChart, rateBars])('a press on a point of %o', make => {
  const [comparison] = compare(foldAll(emptyRun, toyEvents()));

  it('means its method and its rate', () => {
    const pressed: [string, number][] = [];
    const chart = drawn(make(comparison!, light, (method, rate) => pressed.push([method, rate])));
    const wanted = comparison!.curves.flatMap(({method, points}) =>
      points.flatMap(({mean, learningRate}) => (mean === null ? [] : [[method, learningRate] as [string, number]])),
    );
    chart.data.datasets.forEach((set, datasetIndex) => {
      if (!set.label?.includes('best at')) return;
      set.data.forEach((_, index) => {
        const element = chart.getDatasetMeta(datasetIndex).data[index]!;
        chart.options.onClick?.call(chart, {} as never, [{element, datasetIndex, index}], chart);
      });
    });
    expect(pressed.length).toBeGreaterThan(3);
    for (const one of wanted) expect(pressed).toContainEqual(one);
    for (const [method] of pressed) expect(comparison!.curves.map(curve => curve.method)).toContain(method);
  });
});
