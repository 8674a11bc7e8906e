/** Trials that other runs beside a run have finished, found by their prints and taken from there. */
import {constants, copyFileSync, existsSync, mkdirSync, readdirSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import type {RunEvent, RunEventBody} from '../../core/run/events.ts';
import {formatEvaluation} from '../../core/run/format.ts';
import {samplesFolder, samplesName, samplesPlace} from '../../core/run/samples.ts';
import {fileName} from '../../core/shape.ts';
import {runsFolder} from '../../core/sweep/folder.ts';
import type {EvaluationSettings} from '../../core/sweep/sweep.ts';
import {hashAdapter} from '../adapter/hash-adapter.ts';
import {openWeights} from '../model/weights.ts';
import {readManifest} from './manifest.ts';
import {manifestName, modelsName} from './names.ts';
import {hasRun, readRun} from './run.ts';

/** A finished trial of another run. */
export interface Beside {
  folder: string;
  /** The run's name. */
  run: string;
  /** Its id there. */
  id: string;
}

/**
 * The trials with these prints that runs in folders beside this one have finished, with all results that `evaluations` ask for and what
 * they were trained to, as it was stored; by print. Nothing where the folder does not lie among runs.
 * @param models hashes of the weights that are trained on: a run of others is not read
 */
export async function finishedBeside(
  folder: string,
  prints: ReadonlySet<string>,
  {evaluations, models}: {evaluations: readonly EvaluationSettings[]; models: readonly string[]},
): Promise<Map<string, Beside>> {
  const found = new Map<string, Beside>();
  const parent = dirname(folder);
  if (basename(parent) !== runsFolder) return found;
  for (const name of readdirSync(parent).sort()) {
    const other = join(parent, name);
    if (name === basename(folder) || !hasRun(other) || !isOfModels(other, models)) continue;
    for (const [print, id] of await finishedIn(other, prints, evaluations))
      if (!found.has(print) && (await isKept(other, id))) found.set(print, {folder: other, run: name, id: id.trial});
    if (found.size === prints.size) break;
  }
  return found;
}

/** A folder that cannot be read gives nothing. */
function isOfModels(folder: string, models: readonly string[]): boolean {
  try {
    const manifest = readManifest(join(folder, manifestName));
    const own = [manifest?.model.hash, ...Object.values(manifest?.models ?? {}).map(({hash}) => hash)];
    return own.some(hash => hash !== undefined && models.includes(hash));
  } catch {
    return false;
  }
}

/** A trial as its events leave it. */
interface Finished {
  trial: string;
  /** Undefined where its starts had different ones. */
  print: string | undefined;
  adapter: string | undefined;
  isFinished: boolean;
  /** Of the results at its last step. */
  tasks: Set<string>;
  steps: number;
}

async function finishedIn(
  folder: string,
  prints: ReadonlySet<string>,
  evaluations: readonly EvaluationSettings[],
): Promise<Map<string, Finished>> {
  const trials = new Map<string, Finished>();
  try {
    await readRun(folder, event => heard(trials, event));
  } catch {
    return new Map();
  }
  const asked = evaluations.map(({task, entry}) => formatEvaluation(task, entry));
  return new Map(
    [...trials.values()].flatMap(one =>
      one.isFinished && one.print !== undefined && prints.has(one.print) && asked.every(task => one.tasks.has(task))
        ? [[one.print, one] as const]
        : [],
    ),
  );
}

function heard(trials: Map<string, Finished>, event: RunEvent): void {
  if (event.event === 'trial-started') {
    const {trial, from = 0, fingerprint} = event;
    const before = trials.get(trial);
    const print = from === 0 || before?.print === fingerprint ? fingerprint : undefined;
    trials.set(trial, {trial, print, adapter: undefined, isFinished: false, tasks: new Set(), steps: 0});
  }
  if (event.event !== 'trial-ended' && event.event !== 'evaluation') return;
  const one = trials.get(event.trial);
  if (!one) return;
  if (event.event === 'evaluation') {
    if (event.step > one.steps) one.tasks.clear();
    one.steps = Math.max(one.steps, event.step);
    if (event.step === one.steps) one.tasks.add(formatEvaluation(event.task, event.entry));
    return;
  }
  one.isFinished = event.state === 'finished';
  one.adapter = event.adapter;
  if (event.steps > one.steps) one.tasks.clear();
  one.steps = Math.max(one.steps, event.steps);
}

/** Whether what it trained is there, as it was. */
async function isKept(folder: string, {trial, adapter}: Finished): Promise<boolean> {
  if (adapter === undefined || !fileName(trial)) return false;
  try {
    const model = join(folder, modelsName, trial);
    if (existsSync(model)) return (await openWeights(model).hash()) === adapter;
    return (await hashAdapter(join(folder, 'adapters', trial))) === adapter;
  } catch {
    return false;
  }
}

/** Copies what a trial left into another run, where it is called otherwise. */
export function copyTrained({folder, id}: Beside, target: string, trial: string): void {
  for (const kind of ['adapters', modelsName]) {
    const from = join(folder, kind, id);
    if (existsSync(from)) copyFiles(from, join(target, kind, trial));
  }
  const answers = join(folder, samplesFolder);
  const own = (existsSync(answers) ? readdirSync(answers) : []).flatMap(name => {
    const place = samplesPlace(name);
    return place?.trial === id ? [{name, place}] : [];
  });
  if (own.length > 0) mkdirSync(join(target, samplesFolder), {recursive: true});
  for (const {name, place} of own)
    copyFileSync(
      join(answers, name),
      join(target, samplesFolder, samplesName({...place, trial})),
      constants.COPYFILE_FICLONE,
    );
}

function copyFiles(from: string, to: string): void {
  mkdirSync(to, {recursive: true});
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
}

/** Hands over the events of trials of one folder under the ids that they have here, as one whole training each. */
export async function eventsOfTaken(
  folder: string,
  ids: ReadonlyMap<string, string>,
  onEvent: (body: RunEventBody) => void,
): Promise<void> {
  // Of a trial that began again the last training counts; what it went on from a checkpoint is one with what stood before.
  const parts = new Map<string, RunEventBody[]>([...ids.keys()].map(id => [id, []]));
  await readRun(folder, event => {
    for (const id of idsIn(event)) {
      const own = parts.get(id);
      if (own) parts.set(id, withEvent(own, event, id));
    }
  });
  for (const [id, trial] of ids) for (const body of parts.get(id)!) onEvent(renamed(body, trial));
}

function idsIn(event: RunEvent): string[] {
  if (event.event === 'step') return event.trials;
  const isOfTrial =
    event.event === 'trial-started' ||
    event.event === 'trial-ended' ||
    event.event === 'evaluation' ||
    event.event === 'curvature';
  return isOfTrial && event.trial !== undefined ? [event.trial] : [];
}

function withEvent(own: RunEventBody[], {at: _, ...event}: RunEvent, id: string): RunEventBody[] {
  const body = event as RunEventBody;
  if (body.event === 'trial-started') {
    const {from = 0, curves: __, loss: ___, gradNorm: ____, ...start} = body;
    const kept = own.filter(one => one.event !== 'trial-ended' && stepOf(one) <= from);
    return from === 0 || kept.length === 0 ? [start] : kept;
  }
  if (body.event !== 'step') return [...own, body];
  // A line that stands there twice tells of one step.
  const last = own.findLast(one => one.event === 'step');
  if (last?.event === 'step' && body.step <= last.step) return own;
  own.push(oneLane(body, body.trials.indexOf(id)));
  return own;
}

const stepOf = (body: RunEventBody): number => ('step' in body ? body.step : 0);

type Step = Extract<RunEventBody, {event: 'step'}>;

function oneLane({trials, losses, rates, gradNorms, tokens, ...step}: Step, lane: number): Step {
  return {
    ...step,
    trials: [trials[lane]!],
    losses: [losses[lane]!],
    rates: [rates[lane]!],
    gradNorms: [gradNorms[lane]!],
    ...(tokens && {tokens: [tokens[lane]!]}),
  };
}

function renamed(body: RunEventBody, trial: string): RunEventBody {
  return body.event === 'step' ? {...body, trials: [trial]} : ({...body, trial} as RunEventBody);
}
