/** The charts of a page. A chart that is drawn again keeps its canvas and where the reader has zoomed to. */
import {Chart} from 'chart.js';
import {pressed, zoomKeys} from './axes/keys.ts';
import type {BarPoint, Cell, Configuration, Plot, Point} from './elements.ts';

type Drawn = Chart<'line', Point[]> | Chart<'lineWithErrorBars', BarPoint[]> | Chart<'matrix', Cell[]>;
/** Of each axis, the range that is shown. */
export type Zoom = Record<string, {min: number; max: number}>;

/** Pixels above and below what is seen. */
const nearby = 300;

export class Drawings {
  readonly #charts = new Map<string, Drawn>();
  /** What each chart was last drawn for. */
  readonly #drawn = new Map<string, Plot>();
  /** What is not drawn yet, by the box that it stands in: of thousands of lines only those are drawn that somebody looks at. */
  readonly #waiting = new Map<Element, Plot>();
  #observer: IntersectionObserver | undefined;
  readonly #kept: Record<string, Zoom>;
  readonly #zoomed: () => void;

  /** @param kept zooms by chart, as `zooms` gave them; @param zoomed called when the reader zooms or moves */
  constructor(kept: Record<string, Zoom>, zoomed: () => void) {
    this.#kept = {...kept};
    this.#zoomed = zoomed;
  }

  /** Puts these on the page, each to be drawn when it is seen or about to be, and forgets all others. */
  place(plots: readonly Plot[]): void {
    this.#observer?.disconnect();
    this.#waiting.clear();
    const wanted = new Set(plots.map(({key}) => key));
    for (const [key, chart] of this.#charts) {
      if (wanted.has(key)) continue;
      chart.destroy();
      this.#charts.delete(key);
      this.#drawn.delete(key);
    }
    for (const plot of plots) this.#placeOne(plot);
  }

  #placeOne(plot: Plot): void {
    const known = this.#charts.get(plot.key);
    const own = plot.canvas.parentElement;
    // With the box around it, whose size the chart follows.
    const box = known?.canvas.parentElement ?? own;
    if (box !== own && box) own?.replaceWith(box);
    if (this.#drawn.get(plot.key) !== plot) this.#waiting.set(box ?? plot.canvas, plot);
  }

  /** Draws what can be seen now, or with a little scrolling, and the rest when it can. */
  drawSeen(): void {
    const end = window.innerHeight + nearby;
    const seen = [...this.#waiting.keys()].filter(box => {
      const {top, bottom} = box.getBoundingClientRect();
      return bottom > -nearby && top < end;
    });
    for (const box of seen) this.#drawWaiting(box);
    this.#observer ??= new IntersectionObserver(
      entries => {
        for (const {target, isIntersecting} of entries) if (isIntersecting) this.#drawWaiting(target);
      },
      {root: document, rootMargin: `${nearby}px 0px`},
    );
    for (const box of this.#waiting.keys()) this.#observer.observe(box);
  }

  drawAll(): void {
    for (const box of [...this.#waiting.keys()]) this.#drawWaiting(box);
  }

  #drawWaiting(box: Element): void {
    const plot = this.#waiting.get(box);
    if (!plot) return;
    this.#waiting.delete(box);
    this.#observer?.unobserve(box);
    this.#drawOne(plot);
    this.#drawn.set(plot.key, plot);
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
    const shown = this.#kept[key];
    for (const [axis, range] of Object.entries(shown ?? {})) Object.assign(options.scales?.[axis] ?? {}, range);
    // Markers at the edge of the whole stand out of the plot; of a part nothing does.
    if (shown) options.clip = 0;
    const known = this.#charts.get(key);
    if (!known) {
      const chart = drawn(canvas, configuration);
      if (zoom) this.#follow(key, canvas);
      this.#charts.set(key, chart);
      return;
    }
    known.canvas.setAttribute('aria-label', canvas.getAttribute('aria-label') ?? '');
    Object.assign(known, {data: configuration.data, options});
    known.update('none');
  }

  /** The chart as it stands, on the colour of its card. */
  picture(key: string, background: string): HTMLCanvasElement | null {
    for (const [box, plot] of this.#waiting) if (plot.key === key) this.#drawWaiting(box);
    const chart = this.#charts.get(key);
    if (!chart) return null;
    const {canvas} = chart;
    const whole = document.createElement('canvas');
    [whole.width, whole.height] = [canvas.width, canvas.height];
    const context = whole.getContext('2d');
    if (!context) return null;
    context.fillStyle = background;
    context.fillRect(0, 0, whole.width, whole.height);
    context.drawImage(canvas, 0, 0);
    return whole;
  }

  /** Double clicks and keys; a canvas that is known by its id keeps the focus when the page is drawn again. */
  #follow(key: string, canvas: HTMLCanvasElement): void {
    canvas.id = `chart ${key}`;
    canvas.tabIndex = 0;
    canvas.setAttribute('aria-keyshortcuts', zoomKeys);
    canvas.addEventListener('dblclick', () => this.showAll(key));
    canvas.addEventListener('keydown', event => {
      const chart = this.#charts.get(key);
      const done = chart && !event.ctrlKey && !event.metaKey && !event.altKey ? pressed(chart, event.key) : null;
      if (!chart || done === null) return;
      event.preventDefault();
      if (done === 'all') this.showAll(key);
      else this.#remember(key, chart);
    });
  }

  #remember(key: string, chart: Pick<Chart, 'scales'>): void {
    this.#kept[key] = Object.fromEntries(Object.values(chart.scales).map(({axis, min, max}) => [axis, {min, max}]));
    this.#zoomed();
  }

  /** Ends the zoom of a chart. */
  showAll(key: string): void {
    if (!this.#kept[key]) return;
    delete this.#kept[key];
    this.#zoomed();
  }
}

function drawn(canvas: HTMLCanvasElement, configuration: Configuration): Drawn {
  switch (configuration.type) {
    case 'line':
      return new Chart(canvas, configuration);
    case 'lineWithErrorBars':
      return new Chart(canvas, configuration);
    case 'matrix':
      return new Chart(canvas, configuration);
  }
}
