import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {RunEvent, TrialEnded} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {runSweep, type SweepEnd, type SweepOptions} from '../../../trainer/run/sweep.ts';
import {hasRun, readRun} from '../../../trainer/store/run.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();

const sweep = (name: string, more: string, training = '') => {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(
    file,
    `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
rank: 4
batch_size: 8
training: {${training || 'steps: 6'}}
${more}`,
  );
  return file;
};

interface Ran {
  end: SweepEnd | string;
  events: RunEvent[];
  state: RunState;
}

async function run(file: string, asked: Partial<SweepOptions> = {}): Promise<Ran> {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => void events.push(event);
  const {signal} = new AbortController();
  const options = {out: `${file}.run`, only: [], resume: hasRun(`${file}.run`), signal, onEvent, ...asked};
  const end = await runSweep(file, options).catch((error: Error) => error.message);
  return {end, events, state: (await readRun(`${file}.run`)).state};
}

const ended = (events: RunEvent[]) =>
  events.filter((event): event is TrialEnded & {at: number} => event.event === 'trial-ended');
const statesOf = ({trials}: RunState) =>
  Object.fromEntries(trials.map(({trial, state}) => [trial.learningRate, state]));

describe('trials that are trained again', () => {
  it('a finished one starts afresh and gives the same; what it gave before stays in the events', async () => {
    const file = sweep(
      'rerun',
      `methods: [lora]\nlearning_rate: [1e-3, 3e-3]\nevaluate: {task: loss, data: ${demo}desc-test.jsonl, limit: 8}\n`,
    );
    const first = await run(file);
    const before = readFileSync(`${file}.run/events.jsonl`, 'utf8');
    const again = await run(file, {only: ['learning_rate=1e-3'], rerun: true});
    expect(again.end).toBe('finished');
    expect(ended(again.events).map(({state, steps}) => ({state, steps}))).toEqual([{state: 'finished', steps: 6}]);
    const started = again.events.filter(event => event.event === 'trial-started');
    expect(started).toEqual([expect.not.objectContaining({from: expect.anything()})]);
    expect(readFileSync(`${file}.run/events.jsonl`, 'utf8').startsWith(before)).toBe(true);
    const results = ({state}: Ran) =>
      state.trials.map(({trial, steps, evaluations}) => [trial.id, steps, evaluations.map(({value}) => value)]);
    expect(results(again)).toEqual(results(first));
    // Without being asked for, nothing is left to do.
    expect(ended((await run(file)).events)).toEqual([]);
  });

  it('a diverged one is taken by its state; of the others nothing moves', async () => {
    const file = sweep(
      'diverged',
      'methods: [full]\nlearning_rate: [1e-9, 1000]\n',
      'steps: 20, max_grad_norm: 1e9, optimizer: sgd, warmup_ratio: 0',
    );
    const first = await run(file);
    expect(statesOf(first.state)).toEqual({1e-9: 'finished', 1000: 'diverged'});
    const again = await run(file, {only: ['state=diverged']});
    expect(ended(again.events).map(({trial, state}) => [trial, state])).toEqual([
      [first.state.trials[1]!.trial.id, 'diverged'],
    ]);
    expect((await run(file, {only: ['state=failed']})).end).toMatch(/no trial of this sweep has state failed/);
  });

  it('the trials of a search are trained whole', async () => {
    const file = sweep(
      'searched',
      `methods: [lora]\nlearning_rate: [1e-4, 3e-4, 1e-3, 3e-3]\nsearch: halving\nevaluate: {task: loss, data: ${demo}desc-test.jsonl, limit: 8}\n`,
    );
    const first = await run(file);
    const {trial} = first.state.trials.find(({state}) => state === 'finished')!;
    const again = await run(file, {only: [`trial=${trial.id}`], rerun: true});
    expect(ended(again.events)).toEqual([expect.objectContaining({trial: trial.id, state: 'finished', steps: 6})]);
    expect(again.state.searched).toEqual(first.state.searched);
  });
});

describe('run.on_failure', () => {
  const broken = join(folder, 'broken');
  writeFileSync(
    join(folder, 'score.mjs'),
    `import {existsSync} from 'node:fs';
export function score({output}) {
  if (existsSync(${JSON.stringify(broken)})) throw new Error('not today');
  return output.length / 20;
}
`,
  );
  const text = (more: string) =>
    `methods: [lora]\nlearning_rate: [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]\nevaluate: {task: custom, scorer: score.mjs, data: ${demo}desc-test.jsonl, max_new_tokens: 4, limit: 4}\nrun: {workers: 1${more}}\n`;

  it('stop ends the run with the first trial that fails, says why, and --resume goes on', async () => {
    writeFileSync(broken, '');
    const file = sweep('stop', text(', on_failure: stop'));
    const first = await run(file);
    expect(first.end).toMatch(/failed, and run.on_failure: stop ends the run with it: .*not today.*--resume/);
    expect(first.state).toMatchObject({state: 'failed', message: first.end});
    const states = Object.values(statesOf(first.state));
    expect(states.filter(state => state === 'failed').length).toBeGreaterThanOrEqual(1);
    expect(states.filter(state => state === 'waiting').length).toBeGreaterThanOrEqual(1);
    rmSync(broken);
    const second = await run(file, {only: ['state=failed']});
    expect(second.end).toBe('finished');
    expect(Object.values(statesOf(second.state))).not.toContain('failed');
    expect((await run(file)).end).toBe('finished');
  });

  it('continue, the default, trains the others', async () => {
    writeFileSync(broken, '');
    const file = sweep('continue', text(''));
    const {end, state} = await run(file);
    expect(end).toBe('failed');
    expect(Object.values(statesOf(state))).toEqual(Array(5).fill('failed'));
    expect(existsSync(`${file}.run/adapters`)).toBe(true);
  });
});
