/** What happened between two states of a run, as lines of a log. */
import type {RunState, TrialView} from '../fold.ts';
import {formatLoss, formatMeasure, formatMemory, formatSeconds, formatValue} from '../format.ts';

export interface LogLine {
  level: 'info' | 'warn' | 'error';
  text: string;
  /** Milliseconds since 1970; null where the run does not say. */
  at: number | null;
}

/** Memory is told again when its peak grew by this factor. */
const growth = 1.1;

/** In the order in which things happen: the start, notes, trials, memory, the end. */
export function logLines(before: RunState, after: RunState): LogLine[] {
  const known = new Set(before.notes);
  const notes = after.notes.filter(note => !known.has(note));
  const trials = after.trials.flatMap((view, place) => {
    const earlier = before.trials[place];
    if (view === earlier) return [];
    const same = earlier?.trial.id === view.trial.id ? earlier : before.trials[before.places[view.trial.id] ?? -1];
    return trialLines(same, view);
  });
  return [
    ...startOf(before, after),
    ...notes.map(text => ({level: 'info' as const, text: `note: ${text}`, at: null})),
    ...trials.sort((a, b) => (a.at ?? 0) - (b.at ?? 0)),
    ...memoryOf(before, after),
    ...endOf(before, after),
  ];
}

function startOf(before: RunState, {startedAt, resumed, engine, reason, trials}: RunState): LogLine[] {
  if (startedAt === null || startedAt === before.startedAt) return [];
  const text = `${resumed ? 'resumed' : 'started'}: ${trials.length} trials, engine ${engine} (${reason})`;
  return [{level: 'info', text, at: startedAt}];
}

/** What happened to one trial. */
export function trialLines(before: TrialView | undefined, view: TrialView): LogLine[] {
  const {trial, state, startedAt, endedAt, steps, totalSteps, seconds, loss, message} = view;
  const lines: LogLine[] = [];
  const say = (level: LogLine['level'], text: string, at: number | null): void =>
    void lines.push({level, text: `${trial.id}: ${text}`, at});
  if (startedAt !== null && startedAt !== before?.startedAt)
    say('info', view.from > 0 ? `goes on from step ${view.from}` : `started, ${totalSteps} steps`, startedAt);
  for (const {step, task, metric, value} of view.evaluations) {
    if (before?.evaluations.some(one => one.step === step && one.task === task && one.metric === metric)) continue;
    const found = value === null ? 'no value' : formatValue(value, metric);
    say('info', `step ${step}: ${formatMeasure(task, metric)} ${found}`, view.lastStepAt);
  }
  if (state === before?.state) return lines;
  const why = message === null ? '' : `: ${message}`;
  const where = `at step ${steps} of ${totalSteps}`;
  const last = loss === null ? '' : `, loss ${formatLoss(loss)}`;
  if (state === 'finished') say('info', `finished in ${formatSeconds(seconds)}${last}`, endedAt);
  else if (state === 'diverged') say('warn', `${state} ${where}${why}`, endedAt);
  else if (state === 'failed') say('error', `${state} ${where}${why}`, endedAt);
  else if (state === 'stopped') say('info', `stopped ${where}`, endedAt);
  return lines;
}

function memoryOf({memory: before}: RunState, {memory, lastAt}: RunState): LogLine[] {
  if (memory === null || memory.peak < (before?.peak ?? 0) * growth) return [];
  return before?.peak === memory.peak
    ? []
    : [{level: 'info', text: `memory: peak ${formatMemory(memory.peak)}`, at: lastAt}];
}

function endOf(before: RunState, {state, message, seconds, lastAt}: RunState): LogLine[] {
  if (state === before.state || (state !== 'finished' && state !== 'failed' && state !== 'stopped')) return [];
  const text = `${state} after ${formatSeconds(seconds)}${message === null ? '' : `: ${message}`}`;
  return [{level: state === 'failed' ? 'error' : 'info', text, at: lastAt}];
}
