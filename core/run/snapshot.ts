/**
 * A folded run as text, so that a long one opens without reading its millions of events: a cache beside `events.jsonl`,
 * which stays the truth. It stands for the file's first `bytes` bytes, of which it remembers the end.
 */
import {parseJson} from '../json.ts';
import {
  type Check,
  count,
  flag,
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
import {emptyRun, placesOf, type RunState, type TrialView} from './fold.ts';
import {
  costShape,
  eventShapes,
  pinnedShape,
  searchShape,
  seriesShape,
  taskShape,
  trialShape,
  verdictShape,
} from './line.ts';

/** In the run folder, from `snapshotFrom` bytes of events on. */
export const snapshotName = 'fold.json';
export const snapshotFrom = 1 << 20;

/** Values of a line: the first one of a run of a hundred thousand trials names each of them twice. */
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

/** A line of everything but the trials, and one of each trial: whoever must not be busy for long reads a line at a time. */
export function formatSnapshot({state, bytes, tail, before}: Snapshot): string {
  const {trials, places: _, ...run} = state;
  const head: Head = {version: foldVersion, bytes, tail, trials: trials.length, run, ...(before && {before})};
  return [head, ...trials].map(line => `${JSON.stringify(line)}\n`).join('');
}

/** Null where the text is not a snapshot of this version. */
export function readSnapshot(snapshot: string): Snapshot | null {
  const reader = new SnapshotReader();
  for (let at = 0; at < snapshot.length; ) {
    const end = snapshot.indexOf('\n', at);
    if (end < 0 || !reader.take(snapshot.slice(at, end))) return null;
    at = end + 1;
  }
  return reader.end();
}

/** The first line. */
interface Head {
  version: number;
  bytes: number;
  tail: string;
  before?: number[];
  /** Lines that follow. */
  trials: number;
  run: Omit<RunState, 'trials' | 'places'>;
}

/** Takes the lines of a snapshot one after another. */
export class SnapshotReader {
  #head: Head | undefined;
  readonly #trials: TrialView[] = [];

  /** The part of the events that it stands for, once the first line is read. */
  get head(): Pick<Snapshot, 'bytes' | 'tail'> | undefined {
    return this.#head;
  }

  /** The part that is read, from 0 to 1. */
  get part(): number {
    return this.#head ? this.#trials.length / Math.max(1, this.#head.trials) : 0;
  }

  /** @returns false where the line is none of a snapshot of this version */
  take(line: string): boolean {
    let value: unknown;
    try {
      value = parseJson(line, 'a snapshot', mostValues);
    } catch {
      return false;
    }
    if (!this.#head) {
      if (isHead(value)) this.#head = value;
      return this.#head !== undefined;
    }
    if (!isView(value) || this.#trials.length === this.#head.trials) return false;
    this.#trials.push(value);
    return true;
  }

  /** Null where lines are missing. */
  end(): Snapshot | null {
    if (!this.#head || this.#trials.length !== this.#head.trials) return null;
    const {run, bytes, tail, before = []} = this.#head;
    const trials = this.#trials;
    return {state: {...emptyRun, ...run, trials, places: placesOf(trials)}, bytes, tail, before};
  }
}

function isHead(value: unknown): value is Head {
  return headShape(value);
}

function isView(value: unknown): value is TrialView {
  return view(value);
}

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
  losses: seriesShape,
  gradNorms: seriesShape,
  rates: seriesShape,
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

const taskProgress = record({
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
});

const taskView: Check = value => taskShape(value) && taskProgress(value);

const headShape = record({
  version: value => value === foldVersion,
  bytes: count,
  tail: text,
  before: optional(listOf(count)),
  trials: count,
  run: record({
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
