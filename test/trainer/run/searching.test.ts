import {createHash} from 'node:crypto';
import {cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it} from 'vitest';
import type {RunEvent, Searched, Stepped} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {progress} from '../../../core/run/progress.ts';
import {showRun} from '../../../trainer/results/show.ts';
import {verifyRun} from '../../../trainer/results/verify.ts';
import {runSweep, type SweepEnd} from '../../../trainer/run/sweep.ts';
import {readRun} from '../../../trainer/store/run.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();

/** Six rates, two seeds, two methods: a scan of 12 steps, then whole trainings of 32. */
const text = (more = 'search: halving') => `
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

interface Ran {
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
}

async function run(sweep: string, {only = [], file, stopAfter = Infinity, onState}: Asked = {}): Promise<Ran> {
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
  const end = await runSweep(path, {out, only, resume, signal: abort.signal, onEvent});
  return {end, events, state: (await readRun(out)).state, file: path, out};
}

const searched = (events: readonly RunEvent[]): Searched[] => events.filter(event => event.event === 'searched');

/** Of every trial all that is compared: how far it got, every loss, what was measured, the adapter's bytes. */
function outcome({state, out}: Pick<Ran, 'state' | 'out'>) {
  const trials = state.trials.map(({trial, state: how, steps, losses, evaluations, tails}) => {
    const adapter = join(out, 'adapters', trial.id, 'adapter_model.safetensors');
    const bytes = existsSync(adapter) ? createHash('sha256').update(readFileSync(adapter)).digest('hex') : null;
    const measured = evaluations.map(({step, task, metric, value}) => ({step, task, metric, value}));
    return [trial.id, {how, steps, losses: losses.means, measured, tails, bytes}] as const;
  });
  return new Map(trials.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const decisions = ({state}: Pick<Ran, 'state'>) =>
  state.searched
    .map(({cell, stage, place, chosen}) => ({cell, stage, place, chosen}))
    .toSorted((a, b) => (a.cell < b.cell ? -1 : 1));

let whole: Ran;
const percents: number[] = [];
beforeAll(async () => {
  whole = await run(text(), {
    onState(state) {
      const {stepsDone, stepsTotal} = progress(state);
      if (stepsTotal > 0) percents.push(stepsDone / stepsTotal);
    },
  });
});

describe('a search', () => {
  it('scans every rate with the first seed, trains a few to the end, and the seeds at the chosen one', () => {
    expect(whole.end).toBe('finished');
    expect(whole.state.searched.map(({stage}) => stage)).toEqual(['done', 'done']);
    for (const {chosen, cell} of whole.state.searched) {
      const own = whole.state.trials.filter(({trial}) => `${trial.method}-r4-b8` === cell);
      expect(own).toHaveLength(12);
      const first = own.filter(({trial}) => trial.seed === 1);
      // Of each rate the scan's tail is known, and what is not whole stands where it was paused.
      for (const view of first) expect(view.tails[12]).toEqual(expect.any(Number));
      for (const view of own)
        expect(['finished 32', 'paused 12', 'waiting 0']).toContain(`${view.state} ${view.steps}`);
      const finished = own.filter(({state}) => state === 'finished');
      expect(finished.length).toBeLessThanOrEqual(own.length / 2);
      const atChosen = finished.filter(({trial}) => trial.learningRate === chosen);
      expect(atChosen.map(({trial}) => trial.seed).sort()).toEqual([1, 2]);
      expect(own.filter(({trial, state}) => trial.seed === 2 && state !== 'waiting').length).toBeGreaterThan(0);
    }
  });

  it('keeps the checkpoints of what is paused, and of nothing else', () => {
    const paused = whole.state.trials.filter(({state}) => state === 'paused').map(({trial}) => trial.id);
    expect(paused.length).toBeGreaterThan(0);
    const stored = new Set(
      readdirSync(join(whole.out, 'checkpoints')).map(name => name.replace(/(\.before)?\.safetensors$/, '')),
    );
    expect([...stored].sort()).toEqual(paused.sort());
  });

  it('tells how far it is: never backwards by much, and all of it at the end', () => {
    expect(percents.at(-1)).toBe(1);
    expect(percents[0]).toBe(0);
    // An expectation may be too low or too high by a few whole trainings.
    for (const [i, share] of percents.entries()) expect(share).toBeGreaterThan((percents[i - 1] ?? 0) - 0.25);
    const {stepsTotal} = progress(whole.state);
    expect(stepsTotal).toBeLessThan((24 * 32) / 1.5);
  });

  it('leaves a record that verifies, with every step of what is paused', async () => {
    expect(await verifyRun(whole.out)).toMatchObject({holds: true});
    const paused = whole.state.trials.find(({state}) => state === 'paused')!.trial.id;
    const copy = `${whole.out}-copy`;
    cpSync(whole.out, copy, {recursive: true});
    const lines = readFileSync(join(copy, 'events.jsonl'), 'utf8').split('\n');
    const place = lines.findIndex(line => line.includes('"event":"step"') && line.includes(paused));
    writeFileSync(join(copy, 'events.jsonl'), lines.toSpliced(place, 1).join('\n'));
    const {holds, checks} = await verifyRun(copy);
    expect(holds).toBe(false);
    expect(checks.filter(({state}) => state === 'missing')).toMatchObject([{what: `a step of ${paused} in`}]);
    const {lines: rows} = await showRun(whole.out, 'trials', 'csv');
    expect([...rows].filter(row => row.includes(',paused,12,')).length).toBeGreaterThan(1);
  });

  it('does nothing when it is asked again', async () => {
    const again = await run(text(), {file: whole.file});
    expect(again.end).toBe('finished');
    expect(again.events.filter(({event}) => event === 'step' || event === 'searched')).toEqual([]);
  });

  it('trains a trial as the grid does, to the last byte, though it paused on the way', async () => {
    const gone = whole.state.trials.find(({tails, state}) => state === 'finished' && tails[12] !== undefined)!.trial;
    const grid = await run(text(''), {only: [`trial=${gone.id}`]});
    const {tails: _, ...own} = outcome(whole).get(gone.id)!;
    expect(outcome(grid).get(gone.id)!).toMatchObject(own);
  });

  it.each([{moments: [40]}, {moments: [95]}, {moments: [130, 60, 45]}, {moments: [170, 2, 30]}])(
    'stopped after $moments events and resumed it comes to the same trials and numbers',
    async ({moments}) => {
      let ran = await run(text(), {stopAfter: moments[0]!});
      const told = searched(ran.events);
      for (const stopAfter of [...moments.slice(1), Infinity]) {
        ran = await run(text(), {file: ran.file, stopAfter});
        told.push(...searched(ran.events));
      }
      expect(ran.end).toBe('finished');
      expect(outcome(ran)).toEqual(outcome(whole));
      expect(decisions(ran)).toEqual(decisions(whole));
      // Decisions are told once, however often the run was started.
      const keys = told.map(event =>
        JSON.stringify([event.cell, event.stage, event.trials, event.chosen, event.until]),
      );
      expect(new Set(keys).size).toBe(keys.length);
    },
  );

  it('packs what goes equally far', async () => {
    const packed = await run(text().replace('workers: 2', 'workers: 1, pack: 6'));
    expect(packed.end).toBe('finished');
    const steps = packed.events.filter((event): event is Stepped & {at: number} => event.event === 'step');
    expect(steps[0]!.trials).toHaveLength(6);
    expect(packed.state.searched.map(({stage}) => stage)).toEqual(['done', 'done']);
  });
});

it('a filter on trials of a search trains these whole, from where they paused, and says so', async () => {
  const paused = whole.state.trials.find(({state}) => state === 'paused')!.trial;
  const {end, events, state} = await run(text(), {file: whole.file, only: [`trial=${paused.id}`]});
  expect(end).toBe('finished');
  expect(events.flatMap(event => (event.event === 'trial-started' ? [[event.trial, event.from]] : []))).toEqual([
    [paused.id, 12],
  ]);
  expect(state.trials[state.places[paused.id]!]).toMatchObject({state: 'finished', steps: 32});
  expect(
    searched(events)
      .map(({why}) => why)
      .join(),
  ).toMatch(/whole/);
});

describe('a search that may train further seeds', () => {
  // A margin that two seeds cannot resolve.
  const more = text('search: halving\nverdict: {margin: 0.1%, seeds: 4}');
  const added = (events: readonly RunEvent[]) =>
    events.flatMap(event => (event.event === 'trials-added' ? event.trials.map(({id}) => id) : []));

  it('adds them once, whenever it is stopped, and trains them as any other', async () => {
    const straight = await run(more);
    expect(straight.end).toBe('finished');
    const ids = added(straight.events);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(straight.state.trials[straight.state.places[id]!]).toMatchObject({state: 'finished'});

    const place = straight.events.findIndex(({event}) => event === 'trials-added');
    let ran = await run(more, {stopAfter: place + 3});
    const told = added(ran.events);
    ran = await run(more, {file: ran.file, stopAfter: 20});
    told.push(...added(ran.events));
    ran = await run(more, {file: ran.file});
    told.push(...added(ran.events));
    expect(ran.end).toBe('finished');
    expect(told.sort()).toEqual(ids.sort());
    expect(outcome(ran)).toEqual(outcome(straight));
    expect(ran.state.trials.filter(({dropped}) => dropped)).toEqual([]);
    expect(ran.state.challenged).toHaveLength(straight.state.challenged.length);
  });

  it('goes on from a search that might not, and says what changed', async () => {
    const {events, end} = await run(more, {file: whole.file});
    expect(end).toBe('finished');
    const notes = events.flatMap(event => (event.event === 'note' ? [event.message] : []));
    expect(notes.join('\n')).toMatch(/verdict changed from .*; what is trained already stands/);
  });
});

it('a trial that failed is waited for: it is asked for once a start, and the search goes on when it has run', async () => {
  const broken = join(folder, 'broken');
  writeFileSync(broken, '');
  writeFileSync(
    join(folder, 'score.mjs'),
    `import {existsSync} from 'node:fs';
export function score({output}) {
  if (existsSync(${JSON.stringify(broken)})) throw new Error('not today');
  return output.length / 20;
}
`,
  );
  const judged = text().replace(
    /evaluate: .*/,
    `evaluate: {task: custom, scorer: score.mjs, data: ${demo}desc-test.jsonl, max_new_tokens: 6, limit: 8}`,
  );
  const first = await run(judged);
  expect(first.end).toBe('failed');
  const failed = first.events.filter(event => event.event === 'trial-ended' && event.state === 'failed');
  // The pair of each method.
  expect(failed).toHaveLength(4);
  expect(first.state.searched.map(({stage}) => stage)).toEqual(['pair', 'pair']);
  rmSync(broken);
  const second = await run(judged, {file: first.file});
  expect(second.end).toBe('finished');
  expect(second.state.searched.map(({stage}) => stage)).toEqual(['done', 'done']);
  const again = new Set(failed.flatMap(event => ('trial' in event ? [event.trial] : [])));
  // They go on from the checkpoint at their end: their answers are there, only the judging is made again.
  const steps = second.events.filter(event => event.event === 'step' && event.trials.some(id => again.has(id)));
  expect(steps).toEqual([]);
});
