/** One line of `events.jsonl` and back. What is stored may come from a crash, a later version or an editor. */
import type {RunEvent} from './events.ts';

/** `event` is absent where the line is not one: `garbage` = not a well-formed event, `unknown` = of a later version. */
export type Line = {event: RunEvent} | {event?: undefined; reason: 'garbage' | 'unknown'};

/** The event as a line with its newline; its name and time stand first. */
export function formatLine(stored: RunEvent): string {
  const {event, at, ...rest} = stored;
  return `${JSON.stringify({event, at, ...rest})}\n`;
}

/** Reads a line without its newline. Never throws; fields that this version does not know are kept. */
export function readLine(text: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {reason: 'garbage'};
  }
  if (!isRecord(value) || typeof value['event'] !== 'string' || typeof value['at'] !== 'number') {
    return {reason: 'garbage'};
  }
  if (!Object.hasOwn(shapes, value['event'])) return {reason: 'unknown'};
  return isEvent(value) ? {event: value} : {reason: 'garbage'};
}

type Check = (value: unknown) => boolean;

const text: Check = value => typeof value === 'string';
const number: Check = value => typeof value === 'number';
const numberOrNull: Check = value => value === null || number(value);
const flag: Check = value => typeof value === 'boolean';
const optional =
  (check: Check): Check =>
  value =>
    value === undefined || check(value);
const listOf =
  (item: Check): Check =>
  value =>
    Array.isArray(value) && value.every(item);
const oneOf =
  (...values: string[]): Check =>
  value =>
    typeof value === 'string' && values.includes(value);
const record =
  (fields: Record<string, Check>): Check =>
  value =>
    isRecord(value) && Object.entries(fields).every(([key, check]) => check(value[key]));

const trial = record({
  id: text,
  method: text,
  rank: number,
  alpha: number,
  batchSize: number,
  learningRate: number,
  seed: number,
  model: optional(text),
});

const columns = ['steps', 'means', 'minima', 'maxima', 'counts'];
const series: Check = value =>
  record({stride: number, ...Object.fromEntries(columns.map(name => [name, listOf(number)]))})(value) &&
  isRecord(value) &&
  new Set(columns.map(name => (value[name] as unknown[]).length)).size === 1;

/** The fields that a fold relies on. */
const shapes: Record<RunEvent['event'], Check> = {
  'run-started': record({
    name: text,
    trials: listOf(trial),
    engine: text,
    reason: text,
    workers: number,
    resumed: flag,
    steps: value => isRecord(value) && Object.values(value).every(number),
    selected: value => value === undefined || listOf(text)(value),
    setUp: optional(text),
  }),
  prepared: record({what: text, done: number, total: number}),
  'trial-started': record({
    curves: optional(record({losses: series, gradNorms: series, rates: series})),
    trial: text,
    steps: number,
    loss: optional(numberOrNull),
    gradNorm: optional(numberOrNull),
  }),
  step: value =>
    record({
      trials: listOf(text),
      step: number,
      losses: listOf(numberOrNull),
      rates: listOf(number),
      gradNorms: listOf(numberOrNull),
      tokens: optional(listOf(number)),
    })(value) &&
    isRecord(value) &&
    [value['losses'], value['rates'], value['gradNorms']].every(
      column => Array.isArray(column) && Array.isArray(value['trials']) && column.length === value['trials'].length,
    ),
  evaluation: record({
    trial: text,
    step: number,
    task: text,
    metric: text,
    value: numberOrNull,
    correct: numberOrNull,
    total: number,
    index: optional(number),
  }),
  aggregate: record({
    model: optional(text),
    method: text,
    rank: number,
    batchSize: number,
    learningRate: number,
    task: text,
    metric: text,
    mean: number,
    std: numberOrNull,
    seeds: number,
  }),
  'trial-ended': record({
    trial: text,
    state: oneOf('finished', 'diverged', 'failed', 'stopped'),
    steps: number,
    seconds: number,
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
    lambdaMin: number,
    iterations: number,
    residual: number,
    trial: optional(text),
    learningRate: optional(number),
    preconditioned: optional(numberOrNull),
  }),
  resources: record({memoryBytes: number}),
  note: record({message: text}),
  'run-ended': record({state: oneOf('finished', 'failed', 'stopped'), seconds: number}),
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEvent(value: Record<string, unknown>): value is Record<string, unknown> & RunEvent {
  const name = value['event'];
  return isEventName(name) && shapes[name](value);
}

function isEventName(name: unknown): name is RunEvent['event'] {
  return typeof name === 'string' && Object.hasOwn(shapes, name);
}
