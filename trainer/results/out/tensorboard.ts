/** A run as TensorBoard reads it: a folder a trial, with its curves, its results and what HParams lists it with. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Evaluation, RunState, TrialView} from '../../../core/run/fold.ts';
import {writePieces} from '../../files/write-pieces.ts';
import {settingsOf} from '../rows.ts';
import type {Traced, Traces} from '../traces.ts';
import {eventRecord, fileHeader, sessionRecord, sessionStatus} from './event-file.ts';
import {runFolderNames} from './folder-names.ts';

/**
 * `folder/TRIAL/events.out.tfevents.*` of every trial that was begun, with the tags train/loss, train/grad_norm,
 * train/learning_rate and eval/TASK/METRIC. A number that is not finite is NaN.
 * @returns how many trials
 */
export function writeTensorboard(folder: string, state: RunState, traces: Traces): number {
  const begun = state.trials.filter(view => view.state !== 'waiting' || view.evaluations.length > 0);
  const names = runFolderNames(begun.map(({trial}) => trial.id));
  const settings = settingsOf(state);
  begun.forEach((view, k) => {
    const {trial} = view;
    const steps = traces.of(trial.id);
    const start = startOf(view, steps, state) / 1000;
    const own = join(folder, names[k]!);
    mkdirSync(own);
    const hparams = Object.fromEntries(settings(trial));
    // The number is the second of its start, as others write it: the same file each time.
    const file = `events.out.tfevents.${String(Math.floor(start)).padStart(10, '0')}.lora-sweep`;
    writePieces(join(own, file), recordsOf(view, {steps, start, hparams}));
  });
  return begun.length;
}

/** Of what is told of a trial, the earliest, in milliseconds since 1970: it may have gone on from a checkpoint since. */
function startOf({startedAt, evaluations}: TrialView, steps: readonly Traced[], run: RunState): number {
  const times = [startedAt, steps[0]?.at, ...evaluations.map(({at}) => at)].filter(at => typeof at === 'number');
  return times.length > 0 ? Math.min(...times) : (run.startedAt ?? 0);
}

interface Told {
  steps: readonly Traced[];
  /** Seconds since 1970. */
  start: number;
  hparams: Record<string, string | number>;
}

function* recordsOf(view: TrialView, {steps, start, hparams}: Told): Iterable<Uint8Array> {
  yield fileHeader(start);
  yield sessionRecord(start, {sessionStart: {hparams, groupName: view.trial.id, startTimeSeconds: start}});
  const evaluations = [...view.evaluations].sort((a, b) => a.step - b.step);
  let next = 0;
  let last = start;
  const due = function* (before: number): Iterable<Uint8Array> {
    for (; next < evaluations.length && evaluations[next]!.step < before; next++)
      yield resultRecord(evaluations[next]!, last);
  };
  for (const step of steps) {
    yield* due(step.step);
    last = step.at / 1000;
    yield stepRecord(step);
  }
  yield* due(Number.POSITIVE_INFINITY);
  const end = (view.endedAt ?? last * 1000) / 1000;
  const status = view.state === 'finished' ? sessionStatus.success : sessionStatus.failure;
  if (['finished', 'diverged', 'failed'].includes(view.state))
    yield sessionRecord(end, {sessionEnd: {status, endTimeSeconds: end}});
}

function stepRecord({step, loss, gradNorm, rate, at}: Traced): Uint8Array {
  const values = [
    {tag: 'train/loss', simpleValue: loss ?? Number.NaN},
    {tag: 'train/grad_norm', simpleValue: gradNorm ?? Number.NaN},
    {tag: 'train/learning_rate', simpleValue: rate},
  ];
  return eventRecord({wallTime: at / 1000, step, summary: {values}});
}

/** `last`: the seconds of what was told before it, where a result has no time of its own. */
function resultRecord({step, task, metric, value, at}: Evaluation, last: number): Uint8Array {
  const tag = `eval/${task}/${metric}`;
  return eventRecord({
    wallTime: at === undefined ? last : at / 1000,
    step,
    summary: {values: [{tag, simpleValue: value ?? Number.NaN}]},
  });
}
