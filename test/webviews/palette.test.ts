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

/** Of two colours `#rrggbb`, in Oklab (Ottosson 2020): 0.02 can just be seen side by side. */
function distance(a: string, b: string): number {
  const oklab = (colour: string): number[] => {
    const [r, g, b] = [1, 3, 5].map(at => {
      const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return [
      0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
      1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
      0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
    ];
  };
  const [one, other] = [oklab(a), oklab(b)];
  return Math.hypot(...one.map((value, i) => value - other[i]!));
}

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

  it('has a colour that is far from those of the same shape, and not near any other', () => {
    for (const theme of [light, dark])
      for (const [i, one] of methodNames.entries())
        for (const other of methodNames.slice(i + 1)) {
          const alike = methodShape(one) === methodShape(other);
          const apart = distance(methodColour(theme, one), methodColour(theme, other));
          expect(apart, `${one} and ${other}`).toBeGreaterThan(alike ? 0.09 : 0.05);
        }
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
