/** The trials of a sweep file found again among those of its run: by what they are, not by how their rate is written. */
import {grouped} from '../grouped.ts';
import {axisKeys, type Settings} from './axes/keys.ts';
import {fixedSettings} from './axes/values.ts';
import {shownRates} from './rates.ts';
import {nameOf, type Sweep, type Trial} from './sweep.ts';
import {expandTrials} from './trials.ts';

/** Rates up to this far apart (relative) are the same: nobody types all digits of a grid point. */
const rateTolerance = 1e-3;
/** Three digits lie no farther than this from the rate that they show. */
const shownTolerance = 5e-3;

/** Whether a rate as written means a known one to 0.1 %; the bound is within, whatever the division makes of it. */
export function isSameRate(written: number, known: number): boolean {
  return Math.abs(written / known - 1) <= rateTolerance * (1 + 1e-9);
}

/**
 * The same trials in the same order; one that is stored keeps its stored id and its stored rate.
 *
 * A trial is stored where one of the same method, rank, batch size, seed and values of further axes has its rate: the rate itself, else the
 * nearest one that lies within 0.1 % or is shown like that (three digits in tables and ids, five in quick fixes). Each
 * stored trial is found once, so that two rates of one file stay two trials, however near. A trial that is new takes the
 * rate that other trials have for what stands in the file, so that seeds and methods share it, and an id that no other has.
 * `fixed`: what a trial has of axes that it says nothing of.
 */
export function recognised(trials: readonly Trial[], stored: readonly Trial[], fixed: Settings = {}): Trial[] {
  if (stored.length === 0) return [...trials];
  const found = new Map<Trial, Trial>();
  const settingOf = settingsBy(fixed, trials, stored);
  const exactly = (trial: Trial): string => `${settingOf(trial)} ${trial.learningRate}`;
  const known = grouped(stored, settingOf);
  for (const [setting, group] of grouped(trials, settingOf))
    for (const [trial, same] of matched(group, known.get(setting) ?? [])) found.set(trial, same);
  const sharedRate = sharing(trials, stored, found);
  const names = new Map(stored.map(({id, learningRate}) => [learningRate, rateNameIn(id)]));
  const ids = new Set(stored.map(({id}) => id));
  const exact = new Set([...found.values()].map(exactly));
  return trials.map(trial => {
    const same = found.get(trial);
    if (same) return {...trial, id: same.id, learningRate: same.learningRate};
    const shared = {...trial, learningRate: sharedRate(trial)};
    const settled = exact.has(exactly(shared)) ? trial : shared;
    exact.add(exactly(settled));
    const id = freeId(settled, names.get(settled.learningRate), ids);
    ids.add(id);
    return {...settled, id};
  });
}

/** The trials of a sweep file under the ids and rates that they have among `stored` ones, each of which says its value of every axis. */
export function trialsAmong(sweep: Sweep, stored: readonly Trial[]): Trial[] {
  return recognised(expandTrials(sweep), stored, fixedSettings(sweep));
}

/**
 * Everything of a trial but its rate. Alpha counts where it is an axis: else a changed one is a changed trial. The model counts where
 * there are several: a single one may be called otherwise, and whether it is another one its hash says. `auto` is the one precision that there is:
 * whether it comes to another one now the manifest says.
 */
function settingsBy(fixed: Settings, trials: readonly Trial[], stored: readonly Trial[]): (trial: Trial) => string {
  const all = [...trials, ...stored];
  const byModel = trials.some(({model}) => model !== undefined) || new Set(stored.map(({model}) => model)).size > 1;
  const byAlpha = all.some(({settings}) => settings?.['alpha'] !== undefined);
  const ambiguous = new Set([...ambiguousAlphas(trials), ...ambiguousAlphas(stored)]);
  const alphaIn = (trial: Trial): string | number =>
    ambiguous.has(alphaKey(trial)) ? (trial.settings?.['alpha'] ?? String(trial.alpha)) : trial.alpha;
  const keys = axisKeys.filter(key => key !== 'alpha' && key !== 'model');
  const precisions = new Set(stored.map(({settings}) => settings?.['training.precision']));
  const isOpen = (key: string) => key === 'training.precision' && fixed[key] === 'auto' && precisions.size < 2;
  const several = keys.filter(key => all.some(({settings}) => settings?.[key] !== undefined) && !isOpen(key));
  return trial => {
    const {model = fixed['model'] ?? '', method, rank, batchSize, seed, settings = {}, order = seed} = trial;
    const texts = several.map(key => settings[key] ?? fixed[key] ?? '');
    return JSON.stringify([
      nameOf(trial),
      method,
      rank,
      batchSize,
      seed,
      order,
      byModel ? model : '',
      byAlpha ? alphaIn(trial) : '',
      ...texts,
    ]);
  };
}

const alphaKey = (trial: Trial): string => `${nameOf(trial)} ${trial.rank} ${trial.alpha}`;

/** Alphas that stand in one file twice, as `rank` and `8` do at rank 8: there the text tells trials apart. */
function ambiguousAlphas(trials: readonly Trial[]): string[] {
  const texts = ({settings}: Trial): string | undefined => settings?.['alpha'];
  return [...grouped(trials, alphaKey)].flatMap(([key, own]) => (new Set(own.map(texts)).size > 1 ? [key] : []));
}

/** Pairs of trials that differ by no more than the writing of their rate: equal rates first, then the nearest ones. */
function matched(trials: readonly Trial[], stored: readonly Trial[]): Map<Trial, Trial> {
  const found = new Map<Trial, Trial>();
  const exact = new Map(stored.map(one => [one.learningRate, one]));
  for (const trial of trials) {
    const same = exact.get(trial.learningRate);
    if (!same) continue;
    found.set(trial, same);
    exact.delete(trial.learningRate);
  }
  const pairs = trials
    .filter(trial => !found.has(trial))
    .flatMap(trial => [...exact.values()].filter(isWrittenAs(trial.learningRate)).map(one => ({trial, one})))
    .sort((a, b) => apart(a.trial, a.one) - apart(b.trial, b.one) || a.one.learningRate - b.one.learningRate);
  for (const {trial, one} of pairs) {
    if (found.has(trial) || !exact.delete(one.learningRate)) continue;
    found.set(trial, one);
  }
  return found;
}

const apart = (a: Pick<Trial, 'learningRate'>, b: Pick<Trial, 'learningRate'>): number =>
  Math.abs(Math.log(a.learningRate / b.learningRate));

/** Whether a stored rate may stand in the file as this one. */
function isWrittenAs(written: number): (known: Pick<Trial, 'learningRate'>) => boolean {
  return ({learningRate}) =>
    isSameRate(written, learningRate) ||
    (Math.abs(written / learningRate - 1) <= shownTolerance && shownRates(learningRate).includes(written));
}

/**
 * What rate a new trial takes: that of stored trials which were found by the same rate of the file, those of its own method
 * first; else a stored rate that may stand in the file as its own, and that no other rate of the file stands for.
 */
function sharing(
  trials: readonly Trial[],
  stored: readonly Trial[],
  found: ReadonlyMap<Trial, Trial>,
): (trial: Trial) => number {
  const own = new Map<string, number>();
  const all = new Map<number, number>();
  const standsFor = new Set<number>();
  for (const [trial, {learningRate}] of found) {
    const {learningRate: written} = trial;
    const name = `${nameOf(trial)} ${written}`;
    if (!own.has(name)) own.set(name, learningRate);
    if (!all.has(written)) all.set(written, learningRate);
    standsFor.add(learningRate);
  }
  const written = new Set(trials.map(({learningRate}) => learningRate));
  const free = [...new Set(stored.map(({learningRate}) => learningRate))]
    .filter(rate => !standsFor.has(rate) && !written.has(rate))
    .map(learningRate => ({learningRate}));
  return trial => {
    const {learningRate} = trial;
    const known = own.get(`${nameOf(trial)} ${learningRate}`) ?? all.get(learningRate);
    if (known !== undefined) return known;
    const near = free
      .filter(isWrittenAs(learningRate))
      .sort((a, b) => apart(a, {learningRate}) - apart(b, {learningRate}))[0];
    const rate = near?.learningRate ?? learningRate;
    if (near) free.splice(free.indexOf(near), 1);
    all.set(learningRate, rate);
    return rate;
  };
}

/** The id with as many digits of the rate as it takes to be the only one. */
function freeId(trial: Trial, sharedName: string | undefined, taken: ReadonlySet<string>): string {
  const least = rateNameIn(trial.id).length;
  const names = Array.from({length: 15}, (_, k) => trial.learningRate.toExponential(k + 2));
  // An id that was made with more digits, for the sake of neighbours in the file, keeps them.
  return (
    [sharedName ?? '', ...names.filter(name => name.length >= least)]
      .filter(Boolean)
      .map(name => trial.id.replace(rateInId, `-lr${name}-s$2`))
      .find(id => !taken.has(id)) ?? trial.id
  );
}

/** `2.00e-5` of `pissa-r8-b16-lr2.00e-5-s1`; empty where an id is made otherwise. */
function rateNameIn(id: string): string {
  return rateInId.exec(id)?.[1] ?? '';
}

const rateInId = /-lr([\d.]+e[+-]?\d+)-s(\d+)$/;
