/** What each method and rank costs, counted and measured. */

import {costCaption, costTitle, measuredCosts, stepTimes} from '../core/run/costs.ts';
import type {RunState} from '../core/run/fold.ts';
import {nameOf} from '../core/sweep/sweep.ts';
import {element, tableOf} from './elements.ts';
import type {Theme} from './theme/palette.ts';

/** Nothing for a run that does not know, such as an imported one. */
export function costSection(state: RunState, theme: Theme): HTMLElement[] {
  if (state.costs.length === 0) return [];
  const {columns, rows} = measuredCosts(state.costs, stepTimes(state));
  const section = element('section', 'card');
  section.append(
    element('h2', '', costTitle),
    element('p', 'caption', costCaption),
    tableOf(columns, rows, theme, 'Cost of each method', state.costs.map(nameOf)),
  );
  return [section];
}
