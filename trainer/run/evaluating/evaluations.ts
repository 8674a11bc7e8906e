import type {DataSettings, EvaluationSettings, Sweep} from '../../../core/sweep/sweep.ts';
import type {AnswerEnds} from '../../data/answer-ends.ts';
import {cachedDataset} from '../../data/cached-dataset.ts';
import type {Loading} from '../../data/dataset.ts';
import type {EncodingModel} from '../../data/encode.ts';
import {readAs} from '../../data/read/columns.ts';
import type {ModelConfig} from '../../model/config.ts';
import {readChoices} from '../../task/choices/rows.ts';
import {type Prompt, readPrompts} from '../../task/prompts.ts';
import {stopsOf} from '../../task/tasks.ts';
import type {Evaluation} from '../../training/evaluation.ts';
import {inOrder} from '../../training/sources.ts';

/** Every entry of `evaluate`, in the order of the sweep file; prompts by evaluation where answers are generated. */
export async function readEvaluations(
  {evaluate, data}: Pick<Sweep, 'evaluate' | 'data'>,
  base: string,
  encoding: EncodingModel & {config: ModelConfig},
  found: Pick<Loading, 'threads'> & {ends: AnswerEnds; note: (message: string) => void},
): Promise<{evaluations: Evaluation[]; prompts: Map<number, Prompt[]>}> {
  const evaluations: Evaluation[] = [];
  const prompts = new Map<number, Prompt[]>();
  for (const [index, one] of evaluate.entries()) {
    const read = await readEvaluation(one, index, data, base, encoding, found);
    evaluations.push(read.evaluation);
    if (read.prompts) prompts.set(index, read.prompts);
  }
  return {evaluations, prompts};
}

/** One entry of `evaluate` with its rows, read as the training rows are; prompts where answers are generated. */
export async function readEvaluation(
  settings: EvaluationSettings,
  index: number,
  data: DataSettings,
  base: string,
  encoding: EncodingModel & {config: ModelConfig},
  {ends, note = () => {}, ...loading}: Pick<Loading, 'threads'> & {ends: AnswerEnds; note?: (message: string) => void},
): Promise<{evaluation: Evaluation; prompts?: Prompt[]; truncated: number}> {
  const {task, data: file, maxNewTokens, limit, every, entry, samples, temperature, topP, relativeTo} = settings;
  const when = {index, every, entry};
  if (task === 'loss') {
    const asked = {...readAs(settings, data), train: [file], rows: limit};
    const held = await cachedDataset(asked, base, encoding, {...loading, note});
    const source = inOrder(held, encoding.config.padId ?? 0);
    return {evaluation: {...when, task: 'loss', source, relativeTo}, truncated: held.truncated};
  }
  if (task === 'multiple-choice') {
    const {dataset, choices} = await readChoices(settings, data, base, encoding);
    const source = inOrder(dataset, encoding.config.padId ?? 0);
    return {evaluation: {...when, task: 'choices', name: task, source, choices}, truncated: 0};
  }
  const prompts = await readPrompts(settings, data, base, encoding, ends.ids, note);
  const ids = prompts.map(prompt => Int32Array.from(prompt.ids));
  const stop = [...stopsOf(settings), ...ends.texts];
  const choosing = {
    samples,
    temperature,
    topP,
    ...(stop.length > 0 ? {stop} : {}),
  };
  const generating = {task: 'generate', prompts: ids, maxNewTokens, eosIds: ends.ids, choosing} as const;
  return {evaluation: {...when, ...generating}, prompts, truncated: 0};
}
