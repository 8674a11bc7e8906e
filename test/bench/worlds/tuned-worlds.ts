/** Groups of measured curves, each the rates at one value of a further axis that is tuned. */
import {readFileSync} from 'node:fs';
import {mean} from '../../../core/numbers.ts';
import {random} from '../../../trainer/math/random.ts';
import {type Recording, replay} from './recording.ts';
import {average, type Curve, publishedCurves, toyCurves} from './search-curves.ts';
import {drawn, type Played, rules} from './search-play.ts';
import {groupOfCurves, playTogether} from './tuned-play.ts';

/** Standard deviation of the place that a scan of 1/16 of the steps finds, in grid steps, as measured. */
export const scanError = 0.7;

export type Way = 'grid' | 'search' | 'warm';

/** By what each group is: real curves as values of an axis that they are not, and curves beside shifted ones. */
export function tunedWorlds(): [name: string, groups: Curve[][]][] {
  const published = publishedCurves();
  const gemma = published.filter(({name}) => name.startsWith('Gemma'));
  const methods = [...new Set(gemma.map(({name}) => name.split(' ')[1]!))];
  const qwen = published.filter(({name}) => name.startsWith('Qwen'));
  const toys = toyCurves();
  return [
    [
      'published curves of Gemma at three batch sizes',
      methods.map(method => gemma.filter(({name}) => name.split(' ')[1] === method)),
    ],
    [
      'published curves of Qwen, each beside itself half a decade lower and 0.5 points worse, and a rate higher and 1 point worse',
      qwen.map(curve => [curve, shifted(curve, -2, 0.005), shifted(curve, 1, 0.01)]),
    ],
    ["five methods on the demo's task", [toys.demo]],
    ['five methods on a rough task (revnext)', [toys.revnext]],
  ];
}

/** The curve with its rates some places further up, and so much lower. */
function shifted(curve: Curve, places: number, lower: number): Curve {
  const from = (rate: number) => Math.min(curve.rates.length - 1, Math.max(0, rate - places));
  return {
    ...curve,
    mean: curve.rates.map((_, rate) => Math.max(0, curve.mean[from(rate)]! - lower)),
    std: curve.rates.map((_, rate) => curve.std[from(rate)]!),
  };
}

/** One group with seeds drawn anew, three a rate. */
export function playGroup(curves: readonly Curve[], way: Way, ...name: (string | number)[]): Played {
  const stream = random('tuned', ...name);
  const draws = curves.map(curve => drawn(curve, 3, stream.normal(curve.rates.length * 3)));
  const losses = curves.map(() => ({scan: scanError * stream.normal(1)[0]!}));
  const best = Math.max(...curves.flatMap(curve => curve.mean));
  if (way === 'grid') {
    const places = draws.flatMap((rows, cell) => rows.map((row, rate) => ({cell, rate, value: average(row)})));
    const {cell, rate} = places.reduce((top, one) => (one.value > top.value ? one : top));
    return {share: 1, regret: best - curves[cell]!.mean[rate]!};
  }
  const {share, chosen} = playTogether(groupOfCurves(curves, draws, losses, rules), rules, way === 'warm');
  return {share, regret: chosen ? best - curves[chosen.cell]!.mean[chosen.rate]! : best};
}

/** A grid over rates and alphas that was trained whole, searched as often as it has seeds, beginning with another one each time. */
export function playRecorded(way: Exclude<Way, 'grid'>): Played[] {
  const file = new URL('../../fixtures/searches/tuned-alpha.json', import.meta.url);
  const recording = JSON.parse(readFileSync(file, 'utf8')) as Recording;
  const grids = replay(recording);
  const means = grids.map(({cell, whole}) =>
    cell.trials.map(row => mean(row.map(({id}) => whole.get(id)!.metric ?? 0))),
  );
  const best = Math.max(...means.flat());
  return grids[0]!.cell.seeds.map((_, first) => {
    const turned = <Item>(items: readonly Item[]) => [...items.slice(first), ...items.slice(0, first)];
    const cells = grids.map(({cell, whole}) => ({
      cell: {...cell, seeds: turned(cell.seeds), trials: cell.trials.map(turned)},
      whole,
    }));
    const {share, chosen} = playTogether(cells, recording.rules, way === 'warm');
    return {share, regret: best - means[chosen!.cell]![chosen!.rate]!};
  });
}
