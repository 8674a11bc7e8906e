/** The keyboard on a chart that has the focus. */
import type {Chart} from 'chart.js';

/** Below charts, as a sentence. */
export const zoomHint =
  'Zoom: drag over a chart, or Ctrl and the wheel; move: drag with Shift. On the keyboard: Tab to a chart, then + and −, the arrows, 0 for all of it.';

/** For `aria-keyshortcuts`. */
export const zoomKeys = '+ - 0 ArrowLeft ArrowRight ArrowUp ArrowDown';

/** Pixels that an arrow moves by. */
const stride = 40;

const strides: Record<string, {x?: number; y?: number}> = {
  ArrowLeft: {x: stride},
  ArrowRight: {x: -stride},
  ArrowUp: {y: stride},
  ArrowDown: {y: -stride},
};
const factors: Record<string, number> = {'+': 1.25, '=': 1.25, '-': 0.8};

/** What a key does to a chart: `moved`, `all` of it is to be shown, or null where the key is none of a chart's. */
export function pressed(chart: Pick<Chart, 'zoom' | 'pan'>, key: string): 'moved' | 'all' | null {
  if (key === '0') return 'all';
  const [by, factor] = [strides[key], factors[key]];
  if (by) chart.pan(by);
  else if (factor) chart.zoom(factor);
  return by || factor ? 'moved' : null;
}
