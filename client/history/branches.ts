/** Runs of a sweep as branches of the tree: the present one, earlier ones, and those that are put away in a branch of their own. */
import type {TrialState} from '../../core/run/events.ts';
import {formatDate, type RunRow, titleOfRun} from '../../core/run/history/row.ts';
import type {Branch} from '../tree-model.ts';

/** How the present run stands now, which the list may be too old to know. */
export interface Present {
  alive: boolean;
  said: string;
}

export function runBranches(rows: readonly RunRow[], present: Present): Branch[] {
  const branchOf = (row: RunRow) => runBranch(row, row.earlier ? null : present);
  const archived = rows.filter(row => row.archived).map(branchOf);
  const shown = rows.filter(row => !row.archived).map(branchOf);
  return archived.length === 0 ? shown : [...shown, groupOf('archived', 'Archived', archived)];
}

/** A row that only holds others. */
export function groupOf(
  kind: 'history' | 'archived',
  label: string,
  children: Branch[],
  number = children.length,
): Branch {
  return {kind, id: kind, label, tooltip: label, description: String(number), state: 'finished', only: [], children};
}

function runBranch(row: RunRow, present: Present | null): Branch {
  const {folder, name, note, tags, startedAt, message} = row;
  const stands = present?.alive ? present.said : `${row.state} · ${row.done}/${row.trials}`;
  const words = [
    ...(present ? ['present run'] : []),
    ...(name !== '' && startedAt !== null ? [formatDate(startedAt)] : []),
    stands,
    ...tags.map(tag => `#${tag}`),
    row.answer ?? '',
  ];
  const state = present?.alive ? 'running' : trialState(row.state);
  return {
    ...{kind: 'run', id: folder, label: titleOfRun(row), state, only: [], children: []},
    description: words.filter(Boolean).join(' · '),
    context: row.archived ? 'run-archived' : present ? 'run-present' : 'run-earlier',
    tooltip: [titleOfRun(row), folder, row.answer ?? '', message ?? '', note].filter(Boolean).join('\n'),
  };
}

function trialState(state: RunRow['state']): TrialState {
  return state === 'unreadable' ? 'failed' : state;
}
