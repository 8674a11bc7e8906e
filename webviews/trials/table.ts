/** The table of trials: a heading sorts, a box chooses, a method opens its trial. */
import type {TrialView} from '../../core/run/fold.ts';
import {nameOf} from '../../core/sweep/sweep.ts';
import {element, scroller} from '../elements.ts';
import {methodColour, type Theme} from '../theme/palette.ts';
import type {Column, TableView} from './rows.ts';

/** What a press does. */
export interface Presses {
  sort(key: string): void;
  choose(trial: string, isChosen: boolean): void;
  open(trial: string): void;
}

export function trialsTable(
  rows: readonly TrialView[],
  columns: readonly Column[],
  {view, chosen, open}: {view: TableView; chosen: ReadonlySet<string>; open: string | null},
  presses: Presses,
  theme: Theme,
): HTMLElement {
  const table = element('table', 'sorted');
  const head = table.createTHead().insertRow();
  const corner = element('th', 'choice');
  corner.append(element('span', 'unseen', 'chosen'));
  corner.scope = 'col';
  head.append(corner, ...columns.map(column => heading(column, view, presses)));
  const body = table.createTBody();
  for (const one of rows) {
    const {id} = one.trial;
    const row = body.insertRow();
    row.className = one.state;
    if (id === open) row.setAttribute('aria-current', 'true');
    row.insertCell().append(box(id, chosen.has(id), presses));
    for (const column of columns) {
      const cell = row.insertCell();
      cell.className = column.align;
      if (column.key === 'method') cell.append(opener(one, column, presses, theme));
      else cell.textContent = column.text(one);
    }
  }
  return scroller(table, 'Trials');
}

function heading({key, title, align}: Column, {sortBy, isDown}: TableView, {sort}: Presses): HTMLElement {
  const cell = element('th', align);
  cell.scope = 'col';
  if (key === sortBy) cell.ariaSort = isDown ? 'descending' : 'ascending';
  const button = element('button', 'heading', `${title}${key === sortBy ? (isDown ? ' ▾' : ' ▴') : ''}`);
  button.id = `sort by ${key}`;
  button.title = `Sort by ${title}`;
  button.addEventListener('click', () => sort(key));
  cell.append(button);
  return cell;
}

function box(id: string, isChosen: boolean, {choose}: Presses): HTMLElement {
  const made = element('input', '');
  made.type = 'checkbox';
  made.id = `choose ${id}`;
  made.checked = isChosen;
  made.setAttribute('aria-label', `Choose ${id}`);
  made.addEventListener('change', () => choose(id, made.checked));
  return made;
}

function opener(view: TrialView, column: Column, {open}: Presses, theme: Theme): HTMLElement {
  const button = element('button', 'opener');
  button.id = `open ${view.trial.id}`;
  button.title = `Open ${view.trial.id}`;
  const dot = element('span', 'dot');
  dot.style.backgroundColor = methodColour(theme, nameOf(view.trial));
  button.append(dot, column.text(view));
  button.addEventListener('click', () => open(view.trial.id));
  return button;
}
