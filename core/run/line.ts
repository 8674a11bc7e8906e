/** One line of `events.jsonl` and back. What is stored may come from a crash, a later version or an editor. */
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
import type {RunEvent} from './events.ts';

/** `event` is absent where the line is not one: `garbage` = not a well-formed event, `unknown` = of a later version. */
export type Line = {event: RunEvent} | {event?: undefined; reason: 'garbage' | 'unknown'};

/** The event as a line with its newline; its name and time stand first. */
export function formatLine(stored: RunEvent): string {
  const {event, at, ...rest} = stored;
  return `${JSON.stringify({event, at, ...rest})}\n`;
}

/** Reads a line without its newline. Never throws; fields that this version does not know are kept. */
export function readLine(line: string): Line {
  let value: unknown;
  try {
    value = parseJson(line, 'this line');
  } catch {
    return {reason: 'garbage'};
  }
  if (!isRecord(value) || typeof value['event'] !== 'string' || !time(value['at'])) {
    return {reason: 'garbage'};
  }
  if (!Object.hasOwn(eventShapes, value['event'])) return {reason: 'unknown'};
  return isEvent(value) ? {event: value} : {reason: 'garbage'};
}

export const trialShape = record({
  id: text,
  method: text,
  rank: number,
  alpha: number,
  batchSize: number,
  learningRate: number,
  seed: number,
  model: optional(text),
  name: optional(text),
  settings: optional(recordOf(text)),
  own: optional(listOf(text)),
  order: optional(count),
});

const columns = ['steps', 'means', 'minima', 'maxima', 'counts'];
const inColumns = record({stride: number, ...Object.fromEntries(columns.map(name => [name, listOf(number)]))});

/** Columns of equal length, as the charts go through them side by side. */
export const seriesShape: Check = value =>
  inColumns(value) && isRecord(value) && new Set(columns.map(name => (value[name] as unknown[]).length)).size === 1;
/** More seeds than this are a slip, and take their time in every test of significance. */
export const mostSeeds = 100_000;
const seedCount: Check = value => count(value) && Number(value) >= 1 && Number(value) <= mostSeeds;

/** What a method costs. */
export const costShape = record({
  method: text,
  name: optional(text),
  rank: number,
  model: optional(text),
  targets: optional(text),
  parameters: number,
  optimizerBytes: number,
  relativeFlops: number,
  inferenceOverhead: number,
});

/** How rates are searched. */
export const searchShape = record({strategy: oneOf('halving'), scan: number, start: optional(oneOf('curvature'))});

/** When methods count as different. */
export const verdictShape = record({
  margin: number,
  baseline: text,
  seeds: optional(count),
  looks: optional(listOf(count)),
});

export const taskShape = record({task: text, cell: text, cells: optional(listOf(text)), trials: listOf(text)});

const precision = oneOf('float32', 'bfloat16');
/** What tasks do alike. */
export const pinnedShape = record({
  engine: text,
  precision,
  further: optional(recordOf(record({engine: text, precision}))),
  device: optional(oneOf('cpu', 'gpu')),
  provisional: optional(flag),
  microBatch: recordOf(count),
  recompute: flag,
  steps: recordOf(count),
});

const step = record({
  trials: listOf(text),
  step: count,
  losses: listOf(numberOrNull),
  rates: listOf(number),
  gradNorms: listOf(numberOrNull),
  tokens: optional(listOf(number)),
});

/** The fields that a fold relies on. */
export const eventShapes: Record<RunEvent['event'], Check> = {
  'run-started': record({
    name: text,
    trials: listOf(trialShape),
    engine: text,
    reason: text,
    workers: count,
    resumed: flag,
    steps: recordOf(count),
    selected: optional(listOf(text)),
    costs: optional(listOf(costShape)),
    probes: optional(number),
    setUp: optional(text),
    search: optional(searchShape),
    verdict: optional(verdictShape),
    fixed: optional(recordOf(text)),
    made: optional(recordOf(text)),
    evaluations: optional(listOf(record({index: count, from: text, to: orNull(text)}))),
    taken: optional(count),
    tune: optional(listOf(text)),
    objective: optional(listOf(text)),
    tasks: optional(listOf(taskShape)),
    pinned: optional(pinnedShape),
  }),
  submitted: record({
    to: text,
    job: orNull(text),
    tasks: listOf(text),
    round: count,
    script: optional(text),
    relay: optional(text),
    prepare: optional(text),
    offset: optional(count),
    by: optional(oneOf('relay')),
    done: optional(count),
    retried: optional(listOf(text)),
    options: optional(listOf(text)),
    profile: optional(text),
    lines: optional(flag),
  }),
  'task-started': record({
    task: text,
    attempt: count,
    host: text,
    process: optional(text),
    job: optional(text),
    engine: text,
    workers: count,
    selected: listOf(text),
  }),
  'task-ended': record({
    task: text,
    attempt: count,
    state: oneOf('finished', 'failed', 'stopped', 'superseded'),
    seconds: number,
    message: optional(text),
  }),
  merged: record({files: recordOf(count)}),
  'trials-added': record({trials: listOf(trialShape), asked: optional(flag)}),
  searched: record({
    cell: text,
    stage: oneOf('scan', 'pair', 'walk', 'seeds', 'again', 'done'),
    place: numberOrNull,
    trials: listOf(text),
    until: count,
    chosen: numberOrNull,
    left: optional(text),
    why: text,
  }),
  challenged: record({cell: text, method: text, by: text, rates: listOf(number)}),
  prepared: record({what: text, done: number, total: number}),
  'trial-started': record({
    trial: text,
    steps: count,
    fingerprint: optional(text),
    taken: optional(text),
    from: optional(count),
    loss: optional(numberOrNull),
    gradNorm: optional(numberOrNull),
    curves: optional(record({losses: seriesShape, gradNorms: seriesShape, rates: seriesShape})),
  }),
  step: value =>
    step(value) &&
    isRecord(value) &&
    [value['losses'], value['rates'], value['gradNorms']].every(
      column => Array.isArray(column) && Array.isArray(value['trials']) && column.length === value['trials'].length,
    ),
  evaluation: record({
    trial: text,
    step: count,
    task: text,
    entry: optional(text),
    metric: text,
    value: numberOrNull,
    correct: numberOrNull,
    total: number,
    index: optional(number),
    right: optional(text),
  }),
  aggregate: record({
    model: optional(text),
    settings: optional(recordOf(text)),
    own: optional(listOf(text)),
    method: text,
    rank: number,
    batchSize: number,
    learningRate: number,
    task: text,
    metric: text,
    mean: number,
    std: numberOrNull,
    seeds: seedCount,
  }),
  'trial-ended': record({
    trial: text,
    state: oneOf('finished', 'diverged', 'failed', 'stopped', 'paused'),
    steps: count,
    tail: optional(numberOrNull),
    seconds: number,
    message: optional(text),
    adapter: optional(text),
  }),
  curvature: record({
    method: text,
    rank: number,
    batchSize: number,
    seed: number,
    step: number,
    layer: number,
    module: text,
    lambdaMax: number,
    lambdaMin: numberOrNull,
    iterations: numberOrNull,
    residual: numberOrNull,
    name: optional(text),
    model: optional(text),
    settings: optional(recordOf(text)),
    own: optional(listOf(text)),
    trial: optional(text),
    learningRate: optional(number),
    preconditioned: optional(numberOrNull),
  }),
  resources: record({memoryBytes: number}),
  note: record({message: text}),
  'run-ended': record({
    state: oneOf('finished', 'failed', 'stopped'),
    seconds: number,
    message: optional(text),
  }),
};

function isEvent(value: Record<string, unknown>): value is Record<string, unknown> & RunEvent {
  const name = value['event'];
  return isEventName(name) && eventShapes[name](value);
}

function isEventName(name: unknown): name is RunEvent['event'] {
  return typeof name === 'string' && Object.hasOwn(eventShapes, name);
}
