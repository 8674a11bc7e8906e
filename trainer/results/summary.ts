/** A run in words and tables: what `run` prints at its end, and the Markdown that `report` writes. */

import {budgetInWords, budgetOf} from '../../core/run/budget.ts';
import {
  correlationSentence,
  curvatureColumns,
  curvatureTables,
  curvatureTitle,
  ratesAndCurvature,
} from '../../core/run/compare/curvature.ts';
import {
  importanceCaption,
  importanceColumns,
  importanceRows,
  importancesOf,
  importanceTitle,
} from '../../core/run/compare/importance.ts';
import {peakColumns, peakRows} from '../../core/run/compare/peak-table.ts';
import {rolesOfRun} from '../../core/run/compare/roles.ts';
import {costCaption, costTitle, measuredCosts, stepTimes} from '../../core/run/costs.ts';
import type {RunState} from '../../core/run/fold.ts';
import {count, formatEngine, formatLoss, formatRate, formatSeconds} from '../../core/run/format.ts';
import {
  countedRun,
  droppedCaption,
  droppedColumns,
  droppedRows,
  droppedTitle,
} from '../../core/run/trials/dropped-trials.ts';
import {verdict} from '../../core/run/verdict/sentences.ts';
import {compare, title} from '../../core/run/verdict.ts';
import {nameOf} from '../../core/sweep/sweep.ts';
import {markdownTable, textTable} from '../../core/table.ts';

/** For a terminal. */
export function textSummary(whole: RunState): string[] {
  const state = countedRun(whole);
  const comparisons = compare(state);
  const dropped = droppedRows(whole);
  return [
    overview(state),
    ...spentInWords(state),
    ...comparisons.flatMap(comparison => [
      '',
      title(comparison),
      ...textTable(peakColumns(comparison), peakRows(comparison)).map(line => `  ${line}`),
      ...verdict(comparison).map(sentence => `  ${sentence}`),
    ]),
    ...curvatureTables(state).flatMap(table => [
      '',
      curvatureTitle(table),
      ...textTable([...curvatureColumns], table.rows).map(line => `  ${line}`),
    ]),
    ...ratesAndCurvature(state).map(group => `  ${correlationSentence(group)}`),
    ...droppedLines(dropped),
  ];
}

/** Rows that a terminal shows of what is of no weight any more. */
const mostDropped = 20;

function droppedLines(rows: string[][]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length - mostDropped;
  return [
    '',
    droppedTitle,
    ...textTable([...droppedColumns], rows.slice(0, mostDropped)).map(line => `  ${line}`),
    ...(more > 0 ? [`  … and ${more} more; \`show --rows trials\` lists them all`] : []),
    `  ${droppedCaption}`,
  ];
}

export function markdownSummary(whole: RunState): string {
  const state = countedRun(whole);
  const comparisons = compare(state);
  const dropped = droppedRows(whole);
  const lines = [
    `# ${state.name}`,
    '',
    overview(state),
    ...spentInWords(state),
    '',
    ...comparisons.flatMap(comparison => [
      `## ${title(comparison)}`,
      '',
      ...markdownTable(peakColumns(comparison), peakRows(comparison)),
      '',
      ...verdict(comparison).map(sentence => `- ${sentence}`),
      '',
    ]),
    ...importancesOf(state).flatMap(one => [
      `## ${importanceTitle(one)}`,
      '',
      ...markdownTable([...importanceColumns], importanceRows(one)),
      '',
      importanceCaption(one),
      '',
    ]),
    ...curvatureTables(state).flatMap(table => [
      `## ${curvatureTitle(table)}`,
      '',
      ...markdownTable([...curvatureColumns], table.rows),
      '',
    ]),
    ...ratesAndCurvature(state).flatMap(group => [`- ${correlationSentence(group)}`, '']),
    ...costs(state),
    ...notes(state),
    ...troubles(state),
    ...(dropped.length > 0
      ? [`## ${droppedTitle}`, '', ...markdownTable([...droppedColumns], dropped), '', droppedCaption, '']
      : []),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** What a search took; nothing where there was none. */
function spentInWords(state: RunState): string[] {
  const budget = budgetOf(state);
  return budget ? [budgetInWords(budget)] : [];
}

/** `160 of 160 trials finished in 4 min 00 s on the compiled engine, the run is over.` */
export function overview(state: RunState): string {
  if (state.engine === 'imported') {
    const means = state.aggregates.length > 0 ? ` and ${count(state.aggregates.length, 'mean')} over seeds` : '';
    const results = `Results ${state.reason}: ${count(state.trials.length, 'trial')}${means}`;
    return state.trials.length + state.aggregates.length === 0 ? `${results}.` : `${results}; ${rolesOfRun(state)}.`;
  }
  const roles = state.parts ? ` ${rolesOfRun(state)}.` : '';
  const of = (wanted: string): number => state.trials.filter(view => view.state === wanted).length;
  const others = (['diverged', 'failed', 'stopped', 'paused', 'running', 'waiting'] as const)
    .filter(wanted => of(wanted) > 0)
    .map(wanted => `, ${of(wanted)} ${wanted}`);
  return (
    `${of('finished')} of ${count(state.trials.length, 'trial')} finished${others.join('')}; ` +
    `${formatSeconds(state.seconds)} on ${state.parts && /several/.test(state.engine) ? state.engine : `the ${formatEngine(state.engine)}`}.${roles}`
  );
}

function costs(state: RunState): string[] {
  if (state.costs.length === 0) return [];
  const {columns, rows} = measuredCosts(state.costs, stepTimes(state));
  return [`## ${costTitle}`, '', ...markdownTable(columns, rows), '', costCaption, ''];
}

/** What the run said of its rows (how many were cut or left out) and of how it computed. */
function notes(state: RunState): string[] {
  return state.notes.length === 0 ? [] : ['## Notes', '', ...state.notes.map(note => `- ${note}`), ''];
}

function troubles(state: RunState): string[] {
  const views = state.trials.filter(view => view.state === 'diverged' || view.state === 'failed');
  if (views.length === 0) return [];
  return [
    '## Diverged and failed trials',
    '',
    ...views.map(({trial, state: how, steps, loss, message}) => {
      const last = loss === null ? '' : `, last loss ${formatLoss(loss)}`;
      return `- ${nameOf(trial)} at ${formatRate(trial.learningRate)} (${trial.id}): ${how} after ${count(steps, 'step')}${last}${message ? `: ${message}` : ''}`;
    }),
    '',
  ];
}
