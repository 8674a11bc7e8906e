/** Curves of the trials over the steps: a panel a method, a line a trial in the colour of its learning rate. */
import {methodTitle} from '../../method/title.ts';
import type {TrialView} from '../../run/fold.ts';
import {formatRate} from '../../run/format.ts';
import {coarsen} from '../../run/series/series.ts';
import type {CurveName} from '../../run/update.ts';
import {nameOf} from '../../sweep/sweep.ts';
import {arranged, margin} from '../composed.ts';
import {between, type Colour, hex, rateStops} from '../looks.ts';
import {apart, ink, leftOf, type Panel, panel, tickSize, titleSize} from '../panel.ts';
import {type Axis, linearAxis, logAxis, shortNumber} from '../scales.ts';
import type {Place, Scene, Shape, Text} from '../scene.ts';
import {ascent, descent, textWidth} from '../text-widths.ts';

export const curveTitles: Record<CurveName, string> = {
  losses: 'training loss',
  gradNorms: 'gradient norm',
  rates: 'learning rate',
};

/** As many points a line has at most: about one a point of a panel's width. */
const mostPoints = 120;

/** `views`: trials of one setting that have such a curve. */
export function lossFigure(views: readonly TrialView[], curve: CurveName, width: number): Scene {
  const methods = [...new Set(views.map(({trial}) => nameOf(trial)))];
  const rates = views.map(({trial}) => trial.learningRate);
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  const colourOf = (rate: number): Colour =>
    between(rateStops, high > low ? Math.log(rate / low) / Math.log(high / low) : 0.5);
  const bar = rates.length > 0 && high > low ? colourBar('learning rate', [low, high], formatRate, width) : null;
  const top = bar ? bar.height + 3 : margin;
  const {boxes, columns, height} = arranged(methods.length, width, {least: 110, height: 92, top});
  const y = curveAxis(views, curve);
  const steps = Math.max(...views.map(view => view[curve].steps.at(-1) ?? 0));
  const x = linearAxis('step', 0, Math.max(1, steps), value => value.toLocaleString('en-US'));
  const left = leftOf(y);
  const shapes = methods.flatMap((method, k): Shape[] => {
    // Only the first panel of a row says what the values are.
    const own = {box: boxes[k]!, x, y: k % columns === 0 ? y : {...y, title: ''}, title: methodTitle(method), left};
    const framed = panel(own);
    const mine = views.filter(({trial}) => nameOf(trial) === method);
    return [
      ...framed.shapes,
      ...mine.flatMap(view => lineOf(view, curve, framed, hex(colourOf(view.trial.learningRate)))),
    ];
  });
  return {width, height, shapes: [...(bar?.shapes ?? []), ...shapes]};
}

function curveAxis(views: readonly TrialView[], curve: CurveName): Axis {
  const values = views.flatMap(view => view[curve].means).filter(value => value > 0);
  const first = views.flatMap(view => view[curve].means[0] ?? []).filter(value => value > 0);
  const lowest = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const highest = values.reduce((a, b) => Math.max(a, b), 0);
  // A diverging trial must not press all others flat.
  const ceiling = Math.min(
    highest,
    {losses: 3, gradNorms: 30, rates: Number.POSITIVE_INFINITY}[curve] * first.reduce((a, b) => Math.max(a, b), 0),
  );
  return logAxis(curveTitles[curve], lowest / 1.2, ceiling * 1.1, shortNumber);
}

function lineOf({state, ...view}: TrialView, curve: CurveName, {at, inner}: Panel, colour: string): Shape[] {
  const {steps, means} = coarsen(view[curve], mostPoints);
  const points = steps.flatMap((step, k): Place[] => (means[k]! > 0 ? [at(step, means[k]!)] : []));
  const last = points.at(-1);
  const isInside = last !== undefined && last[1] >= inner.y && last[1] <= inner.y + inner.height;
  const line: Shape = {kind: 'line', points, colour, width: 0.6, within: inner};
  // Where a trial died its line ends in a cross.
  if (state !== 'diverged' || last === undefined) return points.length > 1 ? [line] : [];
  const end: Place = isInside ? last : [last[0], inner.y + 3];
  return [line, {kind: 'marker', at: end, shape: 'cross', radius: 2.2, stroke: colour, fill: 'none', width: 0.9}];
}

/** A strip of colours on a log scale between two values, with ticks below and its title at the left. */
export function colourBar(
  title: string,
  [low, high]: readonly [number, number],
  format: (value: number) => string,
  width: number,
  axis: Axis = logAxis(title, low, high, format),
): {shapes: Shape[]; height: number} {
  const left = margin + textWidth(title, titleSize) + 6;
  const length = width - left - 22;
  const pieces = 48;
  const strip = Array.from(
    {length: pieces},
    (_, k): Shape => ({
      kind: 'rectangle',
      box: {x: left + (k * length) / pieces, y: 3, width: length / pieces + 0.2, height: 6},
      fill: hex(between(rateStops, (k + 0.5) / pieces)),
    }),
  );
  const labels = axis.ticks.map(
    ({value, label}): Text => ({
      kind: 'text',
      at: [left + axis.position(value) * length, 11 + ascent * tickSize],
      text: label,
      size: tickSize,
      anchor: 'middle',
      colour: ink,
    }),
  );
  const name: Text = {kind: 'text', at: [margin, 9], text: title, size: titleSize, anchor: 'start', colour: ink};
  return {shapes: [name, ...strip, ...apart(labels)], height: 11 + (ascent + descent) * tickSize};
}
