/** The first chapter of a run: what is left to do is found out and recorded. */
import {join} from 'node:path';
import {grouped} from '../../core/grouped.ts';
import type {Curves} from '../../core/run/events.ts';
import type {RunState} from '../../core/run/fold.ts';
import {furtherTrials, ratesInWords, trialsOf} from '../../core/run/trials/known-trials.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {engineNames} from '../engine/choices.ts';
import type {Choice} from '../engine/choose.ts';
import {versions} from '../engine/versions.ts';
import {hashCompanions} from '../files/hash.ts';
import {snapshotOf} from '../hub/cache.ts';
import type {BaseModel} from '../model/open-model.ts';
import {dropAnswers, keptAnswers} from '../store/answers.ts';
import {checkpointsName, dropCheckpoint, settleCheckpoints} from '../store/checkpoint.ts';
import {curvesAt} from '../store/fold/curves.ts';
import type {Surroundings} from '../store/manifest.ts';
import type {Begun, OpenRun} from '../store/run.ts';
import {type Ground, groundsOf} from './grounds.ts';
import {editedInWords} from './known/edited.ts';
import {type PrintOf, printing, type Taken, take, takenFrom} from './known/reusing.ts';
import {type Arrangement, arrange, coresFor, packsOf} from './packs.ts';
import type {Prepared} from './prepare.ts';
import {type ProbePlan, planProbes, type StartRow, startKey} from './probing.ts';
import {hasBegun, isDone, startingAgain} from './resume.ts';
import type {Agenda} from './search/agenda.ts';
import type {Compared} from './search/comparing.ts';
import {agendaOf, askedTrials, comparedBy} from './search/plans.ts';
import type {UnderWay} from './under-way.ts';
import {costsOf, rolesIn, stepsByKey} from './work.ts';

/** What a start has to do. */
export interface Opening {
  /** Trials that are not finished. */
  todo: Trial[];
  /** Steps that each of them has behind it, and their curves where a fold cannot cut them off exactly; kept up as trials pause. */
  steps: Map<string, number>;
  curves: Map<string, Curves>;
  /** The same by ground: workers hold one at a time. */
  phases: Phase[];
  arrangement: Arrangement;
  probes: ProbePlan;
  /** Workers that probe. */
  probers: number;
  /** Everything that moves a trial's numbers, as one hash. */
  print: PrintOf;
}

/** What is trained on one ground. */
export interface Phase {
  ground: Ground;
  todo: Trial[];
  /** What of it is trained, and in which order. */
  agenda: Agenda;
}

/** Looks at what is there, arranges what is left, and stores that the run has started. @throws SweepError `not-comparable` */
export async function beginRun(run: UnderWay): Promise<Opening> {
  const {prepared, trials, choice, store, options, failure} = run;
  const {sweep} = prepared;
  const file = trialsOf(sweep, store.earlier);
  const again = startingAgain(run);
  // What is compared takes what is stored as decided: what starts again is trained whole.
  const compared = again.size > 0 ? null : comparedBy(run, file);
  const asked = askedTrials(run, compared);
  const around = await surroundingsOf(prepared, choice);
  const begun = store.begin(sweep, trials, around);
  const print = printing(prepared, around);
  compared?.further.push(...asked.trials);
  const all = [...new Map([...trials, ...(compared?.further ?? [])].map(trial => [trial.id, trial])).values()];
  const isNothing = options.probeOnly || options.evaluateOnly;
  const left = isNothing ? [] : all.filter(trial => again.has(trial.id) || !isDone(store, trial));
  const fresh = left.filter(trial => !again.has(trial.id) && !hasBegun(store, trial));
  const taken = await takenFrom(run, fresh, {print, around});
  const isTaken = new Set(taken.map(({trial}) => trial));
  const todo = left.filter(trial => !isTaken.has(trial));
  const ids = todo.map(({id}) => id);
  const checkpoints = join(store.folder, checkpointsName);
  dropLeftovers(
    checkpoints,
    all.filter(trial => again.has(trial.id) || isDone(store, trial)),
  );
  dropAnswersTo(begun, checkpoints, all);
  const {steps, notes} = settleCheckpoints(checkpoints, ids, store.reach);
  const curves = await longCurves(store, store.earlier, steps);
  const cores = coresFor(choice, sweep.run.workers);
  const probes = sweep.curvature
    ? planProbes(run, sweep.curvature, trials, knownStarts(run), cores)
    : {phases: [], jobs: [], rows: 0};
  const arrangement = arranged(run, {todo, all: compared ? all : todo, steps, cores});
  const probers = Math.min(cores, probes.jobs.length);
  const phases = phasesOf(run, {all: compared ? all : todo, steps, arrangement}, compared, todo);
  const opening = {todo, steps, curves, phases, arrangement, probes, probers, print};
  tellStart(run, {file, trials: all.filter(trial => !asked.trials.includes(trial)), begun, taken}, opening);
  if (asked.trials.length > 0) run.emit({event: 'trials-added', trials: asked.trials, asked: true});
  const rates = [ratesInWords(sweep, file) ?? []].flat();
  for (const message of [
    asked.why,
    store.notes,
    options.resume && !options.part ? editedInWords(file, store.earlier) : [],
    begun.notes,
    rates,
    prepared.notes,
    notes,
    arrangement.notes,
    startOnly(run),
  ].flat())
    run.emit({event: 'note', message});
  await take(run, taken);
  failure.check();
  return opening;
}

/** What is left by ground: workers hold one at a time, and methods are compared on one. */
function phasesOf(
  run: UnderWay,
  {all, steps, arrangement}: Pick<Opening, 'steps' | 'arrangement'> & {all: readonly Trial[]},
  compared: Compared | null,
  todo: readonly Trial[],
): Phase[] {
  const groundOf = groundsOf(run);
  const {packs, side} = arrangement;
  return [...grouped(all, groundOf).keys()].map(ground => {
    const isOwn = ([trial]: readonly Trial[]): boolean => groundOf(trial!) === ground;
    const own = compared && {
      ...compared,
      cells: compared.cells.filter(({trials}) => isOwn(trials[0]!)),
      further: compared.further.filter(trial => isOwn([trial])),
    };
    const agenda = agendaOf(run, own, steps, {packs: packs.filter(isOwn), side});
    return {ground, todo: todo.filter(trial => isOwn([trial])), agenda};
  });
}

/** Packs of what is left; workers as for all trials, where more of them may come to be trained than are left by now. */
function arranged(
  {prepared, choice}: UnderWay,
  {todo, all, steps, cores}: {todo: Trial[]; all: Trial[]; steps: ReadonlyMap<string, number>; cores: number},
): Arrangement {
  const stepOf = ({id}: Trial) => steps.get(id) ?? 0;
  const whole = arrange(prepared, all, choice.gpu, stepOf, cores);
  return all === todo ? whole : {...whole, packs: packsOf(todo, whole.side, stepOf)};
}

/** Whether a block at the start is probed already, or is for another part of the run to probe. */
function knownStarts({store, options}: UnderWay): (row: StartRow) => boolean {
  const known = new Set(store.earlier.curvature.filter(row => row.trial === undefined).map(startKey));
  return row => known.has(startKey(row)) || options.part?.probes(row) === false;
}

/** A trial that starts again, or whose end is on the disk, may have kept what a kill gave it no time to drop. */
function dropLeftovers(checkpoints: string, done: readonly Trial[]): void {
  const ids = done.map(({id}) => id);
  dropCheckpoint(checkpoints, ids);
  for (const id of ids) for (const answers of keptAnswers(checkpoints, id)) dropAnswers(checkpoints, answers);
}

/** What a run is made with beside its sweep file. */
export async function surroundingsOf(
  prepared: Prepared,
  {engine, precision, further}: Pick<Choice, 'engine' | 'precision' | 'further'>,
): Promise<Surroundings> {
  const {sweep, model, dataHashes, modules} = prepared;
  const several = new Map(
    expandTrials(sweep).flatMap(trial => (trial.model === undefined ? [] : [[trial.model, prepared.of(trial).model]])),
  );
  return {
    versions: versions(),
    engine,
    precision,
    ...(further && {further: Object.fromEntries(further)}),
    modelHash: await model.weights.hash(),
    model: await around(model),
    ...(several.size > 0 && {models: await modelsByPath(several)}),
    dataHashes,
    modules,
  };
}

async function around({path, folder}: BaseModel): Promise<Surroundings['model']> {
  return {folder: path, revision: snapshotOf(folder)?.revision ?? null, files: await hashCompanions(folder)};
}

async function modelsByPath(models: ReadonlyMap<string, BaseModel>): Promise<NonNullable<Surroundings['models']>> {
  const found = [...models].map(
    async ([path, model]) => [path, {hash: await model.weights.hash(), ...(await around(model))}] as const,
  );
  return Object.fromEntries(await Promise.all(found));
}

/** `file`: the trials of the sweep file; `trials`: those that are asked for. */
function tellStart(
  {prepared, choice, store, options, emit}: UnderWay,
  {file, trials, begun, taken}: {file: readonly Trial[]; trials: Trial[]; begun: Begun; taken: readonly Taken[]},
  opening: Opening,
): void {
  const {todo, arrangement, probes, probers} = opening;
  const {reason, setUp} = choice;
  // A part tells of its own; a run of one machine has every trial, whichever it trains now.
  const all = options.part ? trials : [...file, ...furtherTrials(file, store.earlier)];
  emit({
    event: 'run-started',
    name: prepared.sweep.name,
    trials: all,
    selected: [...taken.map(({trial}) => trial), ...todo].map(({id}) => id),
    others: [],
    engine: engineNames(choice),
    reason,
    setUp,
    workers: todo.length > 0 ? arrangement.workers : probers,
    resumed: options.resume,
    steps: stepsByKey(prepared, all),
    costs: costsOf(prepared, all),
    ...(probes.rows > 0 ? {probes: probes.rows} : {}),
    ...(prepared.sweep.search ? {search: prepared.sweep.search} : {}),
    ...(prepared.sweep.verdict && {verdict: prepared.sweep.verdict}),
    ...rolesIn(prepared.sweep, choice),
    ...(begun.made && {made: begun.made}),
    ...(begun.evaluations.length > 0 && {evaluations: begun.evaluations}),
    ...(taken.length > 0 && {taken: taken.length}),
  });
}

function startOnly({prepared, options}: UnderWay): string[] {
  return options.probeOnly && prepared.sweep.curvature?.at.some(point => point > 0)
    ? ['Only the start is probed now: later points of curvature.at need trained trials, so `run` probes them.']
    : [];
}

/** Answers that wait to be judged, of an evaluation that is asked otherwise now, are given anew. */
function dropAnswersTo({evaluations}: Begun, checkpoints: string, trials: readonly Trial[]): void {
  const anew = new Set(evaluations.flatMap(({index, to}) => (to === null ? index : [])));
  if (anew.size === 0) return;
  for (const {id} of trials)
    for (const answers of keptAnswers(checkpoints, id))
      if (anew.has(answers.evaluation)) dropAnswers(checkpoints, answers);
}

/** Of trials that go on, those curves whose ends a fold cannot cut off exactly. */
export async function longCurves(
  store: Pick<OpenRun, 'replay'>,
  {trials, places}: RunState,
  steps: ReadonlyMap<string, number>,
): Promise<Map<string, Curves>> {
  const long = [...steps].filter(([id, step]) => step > 0 && (trials[places[id] ?? -1]?.rates.stride ?? 1) > 1);
  return long.length > 0 ? curvesAt(onEvent => store.replay(onEvent), new Map(long)) : new Map();
}
