/** Independent looks at a figure: where its texts are drawn, and how its colours are seen. */
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {initWasm, Resvg} from '@resvg/resvg-wasm';
import type {Box} from '../../../core/figure/scene.ts';

const {resolve} = createRequire(import.meta.url);
await initWasm(readFileSync(resolve('@resvg/resvg-wasm/index_bg.wasm')));
export const arimo = readFileSync(resolve('@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf'));
const font = {fontBuffers: [arimo], defaultFontFamily: 'Arimo'};

export interface DrawnText {
  text: string;
  /** In points. */
  size: number;
  /** Of the letters themselves, as the renderer draws them. */
  box: Box;
}

/** Every text of an SVG document, each drawn alone. */
export function textsOf(svg: string): DrawnText[] {
  const [head = ''] = /^<svg[^>]*>/.exec(svg) ?? [];
  return [...svg.matchAll(/<text [^>]*font-size="([\d.]+)"[^>]*>([^<]*)<\/text>/g)].flatMap(([element, size, text]) => {
    const drawn = new Resvg(`${head}${element}</svg>`, {font});
    const box = drawn.getBBox();
    drawn.free();
    // The renderer counts CSS pixels, 96 an inch; a document's own unit is the point.
    const scale = 0.75;
    if (box === undefined) return [];
    const {x, y, width, height} = box;
    const unit = (value: number): number => value * (isInPixels ? scale : 1);
    return [{text: text!, size: Number(size), box: {x: unit(x), y: unit(y), width: unit(width), height: unit(height)}}];
  });
}

/** Whether this renderer's boxes are in pixels of the page or in units of the document, tried once. */
const isInPixels = ((): boolean => {
  const known = new Resvg(
    '<svg xmlns="http://www.w3.org/2000/svg" width="1in" height="1in" viewBox="0 0 72 72"><rect x="0" y="0" width="72" height="72"/></svg>',
  );
  const box = known.getBBox();
  known.free();
  return box !== undefined && box.width > 80;
})();

/** Machado, Oliveira & Fernandes 2009, table 1, severity 1.0, on linear RGB. */
const deficiencies = {
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
  grey: [0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722],
} as const;
export const visions = ['normal', ...Object.keys(deficiencies)] as ('normal' | keyof typeof deficiencies)[];

/** How far apart two colours `#rrggbb` are for a kind of vision: the distance in CIELAB (D65), of which about 2.3 is just seen. */
export function distance(a: string, b: string, vision: (typeof visions)[number]): number {
  const [one, other] = [a, b].map(colour => lab(seen(linear(colour), vision)));
  return Math.hypot(...one!.map((value, k) => value - other![k]!));
}

function linear(colour: string): number[] {
  return [1, 3, 5].map(at => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
}

function seen(rgb: readonly number[], vision: (typeof visions)[number]): number[] {
  if (vision === 'normal') return [...rgb];
  const matrix = deficiencies[vision];
  return [0, 3, 6]
    .map(row => rgb.reduce((sum, value, k) => sum + matrix[row + k]! * value, 0))
    .map(v => Math.min(1, Math.max(0, v)));
}

function lab([r = 0, g = 0, b = 0]: readonly number[]): number[] {
  const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
