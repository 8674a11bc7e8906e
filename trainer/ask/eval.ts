/** `eval`: one task on a base model, on an adapter, or on a finished trial. */
import {mkdirSync} from 'node:fs';
import {resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {Evaluated} from '../../core/run/events.ts';
import {count, formatValue} from '../../core/run/format.ts';
import type {Draft} from '../../core/sweep/draft.ts';
import {readSweep} from '../../core/sweep/read.ts';
import type {DataFormat, DataSettings, EngineName, EvaluationSettings, TaskName} from '../../core/sweep/sweep.ts';
import {taskColumns} from '../../core/sweep/table/task-columns.ts';
import {endsOfTrained} from '../data/answer-ends.ts';
import {cachedDataset} from '../data/cached-dataset.ts';
import {columnsOf} from '../data/read/rows.ts';
import {chooseEngine, inFloat32} from '../engine/choose.ts';
import {storeError} from '../files/write-whole.ts';
import {findModel} from '../model/find-model.ts';
import {openModel} from '../model/open-model.ts';
import {allocatedCores} from '../process/allocation.ts';
import {readEvaluation} from '../run/evaluating/evaluations.ts';
import type {Failure} from '../run/jobs.ts';
import {openPool} from '../run/pool.ts';
import {dataOfRun} from '../store/run-data.ts';
import {openJudge} from '../task/judge.ts';
import {tasks} from '../task/tasks.ts';
import {openTokenizer} from '../text/tokenizer.ts';

export interface EvalOptions {
  model: string;
  /** PEFT adapter folder; one of a run folder brings the data settings of its sweep. */
  adapter?: string;
  task: string;
  /** Relative to the working folder, as all paths of the command line. */
  data: string;
  /** As under `data` and `evaluate` of a sweep file; what is not given is taken from the run, or guessed from the columns. */
  format?: string;
  columns: Record<string, string>;
  template?: string;
  maxLength?: number;
  maxNewTokens?: number;
  limit?: number;
  samples?: number;
  temperature?: number;
  topP?: number;
  stop?: string[];
  k?: number[];
  /** Of tasks gsm8k and math. */
  strict?: true;
  /** Of lm-evaluation-harness, of task gsm8k. */
  filter?: string[];
  /** Of task custom. */
  scorer?: string;
  /** A folder to keep the answers with their verdicts in. */
  out?: string;
  engine: EngineName;
  /** Stops it. */
  signal?: AbortSignal;
}

export type Score = Pick<Evaluated, 'task' | 'metric' | 'value' | 'correct' | 'total'>;

/** @throws SweepError, `stopped` where the signal says so */
export async function evaluateModel(options: EvalOptions): Promise<{scores: Score[]; remarks: string[]}> {
  const {adapter} = options;
  const model = await openModel(findModel(options.model, '.'));
  const {data, evaluation: settings} = await settingsOf(options);
  const tokenizer = data.format === 'tokens' ? null : openTokenizer(model.folder);
  const encoding = {config: model.config, tokenizer};
  const asked = {...data, train: [settings.data], rows: settings.limit};
  const rows = data.format === 'tokens' ? {rows: await cachedDataset(asked, '.', encoding)} : {};
  const ends = endsOfTrained(encoding, dataOfRun(adapter ?? options.model), {data, ...rows});
  const notes: string[] = [];
  const {evaluation, prompts, truncated} = await readEvaluation(settings, 0, data, '.', encoding, {
    ends,
    note: message => notes.push(message),
  });
  const {engine, precision} = await chooseEngine({...inFloat32, engine: options.engine});
  if (options.out !== undefined) makeFolder(resolve(options.out));
  const pool = openPool(1, {base: model, engine, precision, threads: allocatedCores()});
  const judge = openJudge({
    prompts: new Map([[0, prompts ?? []]]),
    tokenizer,
    ends,
    evaluations: [settings],
    pathOf: path => resolve(path),
    folder: options.out && resolve(options.out),
  });
  const stop = () => {
    pool.stop();
    judge.close();
  };
  options.signal?.addEventListener('abort', stop, {once: true});
  if (options.signal?.aborted) stop();
  try {
    const found: Score[] = [];
    let judging: Promise<unknown> | undefined;
    let failure: Failure | undefined;
    await pool.run([{kind: 'evaluate', evaluation, adapter}], {
      event: event => {
        if (event.event === 'evaluation') found.push(event);
      },
      generated: result => {
        judging = judge.score({...result, trial: 'eval'}).then(events => found.push(...events));
        // It is awaited below.
        judging.catch(() => {});
      },
      ended: (_, fault) => {
        failure = fault;
      },
    });
    if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
    await judging;
    if (options.signal?.aborted) throw new SweepError('stopped', 'The evaluation was stopped.');
    const cut = `${truncated} rows are longer than ${data.maxLength} tokens and were cut; --max-length keeps more of them.`;
    const scores = found.map(({task, metric, value, correct, total}) => ({task, metric, value, correct, total}));
    return {scores, remarks: truncated > 0 ? [...notes, cut] : notes};
  } finally {
    options.signal?.removeEventListener('abort', stop);
    judge.close();
    await pool.close();
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, {recursive: true});
  } catch (error) {
    throw storeError(error, folder);
  }
}

/** The token mean as perplexity too. */
export function withPerplexity(score: Score): Score & {perplexity?: number} {
  return score.metric === 'loss' && score.value !== null ? {...score, perplexity: Math.exp(score.value)} : score;
}

/** For people: `loss 1.234 (token mean over 5,678 tokens)`. */
export function scoreText({task, metric, value, correct, total}: Score): string {
  if (value === null) return `${task}: ${metric} is not finite`;
  if (task === 'loss')
    return `${task}: ${metric} ${value.toPrecision(6)} over ${count(total, 'token')}, perplexity ${Math.exp(value).toPrecision(6)}`;
  if (correct === null) return `${task}: ${metric} ${formatValue(value, metric)} (over ${total})`;
  return `${task}: ${metric} ${formatValue(value, metric)} (${correct} of ${total})`;
}

/** What there is to look at before the work: the model, and the rows as they are scored. */
export async function draftOfEval(options: EvalOptions): Promise<Draft> {
  const {draft, data, evaluation} = await settingsOf(options);
  const looked = {index: 0, data: options.data, scorer: options.scorer, settings: evaluation};
  return {
    ...{...draft, model: options.model, methods: [], targets: undefined, train: [], probed: undefined},
    ...{data: {...data, train: []}, evaluate: [looked], sweep: undefined},
  };
}

/** The options as a sweep file would say them, read by the sweep language itself: same checks, same defaults. */
async function settingsOf(
  options: EvalOptions,
): Promise<{data: DataSettings; evaluation: EvaluationSettings; draft: Draft}> {
  const {task, data: file, maxNewTokens, limit, samples, temperature, topP, stop, k, strict, filter, scorer} = options;
  const known = options.format === undefined ? dataOfRun(options.adapter ?? options.model) : undefined;
  const guessed =
    options.format === undefined && !known && !Object.hasOwn(tasks, task)
      ? await guessFormat(resolve(file))
      : undefined;
  const ofTask = taskColumns[task as TaskName]?.named ?? [];
  const [own, ofRows] = [true, false].map(isOwn =>
    Object.fromEntries(Object.entries(options.columns).filter(([name]) => ofTask.includes(name) === isOwn)),
  );
  const sweep = {
    model: 'model',
    methods: ['lora'],
    learning_rate: 1e-4,
    data: {
      train: file,
      format: options.format ?? known?.format ?? guessed?.format ?? 'instruction',
      columns: {...known?.columns, ...guessed?.columns, ...ofRows},
      max_length: options.maxLength ?? known?.maxLength,
      template: options.template ?? known?.template,
      packing: known?.packing,
    },
    evaluate: {
      task,
      data: file,
      columns: own,
      max_new_tokens: maxNewTokens,
      limit,
      samples,
      temperature,
      top_p: topP,
      stop,
      k,
      strict,
      filters: filter,
      scorer,
    },
  };
  const {sweep: read, problems, draft} = readSweep(JSON.stringify(sweep), 'eval.sweep.yaml');
  const errors = problems.filter(({severity}) => severity === 'error');
  if (!read || !draft || errors.length > 0)
    throw new SweepError(errors[0]?.code ?? 'usage', errors[0]?.message ?? 'unusable options');
  return {data: read.data, evaluation: read.evaluate[0]!, draft};
}

/** Names that columns have in published data sets, by the column of the format that they are. */
const usualNames: [DataFormat, Record<string, string[]>][] = [
  ['tokens', {input_ids: ['input_ids'], labels: ['labels']}],
  ['completion', {prompt: ['prompt'], completion: ['completion', 'answer', 'response']}],
  [
    'instruction',
    {
      instruction: ['instruction', 'query', 'question', 'problem'],
      output: ['output', 'response', 'answer', 'solution'],
    },
  ],
  ['messages', {messages: ['messages', 'conversations']}],
  ['text', {text: ['text']}],
];

/** What the first rows look like. */
async function guessFormat(file: string): Promise<{format: DataFormat; columns: Record<string, string>} | undefined> {
  const there = await columnsOf(file, 8);
  for (const [format, columns] of usualNames) {
    const found = Object.entries(columns).map(([column, names]) => [column, names.find(name => there.includes(name))]);
    if (found.some(([, name]) => name === undefined)) continue;
    return {format, columns: format === 'tokens' ? {} : Object.fromEntries(found)};
  }
  return undefined;
}
