/** `push`: a finished trial on the Hugging Face hub, with a card that says what it is, what it was compared with, and how it was made. */
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {parseJson} from '../../core/json.ts';
import {methodTitle} from '../../core/method/title.ts';
import {peakColumns, peakRows} from '../../core/run/compare/peak-table.ts';
import {titled} from '../../core/run/compare/titled.ts';
import type {RunState, TrialView} from '../../core/run/fold.ts';
import {formatRate, formatValue} from '../../core/run/format.ts';
import {verdict} from '../../core/run/verdict/sentences.ts';
import {compare, title} from '../../core/run/verdict.ts';
import {isRecord} from '../../core/shape.ts';
import {nameOf} from '../../core/sweep/sweep.ts';
import {markdownTable} from '../../core/table.ts';
import {configName} from '../adapter/files.ts';
import {snapshotOf} from '../hub/cache.ts';
import {filesToSend, repositoryName, uploadFolder} from '../hub/upload.ts';
import {type Manifest, readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {readRun} from '../store/run.ts';
import {baseFolder, bestTrial, exportTrial, trialOf} from './export.ts';

export interface PushOptions {
  /** Run folder. */
  folder: string;
  /** Trial id; absent = the best one. */
  trial?: string | undefined;
  best?: string | true | undefined;
  /** ORG/NAME. */
  repository: string;
  to: 'adapter' | 'merged';
  isPrivate: boolean;
  /** Nothing is sent, and nobody asked. */
  isDry: boolean;
  /** The base model, where it is not where the run found it. */
  model?: string | undefined;
  signal: AbortSignal;
}

/**
 * Exports the trial into a temporary folder, writes its card and sends both. Paths of this machine stay here.
 * @returns lines that say what was sent, or would be
 * @throws SweepError those of an export; `usage`, `offline`, `no-token`, `hub-refused`
 */
export async function pushTrial(options: PushOptions): Promise<string[]> {
  const id = repositoryName(options.repository);
  const {folder, to} = options;
  const {state} = await readRun(folder);
  const view = options.trial === undefined ? bestTrial(state, options.best ?? true) : trialOf(state, options.trial);
  const home = mkdtempSync(join(tmpdir(), 'lora-sweep-push-'));
  try {
    const out = join(home, 'files');
    const {model} = options;
    await exportTrial({folder, trial: view.trial.id, to, out, ...(model !== undefined && {model})});
    const manifest = readManifest(join(folder, manifestName));
    const base = baseName(options, manifest, view);
    if (to === 'adapter') nameBase(join(out, configName), base.name);
    const card = cardOf(state, view, {base, to, manifest});
    writeFileSync(join(out, 'README.md'), card);
    const files = filesToSend(out);
    const listed = files.map(({name, bytes}) => `  ${name}  ${bytes.toLocaleString('en-US')} bytes`);
    const kind = to === 'adapter' ? 'adapter' : 'merged model';
    if (options.isDry)
      return [
        `Nothing is sent (--dry-run). ${view.trial.id} would go to ${id} as ${kind}, ${options.isPrivate ? 'private' : 'public'}:`,
        ...listed,
        '',
        card.trimEnd(),
      ];
    const title = `${view.trial.id} of the sweep ${state.name}`;
    const {url, commit} = await uploadFolder({
      id,
      folder: out,
      isPrivate: options.isPrivate,
      title,
      signal: options.signal,
    });
    return [`${view.trial.id} is at ${url} as ${kind}${commit ? ` (commit ${commit})` : ''}:`, ...listed];
  } finally {
    rmSync(home, {recursive: true, force: true});
  }
}

interface Base {
  name: string;
  revision: string | null;
  isOnHub: boolean;
}

/** What the base is called elsewhere: its id on the hub, or the name of its folder alone. */
function baseName({folder, model}: PushOptions, manifest: Manifest | null, {trial}: TrialView): Base {
  const place = baseFolder(model, manifest, {run: folder, trial});
  const snapshot = existsSync(place) ? snapshotOf(place) : null;
  if (snapshot) return {name: snapshot.id, revision: snapshot.revision, isOnHub: true};
  return {name: basename(place), revision: null, isOnHub: false};
}

/** A folder of this machine means nothing elsewhere. */
function nameBase(file: string, name: string): void {
  const config = parseJson(readFileSync(file, 'utf8'), file);
  if (isRecord(config)) writeFileSync(file, `${JSON.stringify({...config, base_model_name_or_path: name}, null, 2)}\n`);
}

/** README.md as the hub reads it. */
function cardOf(
  state: RunState,
  view: TrialView,
  {base, to, manifest}: {base: Base; to: PushOptions['to']; manifest: Manifest | null},
): string {
  const {trial, steps} = view;
  const name = methodTitle(nameOf(trial));
  const comparisons = compare(state).map(titled);
  const lines = [
    '---',
    `library_name: ${to === 'adapter' ? 'peft' : 'transformers'}`,
    ...(base.isOnHub ? [`base_model: ${base.name}`] : []),
    'pipeline_tag: text-generation',
    `tags: [lora, ${trial.method}, lora-sweep]`,
    '---',
    '',
    `# ${base.name.split('/').at(-1)} with ${name}`,
    '',
    `The trial \`${trial.id}\` of the sweep \`${state.name}\`, ${to === 'adapter' ? 'as a PEFT adapter of' : 'merged into'} ${base.name}${base.revision ? ` at ${base.revision}` : ''}, trained by LoRA Sweep.`,
    ...(base.isOnHub ? [] : ['', `The base model \`${base.name}\` is a local folder; whoever uses this needs it.`]),
    '',
    `- ${name}, rank ${trial.rank}, alpha ${trial.alpha}, learning rate ${formatRate(trial.learningRate)}, batch size ${trial.batchSize}, seed ${trial.seed}, ${steps} steps`,
    ...Object.entries(trial.settings ?? {}).map(([key, value]) => `- ${key}: ${value}`),
    ...view.evaluations.flatMap(({task, metric, value, total, step}) =>
      value === null ? [] : [`- ${task} ${metric} at step ${step}: ${formatValue(value, metric)} (${total} rows)`],
    ),
    '',
    ...(comparisons.length > 0 ? ['## What it was compared with', ''] : []),
    ...comparisons.flatMap(one => [
      `### ${title(one)}`,
      '',
      ...markdownTable(peakColumns(one), peakRows(one)),
      '',
      ...verdict(one).map(sentence => `- ${sentence}`),
      '',
    ]),
    ...(manifest?.model ? recordOf(manifest, base) : []),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** How it was made, without a path or anything else of the machine. */
function recordOf({versions, model, data, seeds}: Manifest, base: Base): string[] {
  const listed = Object.entries(versions).map(([name, value]) => `${name} ${value}`);
  return [
    '## Record',
    '',
    `- base model: ${base.name}, weights SHA-256 ${model.hash}`,
    ...data.map(({path, hash}) => `- data: ${basename(path)}, SHA-256 ${hash}`),
    ...(seeds ? [`- seeds: ${seeds.join(', ')}`] : []),
    `- versions: ${listed.join(', ')}`,
    '',
  ];
}
