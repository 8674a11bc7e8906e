/** One plot with its legend as a whole picture. */
import {type Entry, legendInside, legendOf} from './legend.ts';
import {type Frame, type Panel, panel} from './panel.ts';
import {moved, type Scene, type Shape} from './scene.ts';

/** Around a picture. */
export const margin = 1;

/** Height over width of a plot. */
const proportion = 0.62;

export interface Plot extends Pick<Frame, 'x' | 'y' | 'isBare'> {
  entries: readonly Entry[];
  draw(panel: Panel): Shape[];
  /** In points, without a legend above; by default a part of the width. */
  height?: number;
}

/** A picture of this width in points; the legend stands where it covers nothing. */
export function composed({x, y, isBare, entries, draw, height}: Plot, width: number): Scene {
  const box = {x: margin, y: margin, width: width - 2 * margin, height: (height ?? proportion * width) - 2 * margin};
  const framed = panel({box, x, y, ...(isBare && {isBare})});
  const drawn = draw(framed);
  const scene = {width, height: box.height + 2 * margin};
  if (entries.length === 0) return {...scene, shapes: [...framed.shapes, ...drawn]};
  const inside = legendInside(entries, framed.inner, drawn);
  if (inside) return {...scene, shapes: [...framed.shapes, ...drawn, ...inside]};
  const above = legendOf(entries, width - 2 * margin);
  const down = above.height + 2;
  return {
    width,
    height: scene.height + down,
    shapes: [...moved(above.shapes, margin, margin), ...moved([...framed.shapes, ...drawn], 0, down)],
  };
}

/** Panels beside and below each other, as many in a row as have at least `least` points of width. */
export function arranged(
  count: number,
  width: number,
  {least, height, top}: {least: number; height: number; top: number},
): {boxes: {x: number; y: number; width: number; height: number}[]; height: number; columns: number} {
  const columns = Math.max(1, Math.min(count, Math.floor(width / least)));
  const each = (width - 2 * margin) / columns;
  const boxes = Array.from({length: count}, (_, k) => ({
    x: margin + (k % columns) * each,
    y: top + Math.floor(k / columns) * height,
    width: each,
    height,
  }));
  return {boxes, columns, height: top + Math.ceil(count / columns) * height + margin};
}
