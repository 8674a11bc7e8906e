/** What charts of points speak of: Chart.js's own mode `nearest` also finds the invisible edges of bands. */
import {Interaction, type InteractionItem, type InteractionModeFunction} from 'chart.js';
import {type Candidate, nearestNamed} from './nearest.ts';

declare module 'chart.js' {
  interface InteractionModeMap {
    /** The nearest point of a dataset that has a name. */
    nearestNamed: InteractionModeFunction;
  }
}

export const nearestNamedMode: InteractionModeFunction = (chart, {x, y}, _, useFinalPosition) => {
  if (x === null || y === null || !chart.isPointInArea({x, y})) return [];
  const items: InteractionItem[] = [];
  const candidates: Candidate[] = [];
  Interaction.evaluateInteractionItems(chart, 'xy', {x, y}, (element, datasetIndex, index) => {
    const centre = element.getCenterPoint(useFinalPosition);
    if (centre.x === null || centre.y === null) return;
    // A point that was zoomed out of the chart may still reach into it.
    if (!chart.isPointInArea(centre) && !element.inRange(x, y, useFinalPosition)) return;
    items.push({element, datasetIndex, index});
    candidates.push({label: chart.data.datasets[datasetIndex]?.label ?? '', x: centre.x, y: centre.y});
  });
  return nearestNamed(candidates, {x, y}).map(k => items[k]!);
};
