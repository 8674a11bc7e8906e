/**
 * Colours and shapes of the charts, for light and dark pages: a method has the same ones in all charts, runs and themes. Methods
 * differ by hue, lightness and the shape of their points, so that they are told apart with any colour vision: each has a
 * colour of its own, there are 7 shapes, and colours of one shape lie further apart than others.
 */
import type {PointStyle} from 'chart.js';
import {between, type Colour, inks, methodMarkers, placeOf, rateStops} from '../../core/figure/looks.ts';
import type {MarkerName} from '../../core/figure/scene.ts';
import {methodIn} from '../../core/method/title.ts';

export interface Theme {
  text: string;
  faint: string;
  grid: string;
  surface: string;
  methods: readonly string[];
  /** From the lowest to the highest learning rate. */
  rates: readonly Colour[];
}

export const light: Theme = {
  text: '#3b4252',
  faint: '#6b7385',
  grid: '#e4e7ee',
  surface: '#ffffff',
  methods: inks,
  rates: rateStops,
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
    '#fc48d8',
  ],
  rates: [
    [124, 146, 255],
    [226, 102, 178],
    [255, 190, 92],
  ],
};

export function methodColour({methods}: Theme, method: string): string {
  return methods[placeOf(method) % methods.length]!;
}

/** As Chart.js names and turns them. */
const styles: Partial<Record<MarkerName, {pointStyle: PointStyle; pointRotation: number}>> = {
  circle: {pointStyle: 'circle', pointRotation: 0},
  diamond: {pointStyle: 'rectRot', pointRotation: 0},
  triangle: {pointStyle: 'triangle', pointRotation: 0},
  square: {pointStyle: 'rect', pointRotation: 0},
  'triangle down': {pointStyle: 'triangle', pointRotation: 180},
  star: {pointStyle: 'star', pointRotation: 0},
  cross: {pointStyle: 'crossRot', pointRotation: 0},
};

export function methodShape(method: string): {pointStyle: PointStyle; pointRotation: number} {
  return styles[methodMarkers[placeOf(method) % methodMarkers.length]!]!;
}

/** Points with error bars take their options without a prefix, which the types do not know. */
export function shapeWithBars(method: string, radius: number | number[]) {
  const {pointStyle, pointRotation} = methodShape(method);
  return {pointStyle, rotation: pointRotation, radius};
}

/** Of a line: dashed where it is that of another run, which has its method's colour, or has a name of its own, whose colour another may have. */
export function dashOf(name: string): number[] {
  return name === methodIn(name) ? [] : [7, 4];
}

/** @param position 0 = lowest rate, 1 = highest */
export function rateColour({rates}: Theme, position: number): string {
  return `rgb(${between(rates, position).join(' ')})`;
}

/** @param colour `#rrggbb` */
export function translucent(colour: string, alpha: number): string {
  return `${colour}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
