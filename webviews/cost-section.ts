/** What each method and rank costs, counted and measured. */

import {costCaption, costTitle, measuredCostColumns, measuredCostRows, stepTimes} from '../core/run/costs.ts';
import type {RunState} from '../core/run/fold.ts';
import {nameOf} from '../core/sweep/sweep.ts';
import {element, tableOf} from './elements.ts';
import type {Theme} from './theme/palette.ts';

/** Nothing for a run that does not know, such as an imported one. */
export function costSection(state: RunState, theme: Theme): HTMLElement[] {
  if (state.costs.length === 0) return [];
  const rows = measuredCostRows(state.costs, stepTimes(state));
  const section = element('section', 'card');
  section.append(
    element('h2', '', costTitle),
    element('p', 'caption', costCaption),
    tableOf(measuredCostColumns, rows, theme, 'Cost of each method', state.costs.map(nameOf)),
  );
  return [section];
}
