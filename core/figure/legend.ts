/** The names of what is drawn, within the plot where there is room for them, else above it. */

import type {Look} from './looks.ts';
import {ink, tickSize} from './panel.ts';
import {type Box, grown, markerBox, moved, overlap, type Place, type Shape, textBox} from './scene.ts';
import {ascent, descent, textWidth} from './text-widths.ts';

export interface Entry {
  label: string;
  /** Drawn around the middle of its left end, `sampleWidth` wide. */
  sample(at: Place): Shape[];
}

export const sampleWidth = 15;
const gap = 3;
const between = 8;
const row = (ascent + descent) * tickSize + 1;

/** A method's line with its marker. */
export function methodEntry(label: string, {colour, marker, dash}: Look): Entry {
  return {
    label,
    sample: ([x, y]) => [
      {
        kind: 'line',
        points: [
          [x, y],
          [x + sampleWidth, y],
        ],
        colour,
        width: 1,
        dash,
      },
      {
        kind: 'marker',
        at: [x + sampleWidth / 2, y],
        shape: marker,
        radius: 2.2,
        stroke: colour,
        fill: colour,
        width: 0.7,
      },
    ],
  };
}

export interface Legend {
  width: number;
  height: number;
  shapes: Shape[];
}

/** In rows and columns from (0, 0), no wider than `width` where that can be. */
export function legendOf(entries: readonly Entry[], width: number): Legend {
  const widths = entries.map(({label}) => sampleWidth + gap + textWidth(label, tickSize));
  const widest = Math.max(...widths);
  const most = Math.max(1, Math.min(entries.length, Math.floor((width + between) / (widest + between))));
  const rows = Math.ceil(entries.length / most);
  // Rows of like length.
  const columns = Math.ceil(entries.length / rows);
  const shapes = entries.flatMap(({label, sample}, k): Shape[] => {
    const x = (k % columns) * (widest + between);
    const y = Math.floor(k / columns) * row + row / 2;
    const at: Place = [x + sampleWidth + gap, y + 0.35 * tickSize];
    return [...sample([x, y]), {kind: 'text', at, text: label, size: tickSize, anchor: 'start', colour: ink}];
  });
  return {width: columns * widest + (columns - 1) * between, height: rows * row, shapes};
}

/** The legend in a corner or the middle of an edge of the plot where nothing is drawn; null where there is no such place. */
export function legendInside(entries: readonly Entry[], inner: Box, drawn: readonly Shape[]): Shape[] | null {
  const obstacles = drawn.flatMap(obstaclesOf);
  const widths = [inner.width / 3, inner.width / 2, 0.8 * inner.width];
  for (const width of widths) {
    const legend = legendOf(entries, width);
    const free = placesFor(legend, inner).find(place => !obstacles.some(box => overlap(box, grown(place, 2))));
    if (free) return moved(legend.shapes, free.x, free.y);
  }
  return null;
}

function placesFor({width, height}: Legend, inner: Box): Box[] {
  const pad = 5;
  if (width > inner.width - 2 * pad || height > inner.height - 2 * pad) return [];
  const [left, right] = [inner.x + pad, inner.x + inner.width - pad - width];
  const [top, bottom] = [inner.y + pad, inner.y + inner.height - pad - height];
  const middle = (left + right) / 2;
  return [
    [left, bottom],
    [right, bottom],
    [middle, bottom],
    [left, top],
    [right, top],
    [middle, top],
  ].map(([x, y]) => ({x: x!, y: y!, width, height}));
}

/** Small boxes that cover what is seen of a shape. */
function obstaclesOf(shape: Shape): Box[] {
  switch (shape.kind) {
    case 'line':
    case 'area':
      return along(shape.points);
    case 'marker':
      return [markerBox(shape)];
    case 'text':
      return [textBox(shape)];
    case 'rectangle':
      return [shape.box];
  }
}

function along(points: readonly Place[]): Box[] {
  return points.flatMap(([x, y], k) => {
    const [fromX, fromY] = points[k - 1] ?? [x, y];
    const steps = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) / 2));
    return Array.from({length: steps}, (_, step): Box => {
      const share = (step + 1) / steps;
      return {x: fromX + (x - fromX) * share - 1, y: fromY + (y - fromY) * share - 1, width: 2, height: 2};
    });
  });
}
