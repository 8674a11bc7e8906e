/** What a figure is made of: lines, areas, markers and texts at places in points (1/72 inch), y downwards. */
import {ascent, descent, textWidth} from './text-widths.ts';

export type Place = readonly [x: number, y: number];

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const markers = ['circle', 'diamond', 'triangle', 'square', 'triangle down', 'star', 'cross', 'tick'] as const;
export type MarkerName = (typeof markers)[number];

export interface Line {
  kind: 'line';
  points: readonly Place[];
  colour: string;
  width: number;
  /** Lengths of strokes and gaps. */
  dash?: readonly number[];
  /** Nothing of it is drawn outside. */
  within?: Box;
}

export interface Area {
  kind: 'area';
  points: readonly Place[];
  fill: string;
  opacity: number;
  within?: Box;
}

export interface Rectangle {
  kind: 'rectangle';
  box: Box;
  fill?: string;
  stroke?: string;
  /** Of the stroke. */
  width?: number;
  dash?: readonly number[];
}

export interface Marker {
  kind: 'marker';
  at: Place;
  shape: MarkerName;
  /** From its middle to its edge. */
  radius: number;
  stroke: string;
  fill: string;
  width: number;
}

export interface Text {
  kind: 'text';
  at: Place;
  text: string;
  size: number;
  anchor: 'start' | 'middle' | 'end';
  colour: string;
  /** Reads upwards. */
  upright?: true;
}

export type Shape = Line | Area | Rectangle | Marker | Text;

/** A whole picture; shapes lie upon those before them. */
export interface Scene {
  width: number;
  height: number;
  shapes: readonly Shape[];
}

/** The smallest text in a figure, in points. */
export const smallest = 7;

/** What a text covers. */
export function textBox({at: [x, y], text, size, anchor, upright}: Text): Box {
  const length = textWidth(text, size);
  const before = {start: 0, middle: length / 2, end: length}[anchor];
  if (upright) return {x: x - ascent * size, y: y - length + before, width: (ascent + descent) * size, height: length};
  return {x: x - before, y: y - ascent * size, width: length, height: (ascent + descent) * size};
}

export function markerBox({at: [x, y], radius, width}: Marker): Box {
  const reach = radius + width / 2;
  return {x: x - reach, y: y - reach, width: 2 * reach, height: 2 * reach};
}

export function grown({x, y, width, height}: Box, by: number): Box {
  return {x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by};
}

export function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** The shapes of a scene, moved. */
export function moved(shapes: readonly Shape[], dx: number, dy: number): Shape[] {
  return shapes.map(shape => movedShape(shape, dx, dy));
}

function movedShape(shape: Shape, dx: number, dy: number): Shape {
  const place = ([x, y]: Place): Place => [x + dx, y + dy];
  const box = (own: Box): Box => ({...own, x: own.x + dx, y: own.y + dy});
  switch (shape.kind) {
    case 'line':
    case 'area':
      return {...shape, points: shape.points.map(place), ...(shape.within && {within: box(shape.within)})};
    case 'rectangle':
      return {...shape, box: box(shape.box)};
    case 'marker':
    case 'text':
      return {...shape, at: place(shape.at)};
  }
}
