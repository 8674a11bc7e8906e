/** The end of `tune`: the adapter at the best rate, written out, and how it is used. */
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {type Best, bestOf} from '../../core/run/best-seed.ts';
import {budgetOf} from '../../core/run/budget.ts';
import {settingsInWords} from '../../core/run/compare/conditions.ts';
import type {RunState} from '../../core/run/fold.ts';
import {count, formatMean, formatMeasure} from '../../core/run/format.ts';
import type {Tuned} from '../../core/run/tuned.ts';
import {formatPlace} from '../../core/run/verdict/place.ts';
import {rulesOf} from '../../core/search/rules.ts';
import type {TunedSweep} from '../../core/search/tuning.ts';
import {stepsKey} from '../../core/sweep/axes/axes.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {adapterBase} from '../adapter/base.ts';
import {checkTarget} from '../files/new-folder.ts';
import {quoted, readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {readRun} from '../store/run.ts';
import {exportTrial} from './export.ts';

/** @throws SweepError `folder-in-use` where something lies in the way of an export */
export function refuseTarget(target: string): void {
  checkTarget(target, 0, '--export');
}

/**
 * Exports the best trial of a finished search: to `target`, or into the run folder, where an earlier export of it stands.
 * @returns what was found, as data and in lines
 * @throws SweepError `nothing-found`, and those of an export
 */
export async function takeBest(
  folder: string,
  sweep: TunedSweep,
  target?: string,
): Promise<{tuned: Tuned; lines: string[]}> {
  const {state} = await readRun(folder);
  const {objective} = rulesOf(sweep)!;
  const best = bestOf(state, objective);
  if (!best)
    throw new SweepError(
      'nothing-found',
      `No rate of ${sweep.methods[0]!.method} trained to its end with a result, so there is nothing to export; give a grid of lower rates.`,
    );
  const {id, method} = best.trial.trial;
  const out = resolve(target ?? join(folder, 'exported', id));
  const to = method === 'full' ? 'merged' : 'adapter';
  const exported = existsSync(out) && target === undefined ? `${id} is in ${out} already.` : null;
  const sentence = exported ?? (await exportTrial({folder, trial: id, to, out}));
  const words = foundInWords(best, objective.task);
  const {learningRate, place, mean, std, seeds, edge} = best.peak;
  const cost = costOf(state, sweep);
  const tuned: Tuned = {method, rate: learningRate, place, mean, std, seeds, trial: id, exported: out, ...cost, words};
  const base = adapterBase(readManifest(join(folder, manifestName))!.model.folder!).model;
  const remark =
    edge === null ? [] : [`It is the ${edge} rate of the grid: a better one may lie outside, so extend it.`];
  return {
    tuned,
    lines: [
      words,
      ...remark,
      costInWords(cost),
      sentence,
      '',
      ...(to === 'adapter' ? useOf(base, out) : useOfModel(out)),
    ],
  };
}

function foundInWords({peak, metric, trial: {trial}}: Best, task: string): string {
  const value = formatMean(peak.mean, peak.std, metric);
  const settings = settingsInWords(peak.settings).map(one => `, ${one}`);
  return `The best rate of ${trial.method} is ${formatPlace(peak)}${settings.join('')}: ${formatMeasure(task, metric)} ${value} over ${count(peak.seeds, 'seed')}.`;
}

/** Beside every rate and seed of the file, whatever part of them a budget left. */
function costOf(state: RunState, sweep: TunedSweep): Pick<Tuned, 'steps' | 'gridSteps'> {
  const {steps} = budgetOf(state)!;
  const each = new Map(state.trials.map(({trial, totalSteps}) => [stepsKey(trial), totalSteps]));
  return {steps, gridSteps: expandTrials(sweep).reduce((sum, trial) => sum + each.get(stepsKey(trial))!, 0)};
}

function costInWords({steps, gridSteps}: Pick<Tuned, 'steps' | 'gridSteps'>): string {
  const share = ((100 * steps) / gridSteps).toFixed(1);
  return `It took ${count(steps, 'step')}, ${share} % of what the file's whole grid of this method takes.`;
}

function useOf(base: string, adapter: string): string[] {
  return [
    'To use it:',
    `  lora-sweep generate --model ${quoted(base)} --adapter ${quoted(adapter)} --prompt TEXT`,
    ...(base.endsWith('.gguf')
      ? []
      : [
          'In Python, with transformers and peft:',
          `  model = AutoModelForCausalLM.from_pretrained(${JSON.stringify(base)})`,
          `  model = PeftModel.from_pretrained(model, ${JSON.stringify(adapter)})`,
        ]),
  ];
}

function useOfModel(folder: string): string[] {
  return [
    'To use it:',
    `  lora-sweep generate --model ${quoted(folder)} --prompt TEXT`,
    'In Python, with transformers:',
    `  model = AutoModelForCausalLM.from_pretrained(${JSON.stringify(folder)})`,
  ];
}
