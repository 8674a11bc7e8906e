/** What a start has to train: what is known, and of a search what usually still comes. */

import {grouped} from '../grouped.ts';
import {cellOf, groupOf} from '../search/cells.ts';
import {expectedFirst, expectedScans} from '../search/expectation.ts';
import {isEnded} from './events.ts';
import type {RunState, TrialView} from './fold.ts';

export interface ExpectedWork {
  /** Trainings; a rate's scan and its way to the end count as one each. */
  done: number;
  total: number;
  /** Optimizer steps. */
  stepsDone: number;
  stepsTotal: number;
}

/** Whole trainings with the first seed that a cell usually needs behind its scan, and behind its first pair. */
const usualWhole = {scan: expectedFirst, pair: expectedFirst - 2};

export function expectedWork(state: RunState): ExpectedWork {
  const chosen = new Set(state.selected);
  const selected = state.selected.flatMap(id => state.trials[state.places[id] ?? -1] ?? []);
  if (!state.search) return plainWork(selected);
  const cells = grouped(
    state.trials.filter(({dropped}) => !dropped),
    ({trial}) => cellOf(trial),
  );
  const decisions = new Map(state.searched.map(one => [one.cell, one]));
  const groups = grouped(cells, ([id, [view]]) => groupOf(view!.trial, state.tune)?.id ?? id);
  const works = [...groups.values()].flatMap(group => {
    const own = group.map(([id, views]) => ({views, decision: decisions.get(id)}));
    const last = furtherSeedsOf(own);
    return own.map(one => workOf(state, one, {chosen, getsSeeds: one === last}));
  });
  return works.reduce(sum, {done: 0, total: 0, stepsDone: 0, stepsTotal: 0});
}

interface CellWork {
  views: readonly TrialView[];
  decision: RunState['searched'][number] | undefined;
}

/** The cell of a group by which further seeds are counted as long as none has got them: the best one alone does. */
function furtherSeedsOf(group: readonly CellWork[]): CellWork | undefined {
  const isOpen = ({decision}: CellWork) => ['scan', 'pair', 'walk'].includes(decision?.stage ?? 'scan');
  const isTaken = group.some(one => !isOpen(one) && one.decision?.left === undefined && one.decision?.chosen !== null);
  return isTaken ? undefined : group.find(isOpen);
}

function workOf(
  state: RunState,
  {views, decision}: CellWork,
  {chosen, getsSeeds}: {chosen: ReadonlySet<string>; getsSeeds: boolean},
): ExpectedWork {
  const own = views.filter(({trial}) => chosen.has(trial.id));
  const isSome = views.some(
    view => !isOver(view) && !chosen.has(view.trial.id) && view.trial.seed === firstSeed(views),
  );
  const isGrid = decision !== undefined && decision.stage !== 'scan' && decision.place === null;
  if (isSome || isGrid || own.length === 0) return plainWork(own);
  return searchedWork(state.search!.scan, {views, decision}, getsSeeds);
}

function plainWork(views: readonly TrialView[]): ExpectedWork {
  const done = views.filter(isOver);
  return {
    done: done.length,
    total: views.length,
    stepsDone: views.reduce((steps, view) => steps + view.steps, 0),
    stepsTotal: views.reduce((steps, view) => steps + (isOver(view) ? view.steps : view.totalSteps), 0),
  };
}

function searchedWork(scan: number, {views, decision}: CellWork, getsSeeds: boolean): ExpectedWork {
  const steps = views[0]!.totalSteps;
  const scanned = views.filter(({trial}) => trial.seed === firstSeed(views));
  const isScanning = decision?.stage === 'scan' && decision.place === null;
  const scanSteps = isScanning ? decision.until : Math.ceil(scan * steps);
  const asked = (view: TrialView) => decision?.trials.includes(view.trial.id) === true && !isOver(view);
  const goalOf = (view: TrialView) => {
    if (asked(view)) return Math.max(view.steps, decision!.until);
    return view.state === 'running' ? view.totalSteps : view.steps;
  };
  const stage = decision?.stage ?? 'scan';
  const whole = stage === 'scan' || stage === 'pair' ? usualWhole[stage] : 0;
  const seeds = new Set(views.map(({trial}) => trial.seed)).size - 1;
  const further = getsSeeds ? seeds : 0;
  const known = views.reduce((total, view) => total + goalOf(view), 0);
  const open = views.reduce((total, view) => total + (isOver(view) ? 0 : view.totalSteps - goalOf(view)), 0);
  const scansKnown = scanned.filter(view => isOver(view) || hasPaused(view) || asked(view)).length;
  const scansToCome = stage === 'scan' ? Math.max(0, expectedScans(scanned.length) - scansKnown) : 0;
  const toCome = Math.min(open, scansToCome * scanSteps + whole * (steps - scanSteps) + further * steps);
  const isWholeTraining = (view: TrialView) => goalOf(view) === view.totalSteps && view.steps < view.totalSteps;
  const ended = views.filter(view => isOver(view) && (!scanned.includes(view) || hasPaused(view)));
  const scansDone = scanned.filter(view => isOver(view) || hasPaused(view)).length;
  return {
    done: scansDone + ended.length,
    total:
      (stage === 'scan' ? scansKnown + scansToCome : scansDone) +
      ended.length +
      views.filter(view => !isOver(view) && isWholeTraining(view)).length +
      Math.round(whole + further),
    stepsDone: views.reduce((total, view) => total + view.steps, 0),
    stepsTotal: Math.round(known + toCome),
  };
}

const firstSeed = (views: readonly TrialView[]): number => views[0]!.trial.seed;

const hasPaused = ({tails, totalSteps}: TrialView): boolean =>
  Object.keys(tails).some(step => Number(step) < totalSteps);

function sum(a: ExpectedWork, b: ExpectedWork): ExpectedWork {
  return {
    done: a.done + b.done,
    total: a.total + b.total,
    stepsDone: a.stepsDone + b.stepsDone,
    stepsTotal: a.stepsTotal + b.stepsTotal,
  };
}

/** Nothing more is trained of it in this start. */
export function isOver({state}: TrialView): boolean {
  return isEnded(state) || state === 'failed';
}
