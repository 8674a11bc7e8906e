/** A look around a sweep file: the model, data and adapters it names, what it will cost, what it gave before. */

import {dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {product} from '../../core/numbers.ts';
import {alphaOf} from '../../core/sweep/alpha.ts';
import type {Draft} from '../../core/sweep/draft.ts';
import type {Fault, Inspection, ModelFacts} from '../../core/sweep/inspection.ts';
import {trialsAmong} from '../../core/sweep/recognise.ts';
import {type DataSettings, type EvaluationSettings, nameOf, type Sweep} from '../../core/sweep/sweep.ts';
import {nearest} from '../../core/sweep/table/suggest.ts';
import {checkFit} from '../adapter/adapted.ts';
import {loadDataset} from '../data/dataset.ts';
import {type EncodingModel, isChat} from '../data/encode.ts';
import {readAs} from '../data/read/columns.ts';
import {columnsOf} from '../data/read/rows.ts';
import {sizeOfRegular} from '../files/door.ts';
import {checkSites, strictest} from '../method/check.ts';
import {methods} from '../method/index.ts';
import {findModel} from '../model/find-model.ts';
import {type BaseModel, openModel} from '../model/open-model.ts';
import {allProjections} from '../model/projections.ts';
import type {Site} from '../model/site.ts';
import {sitesOf} from '../model/sites.ts';
import {startingAdapter} from '../step/start.ts';
import {checkWritable} from '../store/model-folder.ts';
import {readChoices} from '../task/choices/rows.ts';
import {readPrompts} from '../task/prompts.ts';
import {openChatTemplate} from '../text/chat-template.ts';
import {openTokenizer} from '../text/tokenizer.ts';
import type {Evaluation} from '../training/evaluation.ts';
import {inOrder} from '../training/sources.ts';
import {Attempts} from './attempt.ts';
import {costOf} from './cost.ts';
import {endFaults} from './ends.ts';
import {precisionFaults} from './precision.ts';
import {remembered} from './remember.ts';
import {resultsOf} from './results.ts';
import {
  blocksOf,
  dataFacts,
  type Looked,
  longRows,
  lookAtFile,
  overlaps,
  type Sample,
  type SampledRow,
  type Survey,
  sampledRows,
  sampleOf,
  survey,
  together,
} from './rows.ts';
import {storedTypeFaults} from './stored-types.ts';

/** The files of a tokenizer and its chat template. */
const tokenizerNames = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'chat_template.json',
];
/** Sweeps that take longer than this deserve a word before they start. */
const longHours = 12;

/**
 * Looks at everything around a sweep file, as far as each part can be read. What is wrong with it is a fault, never an
 * exception; nothing is changed.
 * @param file the sweep file's path
 */
export async function inspect(draft: Draft, file: string): Promise<Inspection> {
  const base = dirname(resolve(file));
  const attempts = new Attempts();
  const {sweep} = draft;
  const named = draft.model;
  const model =
    named === undefined ? undefined : await attempts.attempt(['model'], () => openModel(findModel(named, base)));
  for (const {index, model: further} of draft.models)
    await attempts.attempt(['model', index], () => openModel(findModel(further, base)));
  if (model) attempts.faults.push(...storedTypeFaults(model));
  if (sweep) attempts.faults.push(...precisionFaults(sweep));
  const ran = sweep && (await attempts.attempt(['name'], () => resultsOf(file, sweep)));
  if (ran) attempts.faults.push(...ran.faults);
  const results = ran?.results ?? null;
  await lookAtAdapters(draft, base, model, attempts);
  const sites = model ? await adaptedSites(draft, model, attempts) : await knownTargets(draft, attempts);
  await lookAtScorers(draft, base, attempts);
  const rows =
    draft.sets.length > 0
      ? await lookAtSets(draft, base, model, attempts)
      : await lookAtRows(draft, base, model, attempts);
  const found: Inspection = {
    faults: attempts.faults,
    model: model ? factsOf(model) : null,
    data: rows ? dataFacts(rows.rows, rows.sample, rows.maxLength) : null,
    cost: null,
    results,
  };
  if (!sweep || !model || !sites || !rows) return found;
  const trials = trialsAmong(sweep, results?.stored ?? []);
  const cost = await attempts.attempt(['model'], () => costOf({sweep, base, trials, model, sites}, rows, results));
  if (!cost) return found;
  return {...found, cost, faults: [...attempts.faults, ...longRun(cost.seconds)]};
}

/** Adapters that methods start from. */
async function lookAtAdapters(
  {methods: list}: Draft,
  base: string,
  model: BaseModel | undefined,
  attempts: Attempts,
): Promise<void> {
  for (const {startFrom, ...settings} of list) {
    const {method} = settings;
    if (startFrom !== undefined && method !== 'full')
      await attempts.attempt(['methods', nameOf(settings), 'start_from'], () => {
        const folder = resolve(base, startFrom);
        const adapter = startingAdapter(folder, method);
        if (model) checkFit(folder, adapter, model);
      });
  }
}

/** Modules that score answers are not run, but they have to be there. */
async function lookAtScorers({evaluate}: Draft, base: string, attempts: Attempts): Promise<void> {
  for (const {index, scorer} of evaluate)
    if (scorer !== undefined)
      await attempts.attempt(['evaluate', index, 'scorer'], () => {
        const path = resolve(base, scorer);
        if (sizeOfRegular(path) === undefined)
          throw new SweepError('missing-file', `There is no scorer ${path}.`, {file: path});
      });
}

/** Without the model it is still known what projections there are at all. */
async function knownTargets({targets}: Draft, attempts: Attempts): Promise<undefined> {
  if (targets === undefined || targets === 'all') return;
  const names = new Map(allProjections.map(name => [name, []]));
  for (const [index, name] of targets.entries())
    await attempts.attempt(
      ['targets', index],
      () => {
        if (allProjections.some(projection => projection === name)) return;
        throw new SweepError(
          'unknown-target',
          `No model has a projection ${name}; targets are ${allProjections.join(', ')}, or all.`,
        );
      },
      () => nearest(name, names),
    );
}

/** What the editor shows of a model. */
export function factsOf({folder, config, weights}: BaseModel): ModelFacts {
  const tensors = [...weights.tensors.values()];
  return {
    folder,
    family: config.family,
    layers: config.layers.length,
    parameters: tensors.reduce((sum, {shape}) => sum + product(shape), 0),
    bytes: tensors.reduce((sum, {length}) => sum + length, 0),
    modules: sitesOf(1, 'all', weights).map(({name, inputs, outputs}) => ({
      name: name.slice(name.lastIndexOf('.') + 1),
      inputs,
      outputs,
    })),
  };
}

/** The projections that get adapters; unknown targets and ranks that are too large are faults. */
async function adaptedSites(
  {targets, choices, methods: list}: Draft,
  {config, weights}: BaseModel,
  attempts: Attempts,
): Promise<Site[] | undefined> {
  if (targets === undefined) return undefined;
  const layers = config.layers.length;
  const {projections} = config;
  const names = new Map(projections.map(name => [name, []]));
  const look = async (choice: Sweep['targets'], path: (string | number)[]) => {
    if (choice === 'all') return;
    for (const [index, name] of choice.entries())
      await attempts.attempt(
        [...path, index],
        () => sitesOf(1, [name], weights),
        () => nearest(name, names),
      );
  };
  await look(targets, ['targets']);
  for (const choice of choices) await look(choice.targets, choice.path);
  const known =
    targets === 'all' ? targets : targets.filter(name => projections.some(projection => projection === name));
  if (known.length === 0) return undefined;
  const sites = sitesOf(layers, known, weights);
  const seen = new Set<string>();
  for (const settings of list) {
    const {method, ranks, alpha, options = {}} = settings;
    if (method === 'full') {
      await attempts.attempt(['methods', nameOf(settings)], () => checkWritable(weights));
      continue;
    }
    for (const [index, rank] of ranks.entries()) {
      const form = {rank, scale: alphaOf(alpha, rank) / rank, options};
      const obstacle = strictest(sites, methods[method], form);
      // The same rank is too large for all methods alike.
      const key = obstacle?.code === 'bad-blocks' ? method : `${rank}`;
      if (!obstacle || seen.has(key)) continue;
      seen.add(key);
      await attempts.attempt(
        obstacle.key === undefined ? ['rank', index] : ['methods', nameOf(settings), obstacle.key],
        () => checkSites(sites, methods[method], form),
        () => (obstacle.most === undefined ? undefined : String(obstacle.most)),
      );
    }
  }
  return sites;
}

/** What is known of the rows. */
interface Rows {
  /** Training rows in all. */
  rows: number;
  sample: SampledRow[];
  /** Tokens that they all begin with and nothing is predicted from. */
  beginning: number;
  /** With the first of their rows. */
  evaluations: Evaluation[];
  maxLength: number;
}

/** Each of several data sets as if it were the only one; what is known of the first. */
async function lookAtSets(
  draft: Draft,
  base: string,
  model: BaseModel | undefined,
  attempts: Attempts,
): Promise<Rows | undefined> {
  const found: (Rows | undefined)[] = [];
  for (const {name, ...set} of draft.sets) {
    const own = new Attempts();
    const {sweep} = draft;
    const value = sweep?.axes?.data?.find(({text}) => text === name)?.value as
      | Pick<Sweep, 'data' | 'evaluate'>
      | undefined;
    const whole = {
      ...draft,
      ...set,
      evaluate: [...set.evaluate, ...draft.evaluate],
      sweep: sweep && {...sweep, ...value},
    };
    await lookAtScorers({...draft, ...set}, base, own);
    found.push(await lookAtRows(whole, base, model, own));
    for (const fault of own.faults) {
      const [first, ...rest] = fault.path;
      attempts.faults.push({...fault, path: ['data', name, ...(first === 'data' ? rest : fault.path)]});
    }
  }
  return found[0];
}

/** The training rows as far as they are looked at; everything that is wrong with the data is a fault. */
async function lookAtRows(
  draft: Draft,
  base: string,
  model: BaseModel | undefined,
  attempts: Attempts,
): Promise<Rows | undefined> {
  const {train, data, evaluate, probed} = draft;
  const evaluations: Evaluation[] = [];
  const encoding = model && data && (await openEncoding(data, model, attempts));
  const before = attempts.faults.length;
  const tokenizerFiles = model ? tokenizerNames.map(name => join(model.folder, name)) : [];
  /** Reading rows depends on how they are read, and on the files. */
  const once = <T>(what: unknown, files: readonly string[], work: () => Promise<T>) =>
    remembered([what, data], [...files.map(file => resolve(base, file)), ...tokenizerFiles], work);
  const look = (file: string, what: Looked, limit?: number) =>
    once(['look', what, limit], [file], () => lookAtFile(resolve(base, file), few(limit), data, what));

  const samples: Sample[] = [];
  for (const [index, file] of train.entries()) {
    const sample = async (): Promise<Sample> =>
      encoding && data
        ? await once('sample', [file], () => sampleOf({...data, train: [file]}, base, encoding))
        : {rows: await look(file, {task: null}, data?.rows), empty: 0};
    const found = await attempts.attempt(['data', 'train', index], sample);
    if (found) samples.push(found);
  }
  if (encoding && data && train.length > 0 && attempts.faults.length === before)
    await attempts.attempt(['data', 'max_length'], () =>
      once('learnt', train, async () => (await loadFirst({...data, train}, data.rows, base, encoding)).count),
    );
  for (const {index, data: file, settings} of evaluate) {
    if (file === undefined) continue;
    const {task, limit, columns} = settings ?? {};
    await attempts.attempt(['evaluate', index, 'data'], async () => {
      if (!encoding || !data || !settings) await look(file, {task: task ?? null, columns}, limit);
      else {
        const {maxNewTokens, samples: answers} = settings;
        const read = () => firstOf({...settings, index, data: file}, data, base, encoding);
        evaluations.push({...(await once([task, limit, maxNewTokens, answers, columns], [file], read)), index});
      }
    });
  }
  if (probed !== undefined) await attempts.attempt(['curvature', 'data'], () => look(probed, {task: 'loss'}));
  if (data) await nameColumns(data, evaluate, base, attempts.faults);
  if (!encoding || !data || draft.sweep === undefined || attempts.faults.length > before) return undefined;
  const {sweep} = draft;
  const {rows: sample, empty, beginning} = together(samples);
  if (!data.packing) attempts.faults.push(...longRows({rows: sample, empty}, data));
  const largest = withMostRows(sweep);
  const tested = sweep.evaluate.map(({data: file, limit}) => [file, limit]);
  const files = [...train, ...sweep.evaluate.map(({data: file}) => file)];
  const read: Survey | null | undefined = await attempts.attempt(['data', 'train'], () =>
    once(['survey', tested, largest], files, () => survey({...sweep, data: largest}, base)),
  );
  attempts.faults.push(...overlaps(read?.shared ?? [], sweep.evaluate));
  const rows = read?.rows ?? largest.rows ?? sample.length;
  const {maxLength, packing} = data;
  return {evaluations, maxLength, ...(packing ? blocksOf(rows, sample, data) : {rows, sample, beginning})};
}

/** The data with as many rows as any trial has. */
function withMostRows({data, axes}: Sweep): DataSettings {
  const {rows, ...all} = data;
  const numbers =
    axes?.['data.rows']?.map(({value}) => (typeof value === 'number' ? value : Number.POSITIVE_INFINITY)) ?? [];
  const most = Math.max(rows ?? Number.POSITIVE_INFINITY, ...numbers);
  return Number.isFinite(most) ? {...all, rows: most} : all;
}

/** The first rows of an evaluation, as those of all are read for a run. */
async function firstOf(
  settings: Pick<EvaluationSettings, 'task' | 'data' | 'limit' | 'maxNewTokens' | 'samples' | 'columns'> & {
    index: number;
  },
  data: DataSettings,
  base: string,
  encoding: EncodingModel,
): Promise<Evaluation> {
  const {index, task, data: file, limit, maxNewTokens, samples} = settings;
  if (task === 'loss') {
    const held = await loadFirst({...readAs(settings, data), train: [file]}, limit, base, encoding);
    // Only the shapes of its batches are asked for, not what fills them.
    return {index, task, source: inOrder(held, 0)};
  }
  if (task === 'multiple-choice') {
    const {dataset, choices} = await readChoices({...settings, limit: few(limit)}, data, base, encoding);
    return {index, task: 'choices', name: task, source: inOrder(dataset, 0), choices};
  }
  const read = await readPrompts({...settings, limit: few(limit)}, data, base, encoding);
  const prompts = read.map(({ids}) => Int32Array.from(ids));
  return {index, task: 'generate', prompts, maxNewTokens, eosIds: [], choosing: {samples: samples ?? 1}};
}

/** The first rows of as many as are asked for; what none of the first has, later ones may have. */
function loadFirst(data: DataSettings, limit: number | undefined, base: string, encoding: EncodingModel) {
  const rows = few(limit);
  return loadDataset({...data, rows}, base, encoding, {sample: rows !== limit});
}

const few = (limit: number | undefined): number => Math.min(sampledRows, limit ?? sampledRows);

/** What turns rows into tokens; undefined where a part of it is missing or broken, which is a fault then. */
async function openEncoding(
  data: DataSettings,
  model: BaseModel,
  attempts: Attempts,
): Promise<EncodingModel | undefined> {
  const files = tokenizerNames.map(name => join(model.folder, name));
  const openOnce = () => remembered('tokenizer', files, () => openTokenizer(model.folder));
  const tokenizer = data.format === 'tokens' ? null : await attempts.attempt(['model'], openOnce);
  const key = data.format === 'messages' ? 'format' : 'template';
  const template = isChat(data)
    ? await attempts.attempt(['data', key], () => openChatTemplate(model.folder))
    : undefined;
  if (tokenizer === undefined || (isChat(data) && !template)) return undefined;
  const {config} = model;
  if (tokenizer) {
    const ends = await attempts.attempt(['data', 'template'], () => endFaults(data, {tokenizer, config}));
    attempts.faults.push(...(ends ?? []));
  }
  return {tokenizer, config};
}

/** A column that is missing is shown where the sweep file names it, with the nearest column that is there. */
async function nameColumns(
  data: DataSettings,
  evaluate: Draft['evaluate'],
  base: string,
  faults: Fault[],
): Promise<void> {
  for (const fault of faults) {
    if (fault.code !== 'data/missing-column') continue;
    const [section, key] = fault.path;
    const tested = section === 'evaluate' ? evaluate.find(({index}) => index === key)?.settings : undefined;
    const file =
      tested?.data ?? (section === 'data' && key === 'train' ? data.train[Number(fault.path[2])] : undefined);
    if (file === undefined) continue;
    const there = await columnsOf(resolve(base, file), 1);
    const columns = tested ? (tested.columns ?? {}) : data.columns;
    const named = Object.entries(columns).find(([, column]) => !there.includes(column));
    if (!named) continue;
    const better = nearest(named[1], new Map(there.map(column => [column, []])));
    fault.path = [...(tested ? ['evaluate', key!] : ['data']), 'columns', named[0]];
    if (better !== undefined) fault.instead = better;
  }
}

function longRun(seconds: number | null): Fault[] {
  if (seconds === null || seconds < longHours * 3600) return [];
  const message = `By the speed last measured here this sweep takes about ${Math.round(seconds / 3600)} hours: fewer seeds, ranks or rows (data.rows) make it shorter; it can be stopped and resumed at any time.`;
  return [{code: 'resource/time', severity: 'information', message, path: ['methods']}];
}
