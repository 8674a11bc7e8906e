/** Runs of a small sweep in this process, stopped and resumed at will. */
import {createHash} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {RunEvent} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import type {SeedWish} from '../../../core/search/comparing/more-seeds.ts';
import {runSweep, type SweepEnd} from '../../../trainer/run/sweep.ts';
import {readRun} from '../../../trainer/store/run.ts';
import {testFolder} from '../test-folder.ts';

export const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
export const folder = testFolder();

/** Six rates, two seeds, two methods: a scan of 12 steps, then whole trainings of 32. */
export const text = (more = 'search: halving') => `
model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
seeds: [1, 2]
training: {steps: 32}
evaluate: {task: loss, data: ${demo}desc-test.jsonl, limit: 16, every: 12}
run: {workers: 2}
${more}
`;

export interface Ran {
  end: SweepEnd;
  events: RunEvent[];
  state: RunState;
  file: string;
  out: string;
}

let files = 0;
interface Asked {
  only?: string[];
  file?: string;
  /** Events after which the run is stopped. */
  stopAfter?: number;
  onState?(state: RunState): void;
  moreSeeds?: SeedWish[];
}

export async function run(
  sweep: string,
  {only = [], file, stopAfter = Infinity, onState, moreSeeds = []}: Asked = {},
): Promise<Ran> {
  const path = file ?? join(folder, `search-${files++}.sweep.yaml`);
  writeFileSync(path, sweep);
  const out = `${path}.run`;
  const events: RunEvent[] = [];
  const abort = new AbortController();
  let state = emptyRun;
  const onEvent = (event: RunEvent) => {
    events.push(event);
    state = foldAll(state, [event]);
    onState?.(state);
    if (events.length === stopAfter) abort.abort();
  };
  const resume = file !== undefined;
  const end = await runSweep(path, {out, only, resume, moreSeeds, signal: abort.signal, onEvent});
  return {end, events, state: (await readRun(out)).state, file: path, out};
}

/** Of every trial all that is compared: how far it got, every loss, what was measured, the adapter's bytes. */
export function outcome({state, out}: Pick<Ran, 'state' | 'out'>) {
  const trials = state.trials.map(({trial, state: how, steps, losses, evaluations, tails}) => {
    const adapter = join(out, 'adapters', trial.id, 'adapter_model.safetensors');
    const bytes = existsSync(adapter) ? createHash('sha256').update(readFileSync(adapter)).digest('hex') : null;
    const measured = evaluations.map(({step, task, metric, value}) => ({step, task, metric, value}));
    return [trial.id, {how, steps, losses: losses.means, measured, tails, bytes}] as const;
  });
  return new Map(trials.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
