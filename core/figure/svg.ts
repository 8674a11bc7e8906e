/** A scene as an SVG document, in its true size: 1 unit is 1 point. */
import type {Box, Line, Marker, Place, Rectangle, Scene, Shape, Text} from './scene.ts';
import {fontFamily, textWidth} from './text-widths.ts';

/**
 * A document of `scene.width` by `scene.height` points on white; `title` is what readers who do not see it are told.
 * @param fonts `any`: texts are stretched to the widths that they were laid out in, for renderers that may have none of the fonts
 */
export function svgOf({width, height, shapes}: Scene, title: string, fonts: 'own' | 'any' = 'own'): string {
  const clips = [...new Set(shapes.flatMap(shape => ('within' in shape && shape.within ? key(shape.within) : [])))];
  const bodies = shapes.map(shape => {
    const clip = 'within' in shape && shape.within ? ` clip-path="url(#c${clips.indexOf(key(shape.within))})"` : '';
    return shape.kind === 'text' ? textElement(shape, fonts) : elementOf(shape, clip);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${inches(width)}in" height="${inches(height)}in" viewBox="0 0 ${n(width)} ${n(height)}" font-family="${escaped(fontFamily)}" role="img">`,
    `<title>${escaped(title)}</title>`,
    ...(clips.length > 0
      ? [`<defs>${clips.map((clip, k) => `<clipPath id="c${k}"><path d="${clip}"/></clipPath>`).join('')}</defs>`]
      : []),
    `<rect width="${n(width)}" height="${n(height)}" fill="#ffffff"/>`,
    ...bodies,
    '</svg>',
    '',
  ].join('\n');
}

function elementOf(shape: Exclude<Shape, Text>, clip: string): string {
  switch (shape.kind) {
    case 'line':
      return lineElement(shape, clip);
    case 'area':
      return `<path d="${path(shape.points)}Z" fill="${shape.fill}" fill-opacity="${n(shape.opacity)}"${clip}/>`;
    case 'rectangle':
      return rectangleElement(shape);
    case 'marker':
      return markerElement(shape);
  }
}

function lineElement({points, colour, width, dash}: Line, clip: string): string {
  return `<path d="${path(points)}" fill="none" stroke="${colour}" stroke-width="${n(width)}" stroke-linejoin="round"${dashed(dash)}${clip}/>`;
}

function rectangleElement({box, fill, stroke, width, dash}: Rectangle): string {
  const edge = stroke === undefined ? '' : ` stroke="${stroke}" stroke-width="${n(width ?? 0.5)}"${dashed(dash)}`;
  return `<path d="${key(box)}" fill="${fill ?? 'none'}"${edge}/>`;
}

function markerElement({at: [x, y], shape, radius, stroke, fill, width}: Marker): string {
  const common = `fill="${fill}" stroke="${stroke}" stroke-width="${n(width)}"`;
  if (shape === 'circle') return `<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}" ${common}/>`;
  const strokes = outlines[shape].map(outline =>
    path(outline.map(([dx, dy]): Place => [x + radius * dx, y + radius * dy])),
  );
  const isClosed = shape === 'diamond' || shape === 'triangle' || shape === 'square' || shape === 'triangle down';
  return `<path d="${strokes.map(one => (isClosed ? `${one}Z` : one)).join('')}" ${common}/>`;
}

const slant = Math.SQRT1_2;
/** Within a circle of radius 1. */
const outlines: Record<Exclude<Marker['shape'], 'circle'>, readonly (readonly Place[])[]> = {
  diamond: [
    [
      [0, -1],
      [1, 0],
      [0, 1],
      [-1, 0],
    ],
  ],
  triangle: [
    [
      [0, -1],
      [0.87, 0.5],
      [-0.87, 0.5],
    ],
  ],
  square: [
    [
      [-0.8, -0.8],
      [0.8, -0.8],
      [0.8, 0.8],
      [-0.8, 0.8],
    ],
  ],
  'triangle down': [
    [
      [0, 1],
      [0.87, -0.5],
      [-0.87, -0.5],
    ],
  ],
  star: [
    [
      [-1, 0],
      [1, 0],
    ],
    [
      [0, -1],
      [0, 1],
    ],
    [
      [-slant, -slant],
      [slant, slant],
    ],
    [
      [-slant, slant],
      [slant, -slant],
    ],
  ],
  cross: [
    [
      [-slant, -slant],
      [slant, slant],
    ],
    [
      [-slant, slant],
      [slant, -slant],
    ],
  ],
  tick: [
    [
      [-0.5, 0.87],
      [0.5, -0.87],
    ],
  ],
};

function textElement({at: [x, y], text, size, anchor, colour, upright}: Text, fonts: 'own' | 'any'): string {
  const turn = upright ? ` transform="rotate(-90 ${n(x)} ${n(y)})"` : '';
  const from = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  const length = fonts === 'own' ? '' : ` textLength="${n(textWidth(text, size))}" lengthAdjust="spacingAndGlyphs"`;
  return `<text x="${n(x)}" y="${n(y)}" font-size="${n(size)}" fill="${colour}"${from}${turn}${length}>${escaped(text)}</text>`;
}

function path(points: readonly Place[]): string {
  return points.map(([x, y], k) => `${k === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('');
}

function key({x, y, width, height}: Box): string {
  return `M${n(x)} ${n(y)}h${n(width)}v${n(height)}h${n(-width)}Z`;
}

function dashed(dash: readonly number[] | undefined): string {
  return dash && dash.length > 0 ? ` stroke-dasharray="${dash.join(' ')}"` : '';
}

function inches(points: number): string {
  return String(Number((points / 72).toFixed(4)));
}

/** To a hundredth of a point. */
function n(value: number): string {
  return String(Number(value.toFixed(2)));
}

function escaped(text: string): string {
  // What has no place in XML.
  const allowed = text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd');
  return allowed.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
