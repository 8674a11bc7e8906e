/** What of Chart.js the charts are made of. */
import {
  Chart,
  Filler,
  Interaction,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
} from 'chart.js';
import {LineWithErrorBarsController, PointWithErrorBar} from 'chartjs-chart-error-bars';
import {MatrixController, MatrixElement} from 'chartjs-chart-matrix';
import {cellNumbers} from './cell-numbers.ts';
import {nearestNamedMode} from './interaction.ts';

/** To be called before the first chart is drawn. */
export function registerCharts(): void {
  Chart.register(
    ...[LineController, LineWithErrorBarsController, MatrixController],
    ...[LineElement, PointElement, PointWithErrorBar, MatrixElement],
    ...[LinearScale, LogarithmicScale, Filler, Legend, Tooltip, cellNumbers],
  );
  Interaction.modes.nearestNamed = nearestNamedMode;
}
