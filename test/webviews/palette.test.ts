/** Colours and names of methods on the page. */
import {describe, expect, it} from 'vitest';
import {adapterMethodNames, methodNames, methods} from '../../core/method/methods.ts';
import {methodTitle} from '../../core/method/title.ts';
import {peakRows} from '../../core/run/compare/peak-table.ts';
import {titled} from '../../core/run/compare/titled.ts';
import {emptyRun, foldAll} from '../../core/run/fold.ts';
import {verdict} from '../../core/run/verdict/sentences.ts';
import {compare} from '../../core/run/verdict.ts';
import {rateChart} from '../../webviews/rate-chart.ts';
import {dark, dashOf, light, methodColour, methodShape} from '../../webviews/theme/palette.ts';
import {toyEvents} from '../core/run/toy-run.ts';

const comparison = compare(foldAll(emptyRun, toyEvents()))[0]!;
const colours = (of: typeof comparison): [string, unknown][] =>
  rateChart(of, light).data.datasets.flatMap(({label = '', borderColor}) =>
    label.includes('best at') ? [[label.split(',')[0]!, borderColor] satisfies [string, unknown]] : [],
  );

describe('a method', () => {
  it('has one colour, whichever methods stand beside it and in which order', () => {
    const {curves} = comparison;
    const all = new Map(colours(comparison));
    expect(all.size).toBe(curves.length);
    for (const [name, colour] of colours({...comparison, curves: curves.toReversed().slice(1)}))
      expect(all.get(name)).toBe(colour);
  });

  it('is told apart from all others by colour or shape, in both themes', () => {
    for (const theme of [light, dark]) {
      const looks = methodNames.map(name => JSON.stringify([methodColour(theme, name), methodShape(name)]));
      expect(new Set(looks).size).toBe(methodNames.length);
    }
  });

  it('has a colour that no other method has', () => {
    for (const theme of [light, dark])
      expect(new Set(methodNames.map(name => methodColour(theme, name))).size).toBe(methodNames.length);
  });

  it('of another run has the colour of its method and a dashed line', () => {
    expect(methodColour(light, 'dora (yesterday)')).toBe(methodColour(light, 'dora'));
    expect(dashOf('dora (yesterday)')).not.toEqual([]);
    expect(dashOf('dora')).toEqual([]);
    expect(methodTitle('dora (yesterday)')).toBe('DoRA (yesterday)');
    expect(methodTitle('prompt-tuning')).toBe('prompt-tuning');
  });

  it('is called by its title in every sentence and table of the page', () => {
    const named = titled(comparison);
    const said = [...verdict(named), ...peakRows(named).flat(), ...verdict(titled({...comparison, isUnderWay: true}))];
    for (const name of adapterMethodNames)
      expect(said.join('\n')).not.toMatch(new RegExp(`(^|[\\s(])${name}(?![\\w-])`, 'm'));
    expect(said.join('\n')).toContain(methods['init-ab'].title);
    expect(peakRows(named).map(([name]) => name)).toEqual(['LoRA', 'PiSSA', 'MiLoRA', 'Init[AB]', 'DoRA']);
  });

  it('keeps its writing behind "so far"', () => {
    const alone = titled({...comparison, spread: null, curves: comparison.curves.slice(0, 1), isUnderWay: true});
    expect(verdict(alone)[0]).toMatch(/^So far, LoRA is best at/);
    expect(
      peakRows({...comparison, isUnderWay: true})
        .flat()
        .join(),
    ).not.toContain('extend the grid');
  });
});
