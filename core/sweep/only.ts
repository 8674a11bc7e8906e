import {SweepError} from '../error.ts';
import type {TrialState} from '../run/events.ts';
import {isAxisKey, settingOf} from './axes/axes.ts';
import {type AxisKey, axisKeys, type Settings} from './axes/keys.ts';
import {fixedSettings} from './axes/values.ts';
import {either} from './problems.ts';
import {isSameRate, trialsAmong} from './recognise.ts';
import {nameOf, type Sweep, type Trial} from './sweep.ts';
import {nearest} from './table/suggest.ts';

type Test = (trial: Trial, value: string, stored: Stored) => boolean;

/** What the run of a sweep has stored. */
export interface Stored {
  trials: readonly Trial[];
  /** How a trial stands by its id; absent = no trial has begun. */
  stateOf?(id: string): TrialState;
}

const states: readonly TrialState[] = ['waiting', 'running', 'paused', 'finished', 'diverged', 'failed', 'stopped'];
const standing = (id: string, {stateOf}: Stored): TrialState => stateOf?.(id) ?? 'waiting';

const tests: Readonly<Record<string, Test>> = {
  method: (trial, value) => nameOf(trial) === value,
  rank: ({rank}, value) => rank === Number(value),
  batch_size: ({batchSize}, value) => batchSize === Number(value),
  learning_rate: ({learningRate}, value) => isSameRate(Number(value), learningRate),
  seed: ({seed}, value) => seed === Number(value),
  trial: ({id}, value) => id === value,
  state: ({id}, value, stored) => standing(id, stored) === value,
};

/** Keys whose values are numbers. */
const numeric: ReadonlySet<string> = new Set(['rank', 'batch_size', 'learning_rate', 'seed']);

/** What a trial has of an axis, as text; `fixed`: of trials that say nothing of it. */
function textOf(trial: Trial, key: AxisKey, fixed: Settings): string {
  return settingOf(trial, key) ?? fixed[key] ?? (key === 'alpha' ? String(trial.alpha) : '');
}

/** A number may be written in any way; alpha as a number or as its expression. */
function isMeant(trial: Trial, key: AxisKey, value: string, fixed: Settings): boolean {
  const text = textOf(trial, key, fixed);
  if (key === 'alpha' && Number(value) === trial.alpha) return true;
  return text === value || (value !== '' && Number(text) === Number(value));
}

/** Other words for the keys. */
const names = new Map<string, readonly string[]>([
  ['method', ['methods']],
  ['rank', ['r', 'ranks']],
  ['batch_size', ['batch', 'b']],
  ['learning_rate', ['lr', 'rate']],
  ['seed', ['seeds', 's']],
  ['trial', ['id', 'trials']],
  ...axisKeys.map(key => [key, [key.slice(key.indexOf('.') + 1), key.replace(/^.*_/, '')]] as const),
  ['state', ['status', 'states']],
]);

/** The key that a filter names: in full, or without the section that it stands in. */
function keyOf(written: string): string {
  return axisKeys.find(key => key === written || key.endsWith(`.${written}`)) ?? written;
}

/**
 * The trials that pass every filter `KEY=VALUE` (`VALUE` may be several, with commas between), in the order of expandTrials.
 * Keys: method (its name in the file), rank, batch_size, learning_rate (to 0.1 %), seed, trial (an id), state (as the sweep's run has
 * left it), and those of all further axes. `further` finds those of the stored trials that stand beside the file's, which filters may
 * mean too.
 * Throws SweepError `usage` for a filter that cannot be read, and `no-trials` for a value, or a combination, that no trial has.
 */
export function onlySweep(
  sweep: Sweep,
  filters: readonly string[],
  stored: Stored = {trials: []},
  further: (trials: readonly Trial[]) => Trial[] = () => [],
): Trial[] {
  const own = trialsAmong(sweep, stored.trials);
  const fixed = fixedSettings(sweep);
  const all = filters.length === 0 ? own : [...own, ...further(own)];
  let chosen = all;
  for (const filter of filters) {
    const {key, values, test} = readFilter(filter, fixed);
    for (const value of values) {
      if (all.some(trial => test(trial, value, stored))) continue;
      throw new SweepError(
        'no-trials',
        `--only ${filter}: no trial of this sweep has ${key} ${value}; ${possible(key, all, {stored, fixed})}.`,
        {filter},
      );
    }
    chosen = chosen.filter(trial => values.some(value => test(trial, value, stored)));
  }
  if (chosen.length === 0) {
    const message = `--only ${filters.join(' --only ')}: each value is there, but no trial has all of them; leave one of the filters out.`;
    throw new SweepError('no-trials', message, {filters});
  }
  return chosen;
}

/** The values that these filters give for a key; none where none of them is about it. */
export function askedOf(key: string, filters: readonly string[]): string[] {
  return filters.map(filter => readFilter(filter, {})).flatMap(filter => (filter.key === key ? filter.values : []));
}

function readFilter(filter: string, fixed: Settings): {key: string; values: string[]; test: Test} {
  const equals = filter.indexOf('=');
  const key = keyOf((equals < 0 ? filter : filter.slice(0, equals)).trim());
  const test = isAxisKey(key) ? axisTest(key, fixed) : Object.hasOwn(tests, key) ? tests[key] : undefined;
  if (test === undefined) {
    const meant = nearest(key, names);
    const message = `--only ${filter}: there is no key '${key}'; it is ${either([...names.keys()])}.${meant ? ` Did you mean '${meant}'?` : ''}`;
    throw new SweepError('usage', message, {filter});
  }
  const values = filter
    .slice(equals + 1)
    .split(',')
    .map(value => value.trim())
    .filter(value => value !== '');
  if (equals < 0 || values.length === 0) {
    throw new SweepError('usage', `--only ${filter}: a value is missing; write ${key}=VALUE, or ${key}=VALUE,VALUE.`, {
      filter,
    });
  }
  const unknown = key === 'state' ? values.find(value => !states.some(state => state === value)) : undefined;
  if (unknown !== undefined) {
    const message = `--only ${filter}: no trial is ever '${unknown}'; write ${either(states)}.`;
    throw new SweepError('usage', message, {filter});
  }
  const wrong = values.find(value => numeric.has(key) && Number.isNaN(Number(value)));
  if (wrong !== undefined) {
    throw new SweepError('usage', `--only ${filter}: '${wrong}' is not a number, as ${key} must be.`, {filter});
  }
  return {key, values, test};
}

function axisTest(key: AxisKey, fixed: Settings): Test {
  return (trial, value) => isMeant(trial, key, value, fixed);
}

/** What a key may be, as far as that can be listed in a sentence. */
function possible(key: string, trials: readonly Trial[], {stored, fixed}: {stored: Stored; fixed: Settings}): string {
  if (key === 'state')
    return `they are ${[...new Set(trials.map(({id}) => standing(id, stored)))].join(', ')}`.replace(
      /, (?=[^,]*$)/,
      ' or ',
    );
  if (key === 'trial') return `its ids look like ${trials[0]?.id}`;
  const values = new Set(
    trials.map(trial => {
      const {rank, batchSize, learningRate, seed} = trial;
      if (isAxisKey(key)) return textOf(trial, key, fixed);
      const shown: Record<string, string | number> = {method: nameOf(trial), rank, batch_size: batchSize, seed};
      return String(shown[key] ?? Number(learningRate.toPrecision(5)).toExponential());
    }),
  );
  const list = [...values].slice(0, 20);
  return `it has ${list.join(', ')}${values.size > list.length ? ' and more' : ''}`;
}
