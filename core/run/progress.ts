/** How far a run is, how fast it goes and how long it will still take. */
import {expectedWork, isOver} from './expected-work.ts';
import type {RunState, TrialView} from './fold.ts';

export interface Progress {
  /** Of the trials that the last start works on; with a search of its trainings, as far as they can be expected. */
  trialsDone: number;
  trialsTotal: number;
  stepsDone: number;
  stepsTotal: number;
  /** Optimizer steps of all running trials together; null until a trial has more than two steps. */
  stepsPerSecond: number | null;
  /** Trained on, padding left out; null where it is not known. */
  tokensPerSecond: number | null;
  /** Evaluation included; null until there is something to judge by. */
  secondsLeft: number | null;
}

/** The first steps of a trial pay for tracing and warming up: they count in no rate. */
const warmUpSteps = 2;

/** @param now milliseconds since 1970; by default the time of the last event. */
export function progress(state: RunState, now: number = state.lastAt ?? 0): Progress {
  const {done, total, stepsDone, stepsTotal} = expectedWork(state);
  const stepsLeft = stepsTotal - stepsDone;
  const thisStart = state.trials.filter(view => view.startedAt !== null && view.startedAt >= (state.startedAt ?? 0));
  const running = thisStart.filter(view => view.state === 'running').length;

  const stepSeconds = ratio(thisStart.map(view => [warmSeconds(view), warmSteps(view)]));
  const wholeSeconds = ratio(
    thisStart
      .filter(view => isOver(view) || view.state === 'paused')
      .map(view => [((view.endedAt ?? 0) - (view.startedAt ?? 0)) / 1000, view.steps - view.from]),
  );
  const cost = wholeSeconds ?? stepSeconds;
  const stepsPerSecond = stepSeconds === null || running === 0 ? null : running / stepSeconds;
  const stepTokens = ratio(thisStart.map(view => [view.tokens, view.steps - view.from]));
  const sinceLast = Math.max(0, now - (state.lastAt ?? now)) / 1000;
  return {
    trialsDone: done,
    trialsTotal: total,
    stepsDone,
    stepsTotal,
    stepsPerSecond,
    tokensPerSecond: stepsPerSecond === null || stepTokens === null ? null : stepsPerSecond * stepTokens,
    secondsLeft:
      stepsLeft === 0 && running === 0
        ? 0
        : cost === null || running === 0
          ? null
          : Math.max(0, (stepsLeft * cost) / running - sinceLast),
  };
}

/** Mean time of a trial's steps, without the first ones; null until there are some. */
export function stepSecondsOf(view: TrialView): number | null {
  return ratio([[warmSeconds(view), warmSteps(view)]]);
}

function warmSteps({steps, from}: TrialView): number {
  return steps - from - warmUpSteps;
}

function warmSeconds(view: TrialView): number {
  return view.warmAt === null || view.lastStepAt === null ? 0 : (view.lastStepAt - view.warmAt) / 1000;
}

/** Sum of the numerators over sum of the denominators, of those pairs that say something. */
function ratio(pairs: [number, number][]): number | null {
  const telling = pairs.filter(([above, below]) => above > 0 && below > 0);
  const above = telling.reduce((sum, pair) => sum + pair[0], 0);
  const below = telling.reduce((sum, pair) => sum + pair[1], 0);
  return below > 0 ? above / below : null;
}
