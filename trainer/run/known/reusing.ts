/** Trials that a run need not train, because one beside it has. */
import {basename} from 'node:path';
import {grouped} from '../../../core/grouped.ts';
import {count} from '../../../core/run/format.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {type Beside, copyTrained, eventsOfTaken, finishedBeside} from '../../store/beside.ts';
import type {Surroundings} from '../../store/manifest.ts';
import {type TrialForm, trialPrint} from '../../store/trial-print.ts';
import type {Prepared} from '../prepare.ts';
import type {UnderWay} from '../under-way.ts';

/** The print of a trial of this run, in the form that it is trained in. */
export type PrintOf = (trial: Trial, form: TrialForm) => string;

export function printing({sweep}: Prepared, around: Surroundings): PrintOf {
  return (trial, form) => trialPrint(sweep, trial, around, form);
}

/** The form of a trial that shares its steps with no other. */
export function aloneForm(prepared: Prepared, trial: Trial): TrialForm {
  const own = prepared.of(trial);
  return {rows: own.source(trial.batchSize).rows, recompute: own.size.recompute, lanes: 1};
}

export interface Taken {
  trial: Trial;
  from: Beside;
}

/**
 * Those of the trials that have not begun here and that a run beside this one has finished under the same settings, model and data.
 * A search decides by what its trials had come to on the way, and parts of a run by their plan: they take nothing.
 */
export async function takenFrom(
  {prepared, choice, store, options}: UnderWay,
  trials: readonly Trial[],
  {print, around}: {print: PrintOf; around: Surroundings},
): Promise<Taken[]> {
  const {sweep} = prepared;
  const isAlone = !choice.gpu && (sweep.run.pack === 'auto' || sweep.run.pack === 1);
  if (options.reuse === false || options.part || sweep.search || !isAlone || trials.length === 0) return [];
  const prints = new Map(trials.map(trial => [print(trial, aloneForm(prepared, trial)), trial]));
  const models = [around.modelHash, ...Object.values(around.models ?? {}).map(({hash}) => hash)];
  const sets = [...grouped(trials, trial => prepared.of(trial).sweep.evaluate)];
  const taken: Taken[] = [];
  for (const [evaluations, own] of sets) {
    const wanted = new Set([...prints].filter(([, trial]) => own.includes(trial)).map(([one]) => one));
    const found = await finishedBeside(store.folder, wanted, {evaluations, models});
    taken.push(...[...found].map(([one, from]) => ({trial: prints.get(one)!, from})));
  }
  return taken;
}

/** Stores them as if they had been trained here, and says whose they are. */
export async function take({store, emit}: Pick<UnderWay, 'store' | 'emit'>, taken: readonly Taken[]): Promise<void> {
  for (const [folder, own] of grouped(taken, ({from}) => from.folder)) {
    const run = basename(folder);
    const ids = new Map(own.map(({trial, from}) => [from.id, trial.id]));
    const some = own.slice(0, 3).map(({trial}) => trial.id);
    emit({
      event: 'note',
      message: `${count(own.length, 'trial')} ${own.length === 1 ? 'is' : 'are'} taken from ${run}, which had finished ${own.length === 1 ? 'it' : 'them'} under the same settings, model and data: ${some.join(', ')}${own.length > 3 ? ', …' : ''}; with --no-reuse ${own.length === 1 ? 'it is' : 'they are'} trained anew.`,
    });
    for (const {trial, from} of own) copyTrained(from, store.folder, trial.id);
    await eventsOfTaken(folder, ids, body => emit(body.event === 'trial-started' ? {...body, taken: run} : body));
  }
}
