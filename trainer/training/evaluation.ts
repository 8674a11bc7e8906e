import type {TaskName} from '../../core/sweep/sweep.ts';
import type {Choosing} from '../generation/generation.ts';
import type {ModelConfig} from '../model/config.ts';
import {type EvaluationMemory, generationMemory, lossBytes} from '../size/activations.ts';
import type {RowSource} from '../step/batches.ts';
import type {Choices} from '../task/choices/rows.ts';

/** One entry of `evaluate`, with its data read. */
export type Evaluation = {
  /** Place in the sweep file's list. */
  index: number;
  /** Steps between evaluations; absent = at the end only. */
  every?: number | undefined;
  /** What its events are told apart by. */
  entry?: string | undefined;
} /** `base`: the base's own loss on these rows, which a worker adds where the loss is told relative to it. */ & (
  | {task: 'loss'; source: RowSource; relativeTo?: 'base' | undefined; base?: number | undefined}
  /** `name`: the task's own. */
  | {task: 'choices'; name: TaskName; source: RowSource; choices: Choices}
  | {task: 'generate'; prompts: Int32Array[]; maxNewTokens: number; eosIds: readonly number[]; choosing: Choosing}
);

/** All evaluations of a trial: each shape, and each length of prompts, has a program. */
export function evaluationMemory(config: ModelConfig, evaluations: readonly Evaluation[]): EvaluationMemory {
  const each = evaluations.map(evaluation => {
    if (evaluation.task !== 'generate') {
      const {shapes} = evaluation.source;
      return {
        bytes: Math.max(0, ...shapes.map(shape => lossBytes(config, shape))),
        programs: shapes.length,
      };
    }
    const {prompts, maxNewTokens, choosing} = evaluation;
    return generationMemory(config, {prompts, newTokens: maxNewTokens, samples: choosing.samples ?? 1});
  });
  return {
    bytes: Math.max(0, ...each.map(({bytes}) => bytes)),
    programs: each.reduce((sum, {programs}) => sum + programs, 0),
  };
}
