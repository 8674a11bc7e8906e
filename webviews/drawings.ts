/** The charts of a page. A chart that is drawn again keeps its canvas and where the reader has zoomed to. */
import {Chart} from 'chart.js';
import type {Plot, Point} from './elements.ts';

type Drawn = Chart<'line', Point[]>;
/** Of each axis, the range that is shown. */
export type Zoom = Record<string, {min: number; max: number}>;

export class Drawings {
  readonly #charts = new Map<string, Drawn>();
  readonly #kept: Record<string, Zoom>;
  readonly #zoomed: () => void;

  /** @param kept zooms by chart, as `zooms` gave them; @param zoomed called when the reader zooms or moves */
  constructor(kept: Record<string, Zoom>, zoomed: () => void) {
    this.#kept = {...kept};
    this.#zoomed = zoomed;
  }

  /** Draws these, and forgets all others. */
  draw(plots: readonly Plot[]): void {
    const wanted = new Set(plots.map(({key}) => key));
    for (const [key, chart] of this.#charts) {
      if (wanted.has(key)) continue;
      chart.destroy();
      this.#charts.delete(key);
    }
    for (const plot of plots) this.#drawOne(plot);
  }

  /** Where the reader has zoomed to, by chart. */
  get zooms(): Record<string, Zoom> {
    return this.#kept;
  }

  #drawOne({key, canvas, configuration}: Plot): void {
    const {options = {}} = configuration;
    const zoom = options.plugins?.zoom;
    if (zoom) {
      const remember = ({chart}: {chart: Chart}): void => this.#remember(key, chart);
      options.plugins = {
        ...options.plugins,
        zoom: {...zoom, zoom: {...zoom.zoom, onZoomComplete: remember}, pan: {...zoom.pan, onPanComplete: remember}},
      };
    }
    for (const [axis, range] of Object.entries(this.#kept[key] ?? {}))
      Object.assign(options.scales?.[axis] ?? {}, range);
    const known = this.#charts.get(key);
    if (!known) {
      const chart = new Chart(canvas, configuration);
      canvas.addEventListener('dblclick', () => this.#showAll(key));
      this.#charts.set(key, chart);
      return;
    }
    known.canvas.setAttribute('aria-label', canvas.getAttribute('aria-label') ?? '');
    canvas.replaceWith(known.canvas);
    known.data = configuration.data;
    known.options = options;
    known.update('none');
  }

  #remember(key: string, chart: Chart): void {
    this.#kept[key] = Object.fromEntries(Object.values(chart.scales).map(({axis, min, max}) => [axis, {min, max}]));
    this.#zoomed();
  }

  #showAll(key: string): void {
    if (!this.#kept[key]) return;
    delete this.#kept[key];
    this.#zoomed();
  }
}
