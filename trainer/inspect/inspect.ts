/** A look around a sweep file: the model, data and adapters it names, what it will cost, what it gave before. */
import {dirname, join, resolve} from 'node:path';
import {alphaOf} from '../../core/sweep/alpha.ts';
import type {Fault, Inspection, ModelFacts} from '../../core/sweep/inspection.ts';
import {nearest} from '../../core/sweep/suggest.ts';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {checkFit} from '../adapted.ts';
import {loadDataset} from '../data/dataset.ts';
import {isChat} from '../data/encode.ts';
import {readPrompts} from '../data/prompts.ts';
import {columnsOf} from '../data/rows.ts';
import {checkWritable} from '../export/model-folder.ts';
import {methods} from '../method/index.ts';
import type {Site} from '../method/method.ts';
import {openChatTemplate} from '../model/chat-template.ts';
import {findModel} from '../model/find-model.ts';
import {type BaseModel, openModel} from '../model/open-model.ts';
import {checkSites, projectionsOf, sitesOf} from '../model/sites.ts';
import {openTokenizer} from '../model/tokenizer.ts';
import {startingAdapter} from '../start.ts';
import {Attempts} from './attempt.ts';
import {costOf} from './cost.ts';
import {endFaults} from './ends.ts';
import {remembered} from './remember.ts';
import {resultsOf} from './results.ts';
import {
  blocksOf,
  dataFacts,
  longRows,
  overlaps,
  type SampledRow,
  type Survey,
  sampledRows,
  sampleOf,
  survey,
} from './rows.ts';

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
 * Looks at everything around a sweep file. What is wrong with it is a fault, never an exception; nothing is changed.
 * @param file the sweep file's path
 */
export async function inspect(sweep: Sweep, file: string): Promise<Inspection> {
  const base = dirname(resolve(file));
  const attempts = new Attempts();
  const model = await attempts.attempt(['model'], () => openModel(findModel(sweep.model, base)));
  const results = (await attempts.attempt(['name'], () => resultsOf(file, sweep.name))) ?? null;
  const adapters = sweep.methods.flatMap(({method, startFrom}) =>
    startFrom === undefined ? [] : [{method, startFrom}],
  );
  for (const {method, startFrom} of adapters)
    await attempts.attempt(['methods', method, 'start_from'], () => {
      if (method === 'full') return;
      const folder = resolve(base, startFrom);
      const adapter = startingAdapter(folder, method);
      if (model) checkFit(folder, adapter, sitesOf(model.config.layers.length, 'all', model.weights));
    });
  const sites = model ? await adaptedSites(sweep, model, attempts) : undefined;
  const rows = model ? await lookAtRows(sweep, base, model, attempts) : undefined;
  const found: Inspection = {
    faults: attempts.faults,
    model: model ? factsOf(model) : null,
    data: rows ? dataFacts(rows.rows, rows.sample, sweep.data.maxLength) : null,
    cost: null,
    results,
  };
  if (!model || !sites || !rows) return found;
  const trials = expandTrials(sweep);
  const cost = await attempts.attempt(['model'], () => costOf({sweep, trials, model, sites}, rows, results));
  if (!cost) return found;
  return {...found, cost, faults: [...attempts.faults, ...longRun(cost.seconds)]};
}

/** What the editor shows of a model. */
export function factsOf({folder, config, weights}: BaseModel): ModelFacts {
  const tensors = [...weights.tensors.values()];
  return {
    folder,
    family: config.family,
    layers: config.layers.length,
    parameters: tensors.reduce((sum, {shape}) => sum + shape.reduce((product, size) => product * size, 1), 0),
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
  sweep: Sweep,
  {config, weights}: BaseModel,
  attempts: Attempts,
): Promise<Site[] | undefined> {
  const {targets} = sweep;
  const layers = config.layers.length;
  const projections = projectionsOf(config);
  const names = new Map(projections.map(name => [name, []]));
  if (targets !== 'all')
    for (const [index, name] of targets.entries())
      await attempts.attempt(
        ['targets', index],
        () => sitesOf(1, [name], weights),
        () => nearest(name, names),
      );
  const known =
    targets === 'all' ? targets : targets.filter(name => projections.some(projection => projection === name));
  if (known.length === 0) return undefined;
  const sites = sitesOf(layers, known, weights);
  const largest = Math.min(...sites.map(({inputs, outputs}) => Math.min(inputs, outputs)));
  const seen = new Set<string>();
  for (const {method, ranks, alpha, options = {}} of sweep.methods) {
    if (method === 'full') {
      await attempts.attempt(['methods', method], () => checkWritable(weights));
      continue;
    }
    for (const [index, rank] of ranks.entries()) {
      const form = {rank, scale: alphaOf(alpha, rank) / rank, options};
      const obstacle = sites.map(site => methods[method].obstacle(site, form)).find(Boolean);
      // The same rank is too large for all methods alike.
      const key = obstacle?.code === 'bad-blocks' ? method : `${rank}`;
      if (!obstacle || seen.has(key)) continue;
      seen.add(key);
      const blocks = method === 'boft' ? 'block_size' : 'blocks';
      await attempts.attempt(
        obstacle.code === 'bad-blocks' ? ['methods', method, blocks] : ['rank', index],
        () => checkSites(sites, methods[method], form),
        () => (obstacle.code === 'bad-blocks' || method === 'lora-ga' ? undefined : String(largest)),
      );
    }
  }
  return sites;
}

/** The training rows as far as they are looked at; everything that is wrong with the data is a fault. */
async function lookAtRows(
  sweep: Sweep,
  base: string,
  model: BaseModel,
  attempts: Attempts,
): Promise<{rows: number; sample: SampledRow[]} | undefined> {
  const {data, evaluate} = sweep;
  const tokenizerFiles = tokenizerNames.map(name => join(model.folder, name));
  const openOnce = () => remembered('tokenizer', tokenizerFiles, () => openTokenizer(model.folder));
  const tokenizer = data.format === 'tokens' ? null : await attempts.attempt(['model'], openOnce);
  if (tokenizer === undefined) return undefined;
  if (isChat(data)) {
    const key = data.format === 'messages' ? 'format' : 'template';
    const opened = await attempts.attempt(['data', key], () => openChatTemplate(model.folder));
    if (!opened) return undefined;
  }
  const encoding = {tokenizer, config: model.config};
  if (tokenizer)
    attempts.faults.push(
      ...((await attempts.attempt(['data', 'template'], () => endFaults(data, {tokenizer, config: model.config}))) ??
        []),
    );
  const before = attempts.faults.length;
  /** Reading rows depends on how they are read, and on the files. */
  const once = <T>(what: unknown, files: readonly string[], work: () => Promise<T>) =>
    remembered([what, data], [...files.map(file => resolve(base, file)), ...tokenizerFiles], work);
  const samples: SampledRow[] = [];
  let empty = 0;
  for (const [index, train] of data.train.entries()) {
    const alone = {...data, train: [train]};
    const work = () => once('sample', [train], () => sampleOf(alone, base, encoding));
    const sample = await attempts.attempt(['data', 'train', index], work);
    samples.push(...(sample?.rows ?? []));
    empty += sample?.empty ?? 0;
  }
  const few = (limit: number | undefined) => Math.min(sampledRows, limit ?? sampledRows);
  if (attempts.faults.length === before)
    await attempts.attempt(['data', 'max_length'], () =>
      once(
        'learnt',
        data.train,
        async () => (await loadDataset({...data, rows: few(data.rows)}, base, encoding)).count,
      ),
    );
  for (const [index, {task, data: file, limit}] of evaluate.entries())
    await attempts.attempt(['evaluate', index, 'data'], () =>
      once(task, [file], async () => {
        const rows = few(limit);
        if (task === 'loss') return (await loadDataset({...data, train: [file], rows}, base, encoding)).count;
        return (await readPrompts({task, data: file, limit: rows}, data, base, encoding)).length;
      }),
    );
  await nameColumns(sweep, base, attempts.faults);
  if (attempts.faults.length > before) return undefined;
  if (!data.packing) attempts.faults.push(...longRows({rows: samples, empty}, data));
  const tested = evaluate.map(({data: file, limit}) => [file, limit]);
  const files = [...data.train, ...evaluate.map(({data: file}) => file)];
  const read: Survey | null | undefined = await attempts.attempt(['data', 'train'], () =>
    once(['survey', tested], files, () => survey(sweep, base)),
  );
  attempts.faults.push(...overlaps(read?.shared ?? [], evaluate));
  const rows = read?.rows ?? data.rows ?? samples.length;
  return data.packing ? blocksOf(rows, samples, data) : {rows, sample: samples};
}

/** A column that is missing is shown where the sweep file names it, with the nearest column that is there. */
async function nameColumns({data}: Sweep, base: string, faults: Fault[]): Promise<void> {
  const missing = faults.filter(({code, path}) => code === 'data/missing-column' && path[0] === 'data');
  for (const fault of missing) {
    const file = data.train[Number(fault.path[2])]!;
    const there = await columnsOf(resolve(base, file), 1);
    const named = Object.entries(data.columns).find(([, column]) => !there.includes(column));
    if (!named) continue;
    const better = nearest(named[1], new Map(there.map(column => [column, []])));
    fault.path = ['data', 'columns', named[0]];
    if (better !== undefined) fault.instead = better;
  }
}

function longRun(seconds: number | null): Fault[] {
  if (seconds === null || seconds < longHours * 3600) return [];
  const message = `By the speed last measured here this sweep takes about ${Math.round(seconds / 3600)} hours: fewer seeds, ranks or rows (data.rows) make it shorter; it can be stopped and resumed at any time.`;
  return [{code: 'resource/time', severity: 'information', message, path: ['methods']}];
}
