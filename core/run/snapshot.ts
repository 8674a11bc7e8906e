/**
 * A folded run as text, so that a long one opens without reading its millions of events: a cache beside `events.jsonl`,
 * which stays the truth. It stands for the file's first `bytes` bytes, of which it remembers the end.
 */
import {parseJson} from '../json.ts';
import {
  type Check,
  count,
  flag,
  isRecord,
  listOf,
  number,
  numberOrNull,
  oneOf,
  optional,
  orNull,
  record,
  recordOf,
  text,
  time,
} from '../shape.ts';
import {emptyRun, type RunState} from './fold.ts';
import {costShape, eventShapes, pinnedShape, searchShape, taskShape, trialShape, verdictShape} from './line.ts';

/** In the run folder, from `snapshotFrom` bytes of events on. */
export const snapshotName = 'fold.json';
export const snapshotFrom = 1 << 20;

/** Values of a snapshot: ten thousand trials with curves of their own. */
const mostValues = 60_000_000;

/** To be raised with every change of what the fold makes of events: older snapshots do not count then. */
const foldVersion = 8;

/** Bytes before the end of the part it stands for that must still be the same. */
export const tailBytes = 256;

export interface Snapshot {
  state: RunState;
  bytes: number;
  /** The last `tailBytes` of that part. */
  tail: string;
  /** Of a task's attempt: bytes of the files of the attempts before it. */
  before?: number[];
}

export function formatSnapshot({state, bytes, tail, before}: Snapshot): string {
  return JSON.stringify({version: foldVersion, bytes, tail, before, state});
}

/** Null where the text is not a snapshot of this version. */
export function readSnapshot(snapshot: string): Snapshot | null {
  let stored: unknown;
  try {
    stored = parseJson(snapshot, 'a snapshot', mostValues);
  } catch {
    return null;
  }
  if (!isSnapshot(stored)) return null;
  const places: RunState['places'] = Object.create(null);
  for (const [place, {trial}] of stored.state.trials.entries()) places[trial.id] = place;
  const {bytes, tail, before = []} = stored;
  return {state: {...emptyRun, ...stored.state, places}, bytes, tail, before};
}

function isSnapshot(value: unknown): value is Snapshot {
  return snapshotShape(value);
}

/** Columns of equal length, as the charts go through them side by side. */
const series: Check = value =>
  record({
    stride: number,
    steps: listOf(number),
    means: listOf(number),
    minima: listOf(number),
    maxima: listOf(number),
    counts: listOf(number),
  })(value) &&
  isRecord(value) &&
  ['means', 'minima', 'maxima', 'counts'].every(column => lengthOf(value[column]) === lengthOf(value['steps']));

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : -1);

const evaluation = record({
  trial: text,
  step: count,
  task: text,
  metric: text,
  value: numberOrNull,
  correct: numberOrNull,
  total: number,
  right: optional(text),
});

const view = record({
  trial: trialShape,
  state: oneOf('waiting', 'running', 'paused', 'finished', 'diverged', 'failed', 'stopped'),
  steps: count,
  totalSteps: count,
  loss: numberOrNull,
  gradNorm: numberOrNull,
  losses: series,
  gradNorms: series,
  rates: series,
  tokens: number,
  evaluations: listOf(evaluation),
  seconds: number,
  secondsBefore: number,
  from: count,
  startedAt: orNull(time),
  warmAt: orNull(time),
  lastStepAt: orNull(time),
  endedAt: orNull(time),
  message: orNull(text),
  tails: recordOf(numberOrNull),
});

const taskView: Check = value =>
  taskShape(value) &&
  record({
    state: oneOf('waiting', 'running', 'finished', 'failed', 'stopped'),
    attempt: count,
    host: orNull(text),
    process: orNull(text),
    job: orNull(text),
    workers: count,
    startedAt: orNull(time),
    lastAt: orNull(time),
    seconds: number,
    message: orNull(text),
  })(value);

const snapshotShape = record({
  version: value => value === foldVersion,
  bytes: count,
  tail: text,
  before: optional(listOf(count)),
  state: record({
    name: text,
    engine: text,
    reason: text,
    setUp: orNull(text),
    workers: count,
    state: oneOf('waiting', 'running', 'finished', 'failed', 'stopped'),
    startedAt: orNull(time),
    lastAt: orNull(time),
    seconds: number,
    resumed: flag,
    trials: listOf(view),
    selected: listOf(text),
    added: listOf(text),
    asked: count,
    curvature: listOf(eventShapes.curvature),
    costs: listOf(costShape),
    aggregates: listOf(eventShapes.aggregate),
    notes: listOf(text),
    memory: orNull(record({bytes: number, peak: number})),
    preparing: orNull(eventShapes.prepared),
    message: orNull(text),
    search: orNull(searchShape),
    verdict: orNull(verdictShape),
    searched: listOf(eventShapes.searched),
    challenged: listOf(eventShapes.challenged),
    fixed: recordOf(text),
    made: orNull(recordOf(text)),
    tune: listOf(text),
    objective: listOf(text),
    tasks: listOf(taskView),
    task: orNull(text),
    pinned: orNull(pinnedShape),
    submitted: listOf(eventShapes.submitted),
  }),
});
