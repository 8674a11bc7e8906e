/** The report page: the folded run stands in it as JSON; this draws it, again when the colours of the page change. */
import {
  Chart,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
} from 'chart.js';
import type {RunState} from '../core/run/fold.ts';
import {showPage} from './page.ts';
import './report.css';
import {onThemeChange, theme} from './theme.ts';

Chart.register(Filler, Legend, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip);
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

const root = document.querySelector('main');
const data = document.querySelector('#run')?.textContent;
if (root && data) {
  const state: RunState = JSON.parse(data);
  const charts: Chart<'line', {x: number; y: number | null}[]>[] = [];
  const redraw = (): void => {
    for (const chart of charts.splice(0)) chart.destroy();
    showPage(root, state, theme(), (canvas, configuration) => charts.push(new Chart(canvas, configuration)));
  };
  redraw();
  onThemeChange(redraw);
}
