/** `verify`: hashes everything again that a run's record names, and says whether the record still holds. */
import {existsSync, statSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {TrialState} from '../../core/run/events.ts';
import {fileName} from '../../core/shape.ts';
import {hashAdapter} from '../adapter/hash-adapter.ts';
import {companionsIn, hashFiles} from '../files/hash.ts';
import {openModel} from '../model/open-model.ts';
import {openWeights} from '../model/weights.ts';
import {StoredSteps} from '../store/fold/stored-steps.ts';
import {fingerprint} from '../store/ingredients.ts';
import {type Manifest, readManifest, type StoredModel} from '../store/manifest.ts';
import {filesBesideModule} from '../store/module-files.ts';
import {eventsName, manifestName, modelsName} from '../store/names.ts';
import {readRun} from '../store/run.ts';

/** What ended so is shown or gone on with as it is. */
const kept: ReadonlySet<TrialState> = new Set(['finished', 'paused']);

export interface Check {
  what: string;
  path: string;
  /** `added`: a file of the model that was not there. */
  state: 'same' | 'changed' | 'missing' | 'added';
}

/**
 * Checks of the model, the data with what scorers need, the record's own settings, the sweep files as they were run, the
 * events (whole lines, every step of what is finished or paused) and the adapters, in this order: all that a resumed run is compared
 * by. `holds` where all are the same; what an earlier version did not note is not checked.
 * @throws SweepError `no-run`, `no-record`
 */
export async function verifyRun(
  folder: string,
  progress: (path: string) => void = () => {},
): Promise<{holds: boolean; checks: Check[]}> {
  const {adapters, broken} = await storedTrials(folder);
  const file = join(folder, manifestName);
  const manifest = readManifest(file);
  if (!manifest)
    throw new SweepError('no-record', `${folder} has no ${manifestName}: there is no record to verify.`, {folder});
  const checks: Check[] = [];
  const check: Checking = async (what, path, hash, again) => {
    if (hash === undefined) return;
    progress(path);
    const state = !existsSync(path) ? 'missing' : (await again()) === hash ? 'same' : 'changed';
    checks.push({what, path, state});
  };
  checks.push(...(await checkModels(manifest, check)));
  for (const {file, hash} of manifest.data)
    if (file !== undefined)
      await check('data', file, hash, () => (statSync(file).isDirectory() ? hashAdapter(file) : hashFiles(file)));
  checks.push(...(await checkScorers(manifest)));
  await check('settings', file, manifest.fingerprint, async () => fingerprint(manifest.ingredients ?? {}));
  for (const {sweepFile, sweepHash} of manifest.starts)
    await check('sweep file', join(folder, sweepFile), sweepHash, () => hashFiles(join(folder, sweepFile)));
  checks.push(...broken);
  // A name that leads elsewhere is none of this folder's.
  for (const [trial, hash] of adapters)
    if (fileName(trial)) await checkTrained(folder, trial, hash, check);
    else checks.push({what: 'adapter', path: trial, state: 'missing'});
  return {holds: checks.every(({state}) => state === 'same'), checks};
}

/** Compares one file or folder with the hash that was noted of it, where one was. */
type Checking = (what: string, path: string, hash: string | undefined, again: () => Promise<string>) => Promise<void>;

/** The hashes of what was trained by trial, and what is wrong with the events themselves. */
async function storedTrials(folder: string): Promise<{adapters: Map<string, string>; broken: Check[]}> {
  const path = join(folder, eventsName);
  const adapters = new Map<string, string>();
  const steps = new StoredSteps();
  const ends = new Map<string, number>();
  const {garbage} = await readRun(folder, event => {
    steps.add(event);
    if (event.event === 'trial-started') ends.delete(event.trial);
    if (event.event !== 'trial-ended') return;
    if (kept.has(event.state)) ends.set(event.trial, event.steps);
    if (event.adapter !== undefined) adapters.set(event.trial, event.adapter);
  });
  const broken: Check[] = garbage > 0 ? [{what: 'events', path, state: 'changed'}] : [];
  for (const [trial, last] of ends)
    if (steps.of(trial) < last) broken.push({what: `a step of ${trial} in`, path, state: 'missing'});
  return {adapters, broken};
}

/** The model's weights and files, where the record knows its folder; answers with the files that were not there. */
async function checkModels({model, models}: Manifest, check: Checking): Promise<Check[]> {
  if (!models) return checkModel(model, check);
  const added: Check[] = [];
  for (const one of Object.values(models)) added.push(...(await checkModel(one, check)));
  return added;
}

async function checkModel(model: Manifest['model'] | StoredModel, check: Checking): Promise<Check[]> {
  if (model.folder === undefined) return [];
  const home = model.folder;
  await check('weights', home, model.hash, async () => (await openModel(home)).weights.hash());
  // What belongs to a GGUF file lies beside it.
  const beside = home.endsWith('.gguf') ? dirname(home) : home;
  for (const [name, hash] of Object.entries(model.files ?? {}))
    await check('model file', join(beside, name), hash, () => hashFiles(join(beside, name)));
  const now = model.files && existsSync(beside) ? companionsIn(beside) : [];
  return now
    .filter(name => model.files?.[name] === undefined)
    .map(name => ({what: 'model file', path: join(beside, name), state: 'added'}));
}

/** The model that a trial left, or its adapter. */
async function checkTrained(folder: string, trial: string, hash: string, check: Checking): Promise<void> {
  const model = join(folder, modelsName, trial);
  if (existsSync(model)) return check('model', model, hash, async () => openWeights(model).hash());
  const adapter = join(folder, 'adapters', trial);
  return check('adapter', adapter, hash, () => hashAdapter(adapter));
}

/** What a scorer has come to need since. */
async function checkScorers({sweep, rerun, ingredients, data}: Manifest): Promise<Check[]> {
  if (!sweep || !rerun || !ingredients) return [];
  const known = new Set(data.map(({file}) => file));
  const added: Check[] = [];
  for (const {scorer} of sweep.evaluate) {
    if (scorer === undefined || !existsSync(resolve(rerun.folder, scorer))) continue;
    const file = resolve(rerun.folder, scorer);
    for (const name of Object.keys(await filesBesideModule(file))) {
      const path = resolve(dirname(file), name);
      if (!known.has(path)) added.push({what: 'data', path, state: 'added'});
    }
  }
  return added;
}

/** What does not hold, a line each, and the sum. */
export function verdictOf({holds, checks}: {holds: boolean; checks: Check[]}): string[] {
  const wrong = checks.filter(({state}) => state !== 'same');
  return [
    ...wrong.map(({what, path, state}) => `${what} ${path}: ${state}`),
    holds
      ? `The record holds: ${checks.length} hashes are the same.`
      : `The record does not hold: ${wrong.length} of ${checks.length} hashes differ.`,
  ];
}
