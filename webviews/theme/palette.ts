/**
 * Colours and shapes of the charts, for light and dark pages: a method has the same ones in all charts, runs and themes. Methods
 * differ by hue, lightness and the shape of their points, so that they are told apart with any colour vision: each has a
 * colour of its own, there are 7 shapes, and colours of one shape lie further apart than others.
 */
import type {PointStyle} from 'chart.js';
import {methodNames} from '../../core/method/methods.ts';
import {methodIn} from '../../core/method/title.ts';

export interface Theme {
  text: string;
  faint: string;
  grid: string;
  surface: string;
  methods: string[];
  /** From the lowest to the highest learning rate. */
  rates: [number, number, number][];
}

export const light: Theme = {
  text: '#3b4252',
  faint: '#6b7385',
  grid: '#e4e7ee',
  surface: '#ffffff',
  methods: [
    '#0053b0',
    '#d55e00',
    '#009e73',
    '#2f9bd6',
    '#23262f',
    '#c0589b',
    '#8a6d00',
    '#7a4fd0',
    '#7fae2e',
    '#8c2f22',
    '#4c6a72',
    '#d9a400',
    '#e2716f',
    '#00767c',
    '#005a00',
    '#5a0078',
    '#000087',
    '#d278ff',
    '#968796',
    '#5a0000',
    '#960f96',
    '#ff69c3',
    '#004b5a',
    '#2d78ff',
    '#4b1eb4',
    '#a4133c',
  ],
  rates: [
    [50, 72, 190],
    [176, 46, 132],
    [240, 138, 20],
  ],
};

export const dark: Theme = {
  text: '#d5dae5',
  faint: '#949db0',
  grid: '#2c3240',
  surface: '#191d26',
  methods: [
    '#4d94ff',
    '#ff8a3d',
    '#23c795',
    '#a8dcff',
    '#f5f5f0',
    '#f08fc6',
    '#e3c93a',
    '#b79bff',
    '#9fd04a',
    '#d9604c',
    '#8fb0b8',
    '#fff0a3',
    '#ffb3a8',
    '#3fd0d4',
    '#008700',
    '#5a7887',
    '#875ad2',
    '#c33c96',
    '#96962d',
    '#69ffc3',
    '#a578a5',
    '#c3ff4b',
    '#ffc3ff',
    '#78783c',
    '#3cb40f',
    '#e05fff',
  ],
  rates: [
    [124, 146, 255],
    [226, 102, 178],
    [255, 190, 92],
  ],
};

/**
 * The place of a method's colour and shape: its own in the table of methods, whatever stands beside it. In the method of another
 * run, `lora (yesterday)`, it is the method's; a name that the table does not know has a place by its letters.
 */
function placeOf(name: string): number {
  const method = methodIn(name);
  if (method !== null) return methodNames.indexOf(method);
  return [...name].reduce((hash, letter) => (31 * hash + letter.codePointAt(0)!) % 9973, 7);
}

export function methodColour({methods}: Theme, method: string): string {
  return methods[placeOf(method) % methods.length]!;
}

const shapes: {pointStyle: PointStyle; pointRotation: number}[] = [
  {pointStyle: 'circle', pointRotation: 0},
  {pointStyle: 'rectRot', pointRotation: 0},
  {pointStyle: 'triangle', pointRotation: 0},
  {pointStyle: 'rect', pointRotation: 0},
  {pointStyle: 'triangle', pointRotation: 180},
  {pointStyle: 'star', pointRotation: 0},
  {pointStyle: 'crossRot', pointRotation: 0},
];

export function methodShape(method: string): {pointStyle: PointStyle; pointRotation: number} {
  return shapes[placeOf(method) % shapes.length]!;
}

/** Of a line: dashed where it is that of another run, which has its method's colour, or has a name of its own, whose colour another may have. */
export function dashOf(name: string): number[] {
  return name === methodIn(name) ? [] : [7, 4];
}

/** @param position 0 = lowest rate, 1 = highest */
export function rateColour({rates}: Theme, position: number): string {
  const at = Math.min(1, Math.max(0, position)) * (rates.length - 1);
  const k = Math.min(rates.length - 2, Math.floor(at));
  const [from, to] = [rates[k]!, rates[k + 1]!];
  const mixed = from.map((channel, c) => Math.round(channel + (to[c]! - channel) * (at - k)));
  return `rgb(${mixed.join(' ')})`;
}

/** @param colour `#rrggbb` */
export function translucent(colour: string, alpha: number): string {
  return `${colour}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
