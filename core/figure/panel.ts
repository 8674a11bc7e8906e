/** A plot in its frame: grid, ticks and titles around what is drawn in it. */
import type {Axis} from './scales.ts';
import {type Box, grown, overlap, type Place, type Shape, smallest, type Text, textBox} from './scene.ts';
import {ascent, descent, textWidth} from './text-widths.ts';

export const ink = '#1f2430';
export const gridColour = '#e4e7ee';
export const faintColour = '#8a92a3';
export const tickSize = smallest;
export const titleSize = 8;

const lineHeight = (size: number): number => (ascent + descent) * size;
/** Between a label and what it belongs to. */
const air = 3;
/** Labels of the x axis begin below the lowest one of the y axis. */
const below = (0.35 + descent) * tickSize + 0.3;

export interface Frame {
  /** The plot with all that is written around it. */
  box: Box;
  x: Axis;
  y: Axis;
  /** Above the plot. */
  title?: string;
  /** The grid helps the eye between ticks; cells need none. */
  isBare?: true;
  /** Panels beside each other have their plots in line: room for what is written at the left. */
  left?: number;
  /** Names on the x axis stand upright in all panels where they do in one. */
  isUpright?: boolean;
}

export interface Panel {
  shapes: Shape[];
  /** The plot itself. */
  inner: Box;
  /** The place of two values in the plot. */
  at(x: number, y: number): Place;
}

/** Room at the left of a plot for the labels and the title of its y axis. */
export function leftOf({title, ticks}: Axis): number {
  const labels = Math.max(0, ...ticks.map(({label}) => textWidth(label, tickSize)));
  return labels + air + (title === '' ? 1 : lineHeight(titleSize) + 2);
}

/** Whether the names of an axis are wider than their parts of `width`. */
export function needsUpright({ticks, isNamed}: Axis, width: number): boolean {
  return isNamed === true && ticks.some(({label}) => textWidth(label, tickSize) + air > width / ticks.length);
}

/** Room below a plot for the labels of its x axis. */
export function underOf({ticks}: Axis, isUpright: boolean): number {
  if (!isUpright) return lineHeight(tickSize) + below;
  return Math.max(...ticks.map(({label}) => textWidth(label, tickSize))) + air;
}

export function panel(frame: Frame): Panel {
  const {box, x, y, title, isBare} = frame;
  const left = frame.left ?? leftOf(y);
  const top = title === undefined ? 3 : lineHeight(titleSize) + 2.5;
  const isUpright = frame.isUpright ?? needsUpright(x, box.width - left);
  const under = underOf(x, isUpright);
  const bottom = under + (x.title === '' ? 1 : lineHeight(titleSize) + 0.5);
  const right = rightOf(x, box.width - left, isUpright);
  const inner = {
    x: box.x + left,
    y: box.y + top,
    width: box.width - left - right,
    height: box.height - top - bottom,
  };
  const at = (valueX: number, valueY: number): Place => [
    inner.x + x.position(valueX) * inner.width,
    inner.y + (1 - y.position(valueY)) * inner.height,
  ];
  const shapes = [
    ...(isBare ? [] : gridOf(frame, inner)),
    ...xLabels(x, inner, isUpright),
    ...yLabels(y, inner),
    ...titlesOf(frame, inner, under),
  ];
  return {shapes, inner, at};
}

/** The last label may reach beyond the plot. */
function rightOf(x: Axis, width: number, isUpright: boolean): number {
  if (isUpright || x.isNamed) return 2;
  const reach = x.ticks.map(({value, label}) => x.position(value) * width + textWidth(label, tickSize) / 2);
  return Math.max(3, ...reach.map(end => end - width + 1));
}

function gridOf({x, y}: Frame, inner: Box): Shape[] {
  const line = (from: Place, to: Place): Shape => ({kind: 'line', points: [from, to], colour: gridColour, width: 0.5});
  const [right, bottom] = [inner.x + inner.width, inner.y + inner.height];
  const upright = x.isNamed ? [] : x.ticks.map(({value}) => inner.x + x.position(value) * inner.width);
  const level = y.isNamed ? [] : y.ticks.map(({value}) => inner.y + (1 - y.position(value)) * inner.height);
  return [
    ...upright.map(place => line([place, inner.y], [place, bottom])),
    ...level.map(place => line([inner.x, place], [right, place])),
    {kind: 'rectangle', box: inner, stroke: faintColour, width: 0.5},
  ];
}

function xLabels(axis: Axis, inner: Box, isUpright: boolean): Text[] {
  const labels = axis.ticks.map(({value, label}): Text => {
    const place = inner.x + axis.position(value) * inner.width;
    const common = {kind: 'text', text: label, size: tickSize, colour: ink} as const;
    const bottom = inner.y + inner.height;
    if (isUpright)
      return {...common, at: [place + ((ascent - descent) / 2) * tickSize, bottom + air], anchor: 'end', upright: true};
    return {...common, at: [place, bottom + below + ascent * tickSize], anchor: 'middle'};
  });
  return axis.isNamed ? labels : apart(labels);
}

function yLabels(axis: Axis, inner: Box): Text[] {
  const labels = axis.ticks.map(({value, label}): Text => {
    const place = inner.y + (1 - axis.position(value)) * inner.height + 0.35 * tickSize;
    return {kind: 'text', at: [inner.x - air, place], text: label, size: tickSize, anchor: 'end', colour: ink};
  });
  return axis.isNamed ? labels : apart(labels);
}

/** Every label, or every second, third … so that none meets its neighbour. */
export function apart(labels: readonly Text[]): Text[] {
  for (let step = 1; step < labels.length; step++) {
    const kept = labels.filter((_, k) => k % step === 0);
    const boxes = kept.map(label => grown(textBox(label), 1));
    if (boxes.every((box, k) => k === 0 || !overlap(box, boxes[k - 1]!))) return kept;
  }
  return labels.slice(0, 1);
}

function titlesOf({box, x, y, title}: Frame, inner: Box, under: number): Text[] {
  const common = {kind: 'text', size: titleSize, colour: ink, anchor: 'middle'} as const;
  const middle = inner.x + inner.width / 2;
  const all: Text[] = [
    {...common, text: x.title, at: [middle, inner.y + inner.height + under + 0.3 + ascent * titleSize]},
    {
      ...common,
      text: y.title,
      at: [box.x + ascent * titleSize, inner.y + inner.height / 2],
      upright: true,
    },
    {...common, text: title ?? '', at: [middle, inner.y - 2 - descent * titleSize]},
  ];
  return all
    .filter(({text}) => text !== '')
    .map(one =>
      one.upright ? fitting(one, inner.height) : fitting(one, 2 * Math.min(middle - box.x, box.x + box.width - middle)),
    );
}

/** A text that is too long for its place ends in an ellipsis. */
export function fitting(text: Text, width: number): Text {
  let kept = text.text;
  while (kept.length > 1 && textWidth(kept === text.text ? kept : `${kept}…`, text.size) > width)
    kept = kept.slice(0, -1).trimEnd();
  return kept === text.text ? text : {...text, text: `${kept}…`};
}
