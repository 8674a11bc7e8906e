/** Evaluating the trials of a pack: token-mean loss, and answers generated for prompts. */
import type {RunEventBody} from '../../core/run/events.ts';
import {forgettingMetric} from '../../core/run/peak.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {extentOf} from '../data/batch.ts';
import type {Programs} from '../engine/program/programs.ts';
import type {Generated} from '../generation/answers.ts';
import {type Generative, generate} from '../generation/generation.ts';
import type {Decode} from '../generation/stopping.ts';
import type {ModelConfig} from '../model/config.ts';
import {type RowSource, sideBySide} from '../step/batches.ts';
import type {PackBatch} from '../step/step.ts';
import {choiceScores} from './choice-scores.ts';
import type {Evaluation} from './evaluation.ts';

/** A model that can be evaluated: the trials of a pack, or one with a finished adapter or none. */
export interface Evaluable {
  settings: {trials: number};
  /** Updates done. */
  count: number;
  /** Σ weights · cross-entropy of each trial. */
  evaluate(batch: PackBatch): Promise<Float32Array>;
  /** weights · cross-entropy of each target: [trials · targets]. */
  score(batch: PackBatch): Promise<Float32Array>;
  generative(): Promise<Generative>;
}

export interface EvaluateContext {
  config: ModelConfig;
  programs: Programs;
  emit(event: RunEventBody): void;
  generated(result: Generated): void;
  stopped(): boolean;
  /** For what is to stop at a text. */
  decode: Decode;
}

/** Evaluates the trials that still train. */
export async function evaluatePack(
  pack: Evaluable,
  context: EvaluateContext,
  evaluations: Evaluation[],
  trials: readonly Pick<Trial, 'id'>[],
  active: Float32Array,
): Promise<void> {
  for (const evaluation of evaluations) {
    if (context.stopped() || active.every(flag => flag === 0)) return;
    if (evaluation.task === 'loss') {
      const {entry, index, base} = evaluation;
      const {losses, tokens: total} = await meanLoss(pack, evaluation, context.stopped);
      if (context.stopped()) return;
      const told = (trial: string, metric: string, value: number): RunEventBody => ({
        ...{event: 'evaluation', trial, step: pack.count, task: 'loss', entry, index, metric},
        ...{value: Number.isFinite(value) ? value : null, correct: null, total},
      });
      trials.forEach(({id}, i) => {
        if (active[i] === 0) return;
        context.emit(told(id, 'loss', losses[i]!));
        if (base !== undefined) context.emit(told(id, forgettingMetric, losses[i]! - base));
      });
    } else if (evaluation.task === 'choices') {
      const {index, name, choices} = evaluation;
      const entry = evaluation.entry === undefined ? {} : {entry: evaluation.entry};
      const scored = await likelihoods(pack, evaluation.source, context.stopped);
      if (context.stopped()) return;
      trials.forEach(({id}, i) => {
        if (active[i] === 0) return;
        for (const score of choiceScores(choices, scored.likelihoods[i]!, scored.tokens))
          context.emit({event: 'evaluation', trial: id, step: pack.count, task: name, ...entry, index, ...score});
      });
    } else {
      const {prompts, maxNewTokens, eosIds, choosing, index} = evaluation;
      const limits = {maxNewTokens, eosIds, decode: context.decode, ...choosing};
      const answers = await generate(context.programs, await pack.generative(), prompts, limits, context.stopped);
      if (context.stopped()) return;
      trials.forEach(({id}, i) => {
        if (active[i]! > 0) context.generated({trial: id, step: pack.count, evaluation: index, answers: answers[i]!});
      });
    }
  }
}

/** The token mean of each trial. */
export async function meanLoss(
  pack: Pick<Evaluable, 'settings' | 'evaluate'>,
  {source}: Pick<Extract<Evaluation, {task: 'loss'}>, 'source'>,
  stopped: () => boolean,
): Promise<{losses: Float64Array; tokens: number}> {
  const sums = new Float64Array(pack.settings.trials);
  let tokens = 0;
  const {count} = source.dataset;
  for (let start = 0; start < count && !stopped(); start += source.rows) {
    const rows = Int32Array.from({length: Math.min(source.rows, count - start)}, (_, i) => start + i);
    const batch = sideBySide(
      source,
      Array.from({length: sums.length}, () => rows),
    );
    const losses = await pack.evaluate(batch);
    for (let trial = 0; trial < sums.length; trial++) sums[trial]! += losses[trial]!;
    tokens += batch.weights.subarray(0, batch.shape.targets).reduce((sum, weight) => sum + weight, 0);
  }
  return {losses: sums.map(sum => sum / tokens), tokens};
}

/** log p of the targets of every row of a dataset, by trial. Its rows stand in falling order of their lengths. */
async function likelihoods(
  pack: Evaluable,
  source: RowSource,
  stopped: () => boolean,
): Promise<{likelihoods: Float64Array[]; tokens: Int32Array}> {
  const {count} = source.dataset;
  const {trials} = pack.settings;
  const found = Array.from({length: trials}, () => new Float64Array(count));
  const tokens = Int32Array.from({length: count}, (_, row) => extentOf(source.dataset, [row]).targets);
  for (let start = 0; start < count && !stopped(); start += source.rows) {
    const rows = Int32Array.from({length: Math.min(source.rows, count - start)}, (_, i) => start + i);
    const batch = sideBySide(
      source,
      Array.from({length: trials}, () => rows),
    );
    const losses = await pack.score(batch);
    for (let trial = 0; trial < trials; trial++) {
      let target = trial * batch.shape.targets;
      for (const row of rows) for (let left = tokens[row]!; left > 0; left--) found[trial]![row]! -= losses[target++]!;
    }
  }
  return {likelihoods: found, tokens};
}
