/** Elements of the page. */
import type {ChartConfiguration} from 'chart.js';
import type {Drawing, Figure} from '../core/figure/each.ts';
import {methodTitle} from '../core/method/title.ts';
import {methodColour, type Theme} from './theme/palette.ts';

/** `mark`: what is to be said where there is no value, and `y` is only where the mark is drawn. */
export type Point = {x: number; y: number | null; mark?: string};
/** A mean ± its deviation; `at` is where it belongs, `x` where it is drawn beside others. */
export type BarPoint = {at: number; x: number; y: number; yMin: number; yMax: number; mark?: string};
/** Of a heat map: places of its column and row, what they stand for, and the mean shown, as text in a colour that is read on the cell's. */
export type Cell = {
  x: number;
  y: number;
  learningRate: number;
  value: number;
  mean: number;
  text: string;
  ink: string;
};

export type Configuration =
  | ChartConfiguration<'line', Point[]>
  | ChartConfiguration<'lineWithErrorBars', BarPoint[]>
  | ChartConfiguration<'matrix', Cell[]>;

/** A chart that is drawn once its canvas is part of the page. */
export interface Plot {
  /** Names the chart on its page, so that a later drawing of the same one takes its place and keeps its zoom. */
  key: string;
  canvas: HTMLCanvasElement;
  /** Made when it is first asked for, where the chart has many lines. */
  readonly configuration: Configuration;
  /** It can be zoomed: said where the configuration is made late. */
  isZoomable?: true;
  /** The same as a picture for a paper; null where there is nothing to draw. */
  figure(drawing: Drawing): Figure | null;
  /** Its numbers, where they are others than those of its points. */
  table?: {columns: string[]; rows: string[][]};
}

/** A table with a colour a row, that of its method; a first cell that says no more than the method shows its title. */
export function tableOf(
  columns: readonly {title: string; align: string}[],
  rows: readonly (readonly string[])[],
  theme: Theme,
  label: string,
  methods: readonly string[],
): HTMLElement {
  const table = element('table', '');
  const head = table.createTHead().insertRow();
  for (const column of columns) head.append(element('th', column.align, column.title));
  const body = table.createTBody();
  rows.forEach((cells, i) => {
    const row = body.insertRow();
    const method = methods[i] ?? '';
    cells.forEach((cell, k) => {
      row.append(element('td', columns[k]?.align ?? 'left', k === 0 && cell === method ? methodTitle(cell) : cell));
    });
    const dot = element('span', 'dot');
    dot.style.backgroundColor = methodColour(theme, method);
    row.cells[0]?.prepend(dot);
  });
  return scroller(table, label);
}

/** A table that may be wider than the page; the keyboard reaches it, and it says when it goes on to the right. */
export function scroller(table: HTMLElement, label: string): HTMLElement {
  const made = element('div', 'scroller');
  made.tabIndex = 0;
  made.setAttribute('role', 'region');
  made.setAttribute('aria-label', label);
  made.append(table);
  const mark = (): void => void made.toggleAttribute('data-more', hidesColumns(made));
  made.addEventListener('scroll', mark);
  new ResizeObserver(mark).observe(made);
  return made;
}

/** Whether columns lie to the right of what is shown, by widths in pixels. */
export function hidesColumns(of: {scrollLeft: number; clientWidth: number; scrollWidth: number}): boolean {
  return of.scrollLeft + of.clientWidth < of.scrollWidth - 1;
}

export function canvasBox(className: string, description: string): {box: HTMLElement; canvas: HTMLCanvasElement} {
  const box = element('div', className);
  const canvas = element('canvas', '');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', description);
  box.append(canvas);
  return {box, canvas};
}

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className: string,
  text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/**
 * Marks a button whose press means the same as long as it looks the same: a page that is drawn again keeps it, so that it
 * does not vanish under the pointer.
 */
export function staying(button: HTMLElement): HTMLElement {
  button.dataset['stays'] = '';
  return button;
}

/** Puts staying buttons of a page before in place of the same ones in the page of now. */
export function keepStaying(before: readonly HTMLElement[], now: HTMLElement): void {
  const known = new Map(before.map(button => [button.id, button]));
  for (const button of now.querySelectorAll<HTMLElement>('[data-stays]')) {
    const old = known.get(button.id);
    if (old && old !== button && old.outerHTML === button.outerHTML) button.replaceWith(old);
  }
}

/** Makes these the children of `root`; what is among them already stays where it is, so that nothing is laid out anew for it. */
export function arrange(root: HTMLElement, children: readonly HTMLElement[]): void {
  const wanted = new Set<Element>(children);
  for (const child of [...root.childNodes]) if (!(child instanceof Element) || !wanted.has(child)) child.remove();
  let place = root.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else root.insertBefore(child, place);
  }
}

/** A button that is on or off. */
export function toggleButton(id: string, text: string, pressed: boolean, press: () => void): HTMLElement {
  const button = element('button', '', text);
  button.id = id;
  button.setAttribute('aria-pressed', String(pressed));
  button.addEventListener('click', press);
  return staying(button);
}

/** Adds buttons to a bar: those that are there, each known to the page by `place` and its words. */
export function buttonsIn(
  bar: HTMLElement,
  place: string,
): (text: string, isThere: boolean, press: () => void) => void {
  return (text, isThere, press) => {
    if (!isThere) return;
    const made = element('button', '', text);
    made.id = `${place}: ${text}`;
    made.addEventListener('click', press);
    bar.append(made);
  };
}
