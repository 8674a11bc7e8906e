/** Which trials stand in one comparison, and what each of them has of the axes that its method tunes. */
import {settingInWords} from '../../sweep/axes/axes.ts';
import {inAxisOrder, type Settings} from '../../sweep/axes/keys.ts';
import {noRank, type Trial} from '../../sweep/sweep.ts';
import type {RunState} from '../fold.ts';

/** What all methods of a comparison have in common. */
export interface Conditions {
  /** Null where the run has one model. */
  model: string | null;
  rank: number;
  batchSize: number;
  /** Values of the further axes that are not tuned; absent where there are none. */
  settings?: Settings;
  /** Every method has a rank of its own, and `rank` is that of none. */
  ownRanks?: true;
}

/** A trial, or what is known of several, as far as it says where it belongs. */
export type Placed = Pick<Trial, 'rank' | 'batchSize' | 'model' | 'settings' | 'own'>;

/** The keys of a run's axes by what they are there for. */
export interface Axes {
  conditions: string[];
  tuned: string[];
  /** One value of all that says nothing of an axis. */
  fixed: Settings;
}

/** A batch size that a variant gives itself is no condition: it stands for any. */
const anyBatch = 0;

export function axesIn({
  trials,
  aggregates = [],
  tune,
  fixed,
}: Pick<RunState, 'tune' | 'fixed'> & {
  trials: readonly {trial: Placed}[];
  aggregates?: readonly Placed[];
}): Axes {
  const all = [...trials.map(({trial}) => trial), ...aggregates];
  const keys = inAxisOrder(all.flatMap(({settings = {}}) => Object.keys(settings)));
  const tuned = keys.filter(key => tune.includes(key));
  const isCondition = (key: string): boolean =>
    all.some(({settings, own}) => settings?.[key] !== undefined && !own?.includes(key));
  return {conditions: keys.filter(key => !tune.includes(key) && isCondition(key)), tuned, fixed};
}

/** The conditions that a trial names; what its variant gives itself is left open. */
export function conditionsOf(trial: Placed, axes: Axes): Conditions {
  const {model = null, rank, batchSize, own = []} = trial;
  const settings = textsOf(
    trial,
    axes.conditions.filter(key => !own.includes(key)),
    axes,
  );
  return {
    model: own.includes('model') ? null : model,
    rank: own.includes('rank') ? noRank : rank,
    batchSize: own.includes('batch_size') ? anyBatch : batchSize,
    ...(settings && {settings}),
  };
}

/** What a trial has of the tuned axes beside the rate; undefined where there are none. */
export function tunedOf(trial: Placed, axes: Axes): Settings | undefined {
  return textsOf(trial, axes.tuned, axes);
}

function textsOf({settings = {}}: Placed, keys: readonly string[], {fixed}: Axes): Settings | undefined {
  if (keys.length === 0) return undefined;
  const found = keys.flatMap(key => {
    const text = settings[key] ?? fixed[key];
    return text === undefined ? [] : [[key, text] as const];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** Whether a trial stands in the comparison of these conditions. */
export function belongs(one: Placed, group: Conditions, {fixed}: Axes): boolean {
  const own = one.own ?? [];
  if ((one.model ?? null) !== group.model && !own.includes('model')) return false;
  if (one.rank !== group.rank && one.rank !== noRank && !own.includes('rank')) return false;
  if (one.batchSize !== group.batchSize && !own.includes('batch_size')) return false;
  return Object.entries(group.settings ?? {}).every(
    ([key, text]) => own.includes(key) || (one.settings?.[key] ?? fixed[key]) === text,
  );
}

/**
 * Without those that leave something open which others settle: trials without a rank, and variants with values of their own,
 * stand in the comparisons of the others, and in one of their own only where there is nothing else.
 */
export function settled<G extends Conditions>(groups: readonly G[], trials: readonly Placed[]): G[] {
  const wider = (a: G, b: G): boolean =>
    a !== b && JSON.stringify(open(a, a)) === JSON.stringify(open(b, a)) && openness(a) > openness(b);
  return groups.filter(group => !groups.some(other => wider(group, other))).map(group => named(group, trials));
}

/** What `b` has, with whatever `a` leaves open left open. */
function open<G extends Conditions>(b: G, a: G): G {
  const settings = Object.entries(b.settings ?? {}).filter(([key]) => a.settings?.[key] !== undefined);
  return {
    ...b,
    model: a.model === null ? null : b.model,
    rank: a.rank === noRank ? noRank : b.rank,
    batchSize: a.batchSize === anyBatch ? anyBatch : b.batchSize,
    settings: Object.fromEntries(settings),
  };
}

function openness({model, rank, batchSize, settings = {}}: Conditions): number {
  return (
    Number(model === null) + Number(rank === noRank) + Number(batchSize === anyBatch) - Object.keys(settings).length
  );
}

/** Where all methods have their own rank or batch size, it is that of all where they agree. */
function named<G extends Conditions>(group: G, trials: readonly Placed[]): G {
  const ranks = new Set(trials.flatMap(({rank, own}) => (own?.includes('rank') ? [rank] : [])));
  const sizes = new Set(trials.map(({batchSize}) => batchSize));
  const [rank] = ranks;
  const batchSize = group.batchSize === anyBatch && sizes.size === 1 ? [...sizes][0]! : group.batchSize;
  if (group.rank !== noRank || rank === undefined) return {...group, batchSize};
  const isShared = ranks.size === 1 && rank !== noRank;
  return isShared ? {...group, rank, batchSize} : {...group, batchSize, ownRanks: true};
}

/** `rank 8, batch size 16, weight decay 0.1`. */
export function conditionsInWords({rank, batchSize, settings = {}, ownRanks}: Conditions): string {
  const size = ownRanks ? 'each at its own rank' : rank === noRank ? 'all weights' : `rank ${rank}`;
  const batch = batchSize === anyBatch ? 'each at its own batch size' : `batch size ${batchSize}`;
  return [size, batch, ...settingsInWords(settings)].join(', ');
}

/** What a trial is trained under, its method and rate left out: `rank 8, batch size 16, weight decay 0.1`. */
export function settingInFull({model, rank, batchSize, settings}: Placed): string {
  const parts = [`rank ${rank}`, `batch size ${batchSize}`, ...settingsInWords(settings)];
  return `${model === undefined ? '' : `${model}: `}${parts.join(', ')}`;
}

/** Each value with the title of its axis. */
export function settingsInWords(settings: Settings = {}): string[] {
  return inAxisOrder(Object.keys(settings)).map(key => settingInWords(key, settings[key]!));
}
