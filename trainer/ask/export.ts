/** `export`: a finished trial as a PEFT adapter of the unchanged base, or merged into a model folder of its own. */
import {existsSync, readdirSync, statSync} from 'node:fs';
import {copyFile} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {methods as titles} from '../../core/method/methods.ts';
import {bestSeed} from '../../core/run/best-seed.ts';
import {objectiveTask} from '../../core/run/compare/objective.ts';
import type {RunState, TrialView} from '../../core/run/fold.ts';
import {formatMeasure, formatRate, formatValue} from '../../core/run/format.ts';
import {lowerIsBetter} from '../../core/run/peak.ts';
import {compare} from '../../core/run/verdict.ts';
import {fileName} from '../../core/shape.ts';
import type {StoredTrial} from '../../core/sweep/sweep.ts';
import {openAdapter} from '../adapter/adapted.ts';
import {adapterBase} from '../adapter/base.ts';
import {writeAdapter} from '../adapter/write-adapter.ts';
import {plainLora} from '../export/plain.ts';
import {checkTarget, newFolder} from '../files/new-folder.ts';
import {findModel} from '../model/find-model.ts';
import {type BaseModel, openModel} from '../model/open-model.ts';
import {type Manifest, readManifest, type StoredModel} from '../store/manifest.ts';
import {manifestName, modelsName} from '../store/names.ts';
import {readRun} from '../store/run.ts';
import {writeMergedModel} from './merged-model.ts';

export interface ExportOptions {
  /** Run folder. */
  folder: string;
  /** Trial id; absent = the best one. */
  trial?: string | undefined;
  /** With no trial: by this metric or task; `true` = by the run's only one. */
  best?: string | true;
  to: 'adapter' | 'merged';
  out: string;
  /** The base model, where it is not where the run found it. */
  model?: string;
  progress?(done: number, total: number): void;
}

/**
 * Writes the trial to `out`, a new or empty folder, whole or not at all.
 * @returns what was written, in a sentence
 * @throws SweepError `no-run`, `unknown-trial`, `not-finished`, `missing-file`, and those of writing
 */
export async function exportTrial(options: ExportOptions): Promise<string> {
  const {folder, to, out, progress = () => {}} = options;
  const {state} = await readRun(folder);
  const id = options.trial ?? bestTrial(state, options.best ?? true).trial.id;
  const view = trialOf(state, id);
  if (view.trial.method === 'full') return exportModel(options, view.state, id);
  const adapterFolder = join(folder, 'adapters', id);
  if (view.state !== 'finished' || !existsSync(adapterFolder))
    throw new SweepError(
      'not-finished',
      `${id} is ${view.state} and has no adapter to export; take a finished trial, or go on with the run first.`,
      {trial: id},
    );
  const manifest = readManifest(join(folder, manifestName));
  const base = await openModel(baseFolder(options.model, manifest, {run: folder, trial: view.trial}));
  if (to === 'adapter') {
    const {rank, method} = await writePlainAdapter(adapterFolder, base, out);
    return `${id} written to ${resolve(out)} as a ${method} adapter of rank ${rank} for ${adapterBase(base.folder).model}.`;
  }
  const card = modelCard(state, view, base);
  await writeMergedModel({base, adapter: adapterFolder, target: out, card, progress});
  return `${id} merged into ${adapterBase(base.folder).model} and written to ${resolve(out)}.`;
}

/** All weights of a trial, as the run has them: a copy of its model folder. */
async function exportModel({folder, to, out}: ExportOptions, state: string, id: string): Promise<string> {
  if (to === 'adapter')
    throw new SweepError('usage', `${id} trained all weights, so that it has no adapter; export it with --to merged.`, {
      trial: id,
    });
  const source = join(folder, modelsName, id);
  if (state !== 'finished' || !existsSync(source))
    throw new SweepError(
      'not-finished',
      `${id} is ${state} and has no model to export; take a finished trial, or go on with the run first.`,
      {trial: id},
    );
  const files = readdirSync(source).map(name => join(source, name));
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  await newFolder(out, bytes, async temporary => {
    for (const file of files) await copyFile(file, join(temporary, basename(file)));
  });
  return `${id} written to ${resolve(out)}.`;
}

async function writePlainAdapter(
  adapterFolder: string,
  base: BaseModel,
  out: string,
): Promise<{rank: number; method: string}> {
  const adapter = openAdapter(adapterFolder, base);
  const {rank, alpha, factors} = plainLora(adapter);
  const {method: kind, shared, sharedShapes, forms, residualOf} = adapter;
  const all = [shared, ...factors.values()].flatMap(parts => Object.values(parts));
  checkTarget(
    out,
    all.reduce((bytes, values) => bytes + values.byteLength, 1e4),
  );
  const {modulePath} = base.config;
  const {options} = [...forms.values()][0]!.form;
  const shapes = new Map([['', sharedShapes], ...[...forms].map(([path, own]) => [path, own.shapes] as const)]);
  const ranks = new Map(
    [...forms].flatMap(([path, {form}]) =>
      residualOf === null && form.rank !== adapter.rank ? [[path, form.rank]] : [],
    ),
  );
  const own = {kind, rank, alpha, ranks, options, factors, shapes, shared};
  writeAdapter(out, {base: adapterBase(base.folder), modulePath, ...own});
  return {rank, method: titles[kind].title};
}

export function trialOf({trials, places}: RunState, id: string): TrialView {
  const view = trials[places[id] ?? -1];
  // A name that leads elsewhere is no trial of ours.
  if (view && fileName(id)) return view;
  const some = trials.slice(0, 3).map(({trial}) => trial.id);
  throw new SweepError(
    'unknown-trial',
    `The run has no trial ${id}; its trials are ${some.join(', ')}${trials.length > 3 ? ', …' : ''} (\`show --rows trials\` lists them).`,
    {trial: id},
  );
}

/** The best seed at the best rate of the best method. */
export function bestTrial(state: RunState, by: string | true): TrialView {
  const decides = by === true ? objectiveTask(state) : undefined;
  const wanted = decides ?? by;
  const all = compare(state).filter(({task, metric}) => wanted === true || wanted === metric || wanted === task);
  // An objective goes by its first metric, as all that decides does.
  const comparisons = decides === undefined ? all : all.filter(({metric}) => metric === all[0]!.metric);
  const measured = [...new Set(comparisons.map(({task, metric}) => formatMeasure(task, metric)))];
  if (measured.length !== 1) {
    const what =
      measured.length === 0
        ? `no finished trial has ${by === true ? 'a result' : `the metric or task ${by}`}`
        : `the run has several results (${measured.join(', ')})`;
    throw new SweepError(
      'unknown-trial',
      `There is no best trial to choose: ${what}; name a trial or use --best TASK.`,
    );
  }
  const {task, metric} = comparisons[0]!;
  const sign = lowerIsBetter(metric) ? 1 : -1;
  const peaks = comparisons.flatMap(comparison =>
    comparison.curves.flatMap(({peak}) => (peak ? [{peak, comparison}] : [])),
  );
  const [best] = peaks.sort((a, b) => sign * (a.peak.mean - b.peak.mean));
  return bestSeed(state, {...best!.comparison, ...best!.peak, task, metric, conditions: best!.comparison})!;
}

export function baseFolder(
  given: string | undefined,
  manifest: Manifest | null,
  {run, trial}: {run: string; trial: StoredTrial},
): string {
  if (given !== undefined) return findModel(given, '.');
  const found = baseOf(manifest, trial)?.folder;
  if (found !== undefined && existsSync(found)) return found;
  throw new SweepError(
    'missing-file',
    `The base model of the run is no longer at ${found ?? manifest?.model.path ?? run}; say where it is with --model.`,
    {model: manifest?.model.path},
  );
}

/** The model that a trial was trained on. */
function baseOf(manifest: Manifest | null, {model}: StoredTrial): Manifest['model'] | StoredModel | undefined {
  return (model === undefined ? undefined : manifest?.models?.[model]) ?? manifest?.model;
}

/** README.md of a merged model: what it is made of, as the hub reads it. */
function modelCard({name}: RunState, {trial, steps, evaluations}: TrialView, {folder}: BaseModel): string {
  const base = adapterBase(folder);
  const {method, rank, alpha, learningRate, batchSize, seed} = trial;
  const results = evaluations.flatMap(({task, metric, value, total}) =>
    value === null ? [] : [`- ${task}: ${formatValue(value, metric)} (${metric}, ${total})`],
  );
  return `---
library_name: transformers
${base.revision === null ? '' : `base_model: ${base.model}\n`}tags: [${method}, lora-sweep]
---

# ${basename(base.model)} with ${method}

The trial \`${trial.id}\` of the sweep \`${name}\`, merged into ${base.model}${base.revision ? ` at ${base.revision}` : ''} by LoRA Sweep.

- method ${method}, rank ${rank}, alpha ${alpha}, batch size ${batchSize}, seed ${seed}
- learning rate ${formatRate(learningRate)}, ${steps} steps
${results.join('\n')}
`;
}
