/** A chart drawn without a screen: on a canvas of 640 × 400 pixels whose letters are all 7 pixels wide. */
import {Chart, type ChartConfiguration} from 'chart.js';
import {registerCharts} from '../../webviews/axes/register.ts';
import type {Configuration} from '../../webviews/elements.ts';

registerCharts();

const [width, height] = [640, 400];
const everywhere: [number, number] = [-Infinity, Infinity];

/** A canvas that draws nothing, and remembers what a page would see of it. */
export class Blank {
  readonly #listeners = new Map<string, (event: object) => void>();
  readonly attributes = new Map<string, string>();
  /** What drawing was clipped to, each within those it stood in: left, right, and the height of its middle. */
  readonly clips: {from: number; to: number; middle: number}[] = [];
  readonly width = width;
  readonly height = height;
  readonly style = {};
  readonly parentElement = null;
  tabIndex = -1;
  #rect = everywhere;
  #clip = everywhere;
  #middle = 0;
  readonly #saved: [number, number][] = [];
  readonly #context: object;

  constructor() {
    const known: Record<string | symbol, unknown> = {
      canvas: this,
      measureText: (text: string) => ({width: 7 * text.length}),
      save: () => this.#saved.push(this.#clip),
      restore: () => {
        this.#clip = this.#saved.pop() ?? everywhere;
      },
      rect: (x: number, y: number, across: number, down: number) => {
        this.#rect = [x, x + across];
        this.#middle = y + down / 2;
      },
      clip: () => {
        this.#clip = [Math.max(this.#clip[0], this.#rect[0]), Math.min(this.#clip[1], this.#rect[1])];
        this.clips.push({from: this.#clip[0], to: this.#clip[1], middle: this.#middle});
      },
    };
    this.#context = new Proxy(known, {
      get: (target, key) => (key in target ? target[key] : () => ({addColorStop: () => {}})),
    });
  }

  getContext(): object {
    return this.#context;
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, listener);
  }

  /** Whether the page took the key for its own. */
  press(key: string): boolean {
    let taken = false;
    const preventDefault = (): void => {
      taken = true;
    };
    this.#listeners.get('keydown')?.({key, ctrlKey: false, metaKey: false, altKey: false, preventDefault});
    return taken;
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }

  get asCanvas(): HTMLCanvasElement {
    return this as unknown as HTMLCanvasElement;
  }
}

export function drawn(configuration: Configuration): Chart {
  return new Chart(new Blank().asCanvas, configuration as ChartConfiguration);
}

/** What the tooltip says to a pointer at this place, title first; empty where it says nothing. */
export function saidAt(chart: Chart, x: number, y: number): string[] {
  const {mode, intersect, axis} = chart.options.interaction!;
  const event = {type: 'mousemove', native: null, x, y} as unknown as Event;
  const found = chart.getElementsAtEventForMode(
    event,
    mode!,
    {intersect: intersect ?? true, axis: axis ?? 'xy'},
    false,
  );
  const {tooltip} = chart;
  if (!tooltip) return [];
  tooltip.setActiveElements([], {x, y});
  tooltip.setActiveElements(found, {x, y});
  return found.length === 0 ? [] : [...tooltip.title, ...tooltip.body.flatMap(({lines}) => lines)];
}

/** The places of a chart's plot, every 5 pixels. */
export function* placesOf({chartArea: {left, right, top, bottom}}: Chart): Iterable<{x: number; y: number}> {
  for (let x = Math.ceil(left); x <= right; x += 5) for (let y = Math.ceil(top); y <= bottom; y += 5) yield {x, y};
}
