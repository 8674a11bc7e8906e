/** One trial written as a sweep file of its own. */
import type {RunState} from '../core/run/fold.ts';
import {trialsOf} from '../core/run/trials/known-trials.ts';
import {plainOf} from '../core/sweep/axes/axes.ts';
import {nameOf, type Sweep} from '../core/sweep/sweep.ts';

/** The keys of a sweep file that holds this trial only; everything else is as in the sweep. `state`: its run, where it has one. */
export function trialFile(sweep: Sweep, id: string, state: RunState | null): Record<string, unknown> {
  const trial = trialsOf(sweep, state).find(candidate => candidate.id === id);
  if (!trial) return {};
  const {data, training, targets, evaluate, model} = plainOf(sweep, trial);
  const settings = sweep.methods.find(one => nameOf(one) === nameOf(trial));
  const own = {
    iterations: settings?.iterations,
    ...settings?.options,
    variant: settings?.variant,
    start_from: settings?.startFrom,
  };
  const {rows, maxLength, ...rest} = data;
  return {
    name: `${sweep.name}-${id}`,
    model,
    data: {...rest, rows, max_length: maxLength},
    methods: Object.keys(own).length > 0 ? {[trial.method]: own} : [trial.method],
    targets,
    rank: trial.rank,
    alpha: trial.alpha,
    batch_size: trial.batchSize,
    learning_rate: trial.learningRate,
    seeds: trial.order === undefined ? [trial.seed] : {start: [trial.seed], order: trial.order},
    training: {
      ...(training.steps === undefined ? {epochs: training.epochs} : {steps: training.steps}),
      optimizer: training.optimizer,
      weight_decay: training.weightDecay,
      schedule: training.schedule,
      ...(training.warmupSteps === undefined
        ? {warmup_ratio: training.warmupRatio}
        : {warmup_steps: training.warmupSteps}),
      max_grad_norm: training.maxGradNorm,
      dropout: training.dropout,
      precision: training.precision,
      micro_batch: training.microBatch,
      checkpoint: training.checkpoint,
    },
    ...(evaluate.length === 0
      ? {}
      : {
          evaluate: evaluate.map(({maxNewTokens, topP, ...rest}) => ({
            ...rest,
            max_new_tokens: maxNewTokens,
            top_p: topP,
          })),
        }),
  };
}
