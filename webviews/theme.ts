/**
 * Colours of the charts, for light and dark pages. Methods differ by hue, lightness and the shape of their points, so
 * that they are told apart with any colour vision: there are 13 colours and 7 shapes, and no two methods share both.
 */
import type {PointStyle} from 'chart.js';

export interface Theme {
  text: string;
  faint: string;
  grid: string;
  surface: string;
  methods: string[];
  /** From the lowest to the highest learning rate. */
  rates: [number, number, number][];
}

const light: Theme = {
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
  ],
  rates: [
    [50, 72, 190],
    [176, 46, 132],
    [240, 138, 20],
  ],
};

const dark: Theme = {
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
  ],
  rates: [
    [124, 146, 255],
    [226, 102, 178],
    [255, 190, 92],
  ],
};

const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');

/** The colours of the page: VS Code's own where it is shown there (it names the kind of its theme on the body). */
export function theme(): Theme {
  const {classList} = document.body;
  const inEditor = [...classList].some(name => name.startsWith('vscode-'));
  if (!inEditor) return prefersDark.matches ? dark : light;
  const isLight = classList.contains('vscode-light') || classList.contains('vscode-high-contrast-light');
  const style = getComputedStyle(document.body);
  const own = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const base = isLight ? light : dark;
  const contrast = classList.contains('vscode-high-contrast');
  return {
    ...base,
    text: own('--text', base.text),
    faint: contrast ? own('--text', base.text) : own('--soft', base.faint),
    grid: contrast ? base.grid : own('--line', base.grid),
    surface: own('--surface', base.surface),
  };
}

export function onThemeChange(redraw: () => void): void {
  prefersDark.addEventListener('change', redraw);
  const watched = {attributes: true, attributeFilter: ['class', 'data-vscode-theme-id']};
  new MutationObserver(redraw).observe(document.body, watched);
}

/** The colour of a method by its place in the sweep. */
export function methodColour({methods}: Theme, place: number): string {
  return methods[place % methods.length]!;
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

export function methodShape(place: number): {pointStyle: PointStyle; pointRotation: number} {
  return shapes[place % shapes.length]!;
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
