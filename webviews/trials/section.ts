/** All trials of a run: as a table that is sorted, filtered and acted upon, or as a grid over the rates. */
import type {RunState} from '../../core/run/fold.ts';
import {count} from '../../core/run/format.ts';
import type {TrialsAction} from '../../core/run/page-messages.ts';
import {buttonsIn, element, toggleButton} from '../elements.ts';
import type {Theme} from '../theme/palette.ts';
import {trialsGrid} from './grid.ts';
import {answersPanel, type Panel, trialPanel} from './panel-choice.ts';
import {type Column, columnsOf, hiddenKeys, rowsOf, shownColumns, type TableView} from './rows.ts';
import {trialsTable} from './table.ts';

export interface TrialsView {
  table: TableView;
  /** The grid instead. */
  isGrid: boolean;
  /** Ids of the trials whose boxes are ticked. */
  chosen: string[];
  /** All rows, however many they are. */
  isWhole: boolean;
  isChoosingColumns: boolean;
}

/** What the section needs of the page. */
export interface TrialsDoing {
  /** A function where it depends on what is chosen by then: elements outlive the drawing that they were made for. */
  change(change: Partial<TrialsView> | ((now: TrialsView) => Partial<TrialsView>)): void;
  /** A function where it depends on what is open by then. */
  open(panel: Panel | null | ((now: Panel | null) => Panel | null)): void;
  /** Absent outside the editor, and where there is no sweep file to run. */
  act?: (action: TrialsAction, trials: string[]) => void;
  /** Answers can be read. */
  hasAnswers: boolean;
  alive: boolean;
  /** The trial that is open now. */
  opened: string | null;
}

/** Rows of a table that is drawn anew with every step. */
const mostRows = 200;

export function trialsSection(state: RunState, view: TrialsView, doing: TrialsDoing, theme: Theme): HTMLElement[] {
  if (state.trials.length === 0) return [];
  const section = element('section', 'card');
  section.id = 'trials';
  const ways = element('div', 'bar');
  const toGrid = (isGrid: boolean) => () => doing.change({isGrid});
  ways.append(
    toggleButton('trials as a table', 'Table', !view.isGrid, toGrid(false)),
    toggleButton('trials as a grid', 'Grid over rates', view.isGrid, toGrid(true)),
  );
  section.append(element('h2', '', 'Trials'), ways);
  if (view.isGrid) section.append(...grid(state, doing));
  else section.append(...table(state, view, doing, theme));
  return [section];
}

function grid({trials, search}: RunState, {open, opened}: TrialsDoing): HTMLElement[] {
  const signs = `· waiting ▸ running ${search ? '‖ paused ' : ''}✓ finished ✗ diverged ! failed ■ stopped. Press one to open it.`;
  const press = (trial: string): void => open(trial === opened ? null : trialPanel([trial]));
  return [element('p', 'caption', signs), trialsGrid(trials, opened, press)];
}

function table(state: RunState, view: TrialsView, doing: TrialsDoing, theme: Theme): HTMLElement[] {
  const columns = columnsOf(state);
  const rows = rowsOf(state.trials, columns, view.table);
  const shown = view.isWhole ? rows : rows.slice(0, mostRows);
  const known = new Set(state.trials.map(({trial}) => trial.id));
  const chosen = new Set(view.chosen.filter(id => known.has(id)));
  const {sortBy, isDown} = view.table;
  const presses = {
    sort(key: string) {
      // Upwards, downwards, as in the sweep.
      const next = key !== sortBy ? {sortBy: key, isDown: false} : isDown ? {sortBy: ''} : {isDown: true};
      doing.change({table: {...view.table, ...next}});
    },
    choose: (trial: string, isChosen: boolean) =>
      doing.change({chosen: isChosen ? [...chosen, trial] : [...chosen].filter(id => id !== trial)}),
    open: (trial: string) => doing.open(trialPanel([trial])),
  };
  const all = element('p', 'caption', rowsInWords(rows.length, shown.length, state.trials.length));
  all.setAttribute('role', 'status');
  return [
    filterBar(columns, view, doing),
    chosenBar(
      [...chosen],
      rows.map(({trial}) => trial.id),
      doing,
    ),
    trialsTable(
      shown,
      shownColumns(columns, view.table.hidden),
      {view: view.table, chosen, open: doing.opened},
      presses,
      theme,
    ),
    all,
    ...(shown.length < rows.length ? [allRows(rows.length, doing)] : []),
  ];
}

function rowsInWords(kept: number, shown: number, all: number): string {
  const some = kept === all ? count(all, 'trial') : `${kept} of ${count(all, 'trial')} pass the filter`;
  return shown < kept ? `${some}; the first ${shown} are shown.` : `${some}.`;
}

function allRows(rows: number, {change}: TrialsDoing): HTMLElement {
  const bar = element('div', 'bar');
  const button = element('button', '', `Show all ${rows}`);
  button.id = 'all rows';
  button.addEventListener('click', () => change({isWhole: true}));
  bar.append(button);
  return bar;
}

function filterBar(columns: readonly Column[], view: TrialsView, {change}: TrialsDoing): HTMLElement {
  const bar = element('div', 'bar');
  const input = element('input', 'filter');
  input.type = 'search';
  input.id = 'filter of trials';
  input.placeholder = 'Filter: pissa finished, lr<1e-3, loss<2';
  input.setAttribute('aria-label', 'Filter of trials: words, or a column with a bound, like loss<2');
  input.value = view.table.filter;
  input.dataset['stays'] = '';
  input.addEventListener('input', () => change(now => ({table: {...now.table, filter: input.value}})));
  const hidden = hiddenKeys(columns, view.table.hidden);
  const details = element('details', 'columns');
  const summary = element('summary', '', hidden.length > 0 ? `Columns (${hidden.length} hidden)` : 'Columns');
  summary.id = 'columns of trials';
  const list = element('div', 'bar');
  for (const {key, title} of columns) {
    if (key === 'method') continue;
    const isHidden = hidden.includes(key);
    const turned = (table: TableView): string[] => {
      const others = hiddenKeys(columns, table.hidden).filter(one => one !== key);
      return isHidden ? others : [...others, key];
    };
    list.append(
      toggleButton(`column ${key}`, title, !isHidden, () =>
        change(({table}) => ({table: {...table, hidden: turned(table)}})),
      ),
    );
  }
  details.append(summary, list);
  details.open = view.isChoosingColumns;
  details.addEventListener('toggle', () => {
    if (details.open !== view.isChoosingColumns) change({isChoosingColumns: details.open});
  });
  bar.append(input, details);
  return bar;
}

/** What can be done with the trials that are chosen. */
function chosenBar(chosen: string[], rows: string[], doing: TrialsDoing): HTMLElement {
  const {change, open, act, hasAnswers, alive} = doing;
  const bar = element('div', 'bar chosen');
  const button = buttonsIn(bar, 'chosen');
  const some = chosen.length > 0;
  bar.append(element('span', '', some ? `${chosen.length} chosen:` : 'None chosen.'));
  button('Choose all shown', !some && rows.length > 0, () => change({chosen: rows}));
  button('Compare', chosen.length > 1, () => open({kind: 'compare', trials: chosen}));
  button('Answers', hasAnswers && some && chosen.length < 3, () => open(answersPanel(chosen)));
  button('Rerun', some && !alive && act !== undefined, () => act?.('rerun', chosen));
  button('Export…', some && !alive && act !== undefined, () => act?.('export', chosen));
  button('Copy as sweep file', some && act !== undefined, () => act?.('copy', chosen));
  button('Choose none', some, () => change({chosen: []}));
  return bar;
}
