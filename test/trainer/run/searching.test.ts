import {cpSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import type {RunEvent, Searched, Stepped} from '../../../core/run/events.ts';
import {progress} from '../../../core/run/progress.ts';
import {trialsOf} from '../../../core/run/trials/known-trials.ts';
import {hasChosen, isSettled} from '../../../core/search/comparing/settled.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {showRun} from '../../../trainer/results/show.ts';
import {verifyRun} from '../../../trainer/results/verify.ts';
import {demo, folder, outcome, type Ran, run, text} from './small-runs.ts';

const searched = (events: readonly RunEvent[]): Searched[] => events.filter(event => event.event === 'searched');

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
  it('scans every second rate and those beside the best with the first seed, trains a few to the end, and the seeds at the chosen one', () => {
    expect(whole.end).toBe('finished');
    expect(whole.state.searched.map(({stage}) => stage)).toEqual(['done', 'done']);
    for (const {chosen, cell} of whole.state.searched) {
      const own = whole.state.trials.filter(({trial}) => `${trial.method}-r4-b8` === cell);
      expect(own).toHaveLength(12);
      const first = own.filter(({trial}) => trial.seed === 1);
      // Of each rate that was scanned the tail is known, and what is not whole stands where it was paused.
      const scanned = first.filter(view => view.tails[12] !== undefined);
      expect(scanned.length).toBeGreaterThanOrEqual(4);
      for (const place of [1, 3, 5]) expect(scanned).toContain(first[place]);
      for (const view of own)
        expect(['finished 32', 'paused 12', 'waiting 0']).toContain(`${view.state} ${view.steps}`);
      const finished = own.filter(({state}) => state === 'finished');
      expect(finished.length).toBeLessThanOrEqual((2 / 3) * own.length);
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

  it('is settled at its end, and not where the file wants more', async () => {
    const settled = (file: string, {state}: Pick<Ran, 'state'>) => {
      const {sweep} = readSweep(file);
      return isSettled(sweep!, trialsOf(sweep!, state), state);
    };
    expect(settled(text(), whole)).toBe(true);
    expect(hasChosen(whole.state)).toBe(true);
    expect(settled(text().replace('seeds: [1, 2]', 'seeds: [1, 2, 3]'), whole)).toBe(false);
    expect(settled(text().replace('3e-2]', '3e-2, 9e-2]'), whole)).toBe(false);
    expect(settled(text(''), whole)).toBe(false);
    const stopped = await run(text(), {stopAfter: 60});
    expect(settled(text(), stopped)).toBe(false);
    expect(hasChosen(stopped.state)).toBe(false);
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
    expect(steps[0]!.trials).toHaveLength(6 / 2);
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

it('a search that starts from the curvature probes first, waits for lora, and is resumed alike', async () => {
  const guided = text(`search: {start: curvature}
curvature: {samples: 4, batch_size: 4, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 8}`)
    .replace(/learning_rate: .*/, 'learning_rate: [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]')
    .replace('seeds: [1, 2]', 'seeds: [1]');
  const straight = await run(guided);
  expect(straight.end).toBe('finished');
  expect(straight.state.searched.map(({stage}) => stage)).toEqual(['done', 'done']);
  const scans = searched(straight.events).filter(({stage}) => stage === 'scan');
  expect(scans[0]).toMatchObject({cell: 'lora-r4-b8', trials: {length: 3}});
  expect(scans.find(({cell}) => cell === 'pissa-r4-b8')!.why).toContain('the curvature predicts about');
  const {stepsDone, stepsTotal} = progress(straight.state);
  expect(stepsDone).toBe(stepsTotal);
  const stopped = await run(guided, {stopAfter: 110});
  const resumed = await run(guided, {file: stopped.file});
  expect(outcome(resumed)).toEqual(outcome(straight));
  expect(decisions(resumed)).toEqual(decisions(straight));
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
