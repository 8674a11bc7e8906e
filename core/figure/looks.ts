/**
 * How methods look: each has the same colour and marker in all charts, on pages and in figures. In figures lines have dashes too, so that no
 * two of the table's methods share both marker and dashes, whatever becomes of their colours.
 */
import {methodNames} from '../method/methods.ts';
import {methodIn} from '../method/title.ts';
import type {MarkerName} from './scene.ts';

/** On white. */
export const inks = [
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
  '#fc00fc',
] as const;

/** In the order in which methods take them, as the page's `shapes`. */
export const methodMarkers: readonly MarkerName[] = [
  'circle',
  'diamond',
  'triangle',
  'square',
  'triangle down',
  'star',
  'cross',
];

/** Strokes and gaps in points. */
const dashes: readonly (readonly number[])[] = [[], [4, 1.5], [1.2, 1.2], [5, 1.2, 1.2, 1.2], [7, 2], [2.5, 2.5]];

/**
 * The place of a method's colour and shape: its own in the table of methods, whatever stands beside it. In the method of another
 * run, `lora (yesterday)`, it is the method's; a name that the table does not know has a place by its letters.
 */
export function placeOf(name: string): number {
  const method = methodIn(name);
  if (method !== null) return methodNames.indexOf(method);
  return [...name].reduce((hash, letter) => (31 * hash + letter.codePointAt(0)!) % 9973, 7);
}

export interface Look {
  colour: string;
  marker: MarkerName;
  dash: readonly number[];
}

function lookAt(place: number): Look {
  const dash = dashes[Math.floor(place / methodMarkers.length) % dashes.length]!;
  return {colour: inks[place % inks.length]!, marker: methodMarkers[place % methodMarkers.length]!, dash};
}

/** The looks of a figure's methods by name: variants whose letters lead to a look that is taken get the next free one. */
export function looksOf(names: readonly string[]): Map<string, Look> {
  const looks = new Map<string, Look>();
  const taken = new Set<string>();
  const kinds = methodMarkers.length * dashes.length;
  const known = (name: string): number => (methodIn(name) === name ? 0 : 1);
  for (const name of [...new Set(names)].sort((a, b) => known(a) - known(b))) {
    let place = known(name) === 0 ? placeOf(name) : placeOf(name) % kinds;
    const key = ({marker, dash}: Look): string => `${marker} ${dash.join(' ')}`;
    for (let tries = 0; taken.has(key(lookAt(place))) && tries < kinds; tries++) place++;
    taken.add(key(lookAt(place)));
    looks.set(name, lookAt(place));
  }
  return looks;
}

export type Colour = readonly [red: number, green: number, blue: number];

/** From the lowest to the highest learning rate, and from the worst to the best value: ever lighter, so that grey shows the order too. */
export const rateStops: readonly Colour[] = [
  [32, 38, 128],
  [176, 46, 132],
  [240, 138, 20],
];

/** @param position 0 = lowest, 1 = highest */
export function between(stops: readonly Colour[], position: number): Colour {
  const at = Math.min(1, Math.max(0, position)) * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(at));
  const [from, to] = [stops[k]!, stops[k + 1]!];
  const mixed = (channel: 0 | 1 | 2): number => Math.round(from[channel] + (to[channel] - from[channel]) * (at - k));
  return [mixed(0), mixed(1), mixed(2)];
}

export function hex(colour: Colour): string {
  return `#${colour.map(channel => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance, 0..1 (WCAG 2.2). */
export function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map(channel => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour: Colour): string {
  return luminance(colour) > 0.18 ? '#000000' : '#ffffff';
}
