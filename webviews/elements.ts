/** Elements of the page. */
import type {ChartConfiguration} from 'chart.js';
import {methodColour, type Theme} from './theme.ts';

export type Point = {x: number; y: number | null};

/** A chart that is drawn once its canvas is part of the page. */
export interface Plot {
  /** Names the chart on its page, so that a later drawing of the same one takes its place and keeps its zoom. */
  key: string;
  canvas: HTMLCanvasElement;
  configuration: ChartConfiguration<'line', Point[]>;
}

/** A table whose rows are methods in the order of the sweep, each with its colour. */
export function tableOf(
  columns: readonly {title: string; align: string}[],
  rows: readonly (readonly string[])[],
  theme: Theme,
): HTMLElement {
  const table = element('table', '');
  const head = table.createTHead().insertRow();
  for (const column of columns) head.append(element('th', column.align, column.title));
  const body = table.createTBody();
  rows.forEach((cells, place) => {
    const row = body.insertRow();
    cells.forEach((cell, k) => {
      row.append(element('td', columns[k]?.align ?? 'left', cell));
    });
    const dot = element('span', 'dot');
    dot.style.backgroundColor = methodColour(theme, place);
    row.cells[0]?.prepend(dot);
  });
  const scroller = element('div', 'scroller');
  scroller.append(table);
  return scroller;
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
