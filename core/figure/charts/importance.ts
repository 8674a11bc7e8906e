/** How much each thing that varies matters, as bars: by itself, and with its interactions. */
import {type Importance, inPercent} from '../../run/compare/importance.ts';
import {margin} from '../composed.ts';
import {type Entry, legendOf} from '../legend.ts';
import {ink, panel, tickSize} from '../panel.ts';
import {linearAxis, namesAxis} from '../scales.ts';
import {moved, type Scene, type Shape} from '../scene.ts';
import {textWidth} from '../text-widths.ts';

const [strong, weak] = ['#3d4f73', '#c3cbdc'] as const;

const entry = (label: string, fill: string): Entry => ({
  label,
  sample: ([x, y]) => [{kind: 'rectangle', box: {x: x + 1, y: y - 2.5, width: 13, height: 5}, fill}],
});

export function importanceFigure({factors, seeds}: Importance, width: number): Scene {
  const rows = [
    ...factors.map(({title, alone, total}) => ({title, alone, total})),
    ...(seeds === null ? [] : [{title: 'seeds', alone: seeds, total: seeds}]),
  ];
  const legend = legendOf([entry('alone', strong), entry('with interactions', weak)], width - 2 * margin);
  const top = legend.height + 3;
  const height = top + 13 * rows.length + 26;
  const longest = textWidth('100.0 %', tickSize) + 4;
  const x = linearAxis(
    'share of the variance',
    0,
    1 + longest / (0.6 * width),
    value => `${Math.round(100 * value)} %`,
  );
  const {shapes, inner, at} = panel({
    box: {x: margin, y: top, width: width - 2 * margin, height: height - top - margin},
    x: {...x, ticks: x.ticks.filter(({value}) => value <= 1)},
    y: namesAxis('', rows.map(({title}) => title).toReversed()),
  });
  const each = inner.height / rows.length;
  const drawn = rows.flatMap(({alone, total}, k): Shape[] => {
    const [left, middle] = at(0, rows.length - 1 - k);
    const bar = (share: number, fill: string): Shape => ({
      kind: 'rectangle',
      box: {x: left, y: middle - 0.32 * each, width: at(share, 0)[0] - left, height: 0.64 * each},
      fill,
    });
    const [end] = at(total, 0);
    return [
      bar(total, weak),
      bar(alone, strong),
      {
        ...{kind: 'text', at: [end + 3, middle + 0.35 * tickSize], text: inPercent(total)},
        ...{size: tickSize, anchor: 'start', colour: ink},
      },
    ];
  });
  return {width, height, shapes: [...moved(legend.shapes, margin, margin), ...shapes, ...drawn]};
}
