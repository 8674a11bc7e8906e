import {beforeAll, describe, expect, it} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {progress} from '../../../core/run/progress.ts';
import {seenBy, trialsOf} from '../../../core/run/trials/known-trials.ts';
import {compare} from '../../../core/run/verdict.ts';
import {isSettled} from '../../../core/search/comparing/settled.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {verifyRun} from '../../../trainer/results/verify.ts';
import {outcome, type Ran, run, text} from './small-runs.ts';

const added = (events: readonly RunEvent[]) =>
  events.flatMap(event => (event.event === 'trials-added' ? event.trials.map(({id}) => id) : []));

/** Two rates, two seeds, and a margin that these cannot resolve. */
const grid = (more = '') =>
  text(`verdict: {margin: 0.1%${more}}`)
    .replace('[lora, pissa]', '[lora, init-ab]')
    .replace(/learning_rate: .*/, 'learning_rate: [1e-3, 3e-3]');

/** Of every best rate, its seeds and word. */
function words({state}: Pick<Ran, 'state'>) {
  const [comparison] = compare(state);
  return {
    seeds: comparison!.curves.map(({peak}) => [peak!.method, peak!.seeds]),
    words: comparison!.spread!.gaps.map(({word}) => word),
    confidence: comparison!.judging.confidence,
  };
}

describe('a grid that may train further seeds', () => {
  let straight: Ran;
  beforeAll(async () => {
    straight = await run(grid(', seeds: 4'));
  });

  it('trains the whole grid, then more seeds at the best rates until there are words or no more seeds', () => {
    expect(straight.end).toBe('finished');
    const trials = straight.state.trials;
    expect(trials.every(({state}) => state === 'finished')).toBe(true);
    const ids = added(straight.events);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(id).toMatch(/-s[34]$/);
    // Nothing of it began before the grid was done.
    const ends = straight.events.flatMap((event, place) => (event.event === 'trial-ended' ? [place] : []));
    expect(straight.events.findIndex(({event}) => event === 'trials-added')).toBeGreaterThan(ends[7]!);
    expect(words(straight).seeds.some(([, seeds]) => seeds === 4 || seeds === 3)).toBe(true);
    // Words at 2, 3 and 4 seeds: none of them may be wrong.
    expect(words(straight).confidence).toBeCloseTo(1 - 0.03 / straight.state.verdict!.looks!.length);
  });

  it('leaves a record that verifies, and is under way until all of it is trained', async () => {
    expect(await verifyRun(straight.out)).toMatchObject({holds: true});
    expect(compare(straight.state)[0]!.isUnderWay).toBe(false);
    const {stepsDone, stepsTotal} = progress(straight.state);
    expect(stepsDone).toBe(stepsTotal);
  });

  it('comes to the same trials and numbers wherever it is stopped', async () => {
    const place = straight.events.findIndex(({event}) => event === 'trials-added');
    let ran = await run(grid(', seeds: 4'), {stopAfter: place + 3});
    const told = added(ran.events);
    for (const stopAfter of [15, Infinity]) {
      ran = await run(grid(', seeds: 4'), {file: ran.file, stopAfter});
      told.push(...added(ran.events));
    }
    expect(ran.end).toBe('finished');
    expect(told.sort()).toEqual(added(straight.events).sort());
    expect(outcome(ran)).toEqual(outcome(straight));
    expect(ran.state.trials.filter(({dropped}) => dropped)).toEqual([]);
  });

  it('goes on from a grid that might not, and does nothing when it is asked again', async () => {
    const plain = await run(grid());
    expect(added(plain.events)).toEqual([]);
    const more = await run(grid(', seeds: 4'), {file: plain.file});
    expect(outcome(more)).toEqual(outcome(straight));
    const again = await run(grid(', seeds: 4'), {file: plain.file});
    expect(again.events.filter(({event}) => event === 'step' || event === 'trials-added')).toEqual([]);
  });

  it('is settled at its end, and not where the file wants more seeds', async () => {
    const settled = (file: string, state: Ran['state']) => {
      const {sweep} = readSweep(file);
      return isSettled(sweep!, trialsOf(sweep!, state), state);
    };
    expect(settled(grid(', seeds: 4'), straight.state)).toBe(true);
    expect(settled(grid(', seeds: 9'), straight.state)).toBe(false);
    expect(settled(grid(), straight.state)).toBe(true);
  });

  it('trains one of them again by its id, as a filter names it', async () => {
    const [id] = added(straight.events);
    const {end, events} = await run(grid(', seeds: 4'), {file: straight.file, only: [`trial=${id}`]});
    expect(end).toBe('finished');
    expect(events.find(({event}) => event === 'run-started')).toMatchObject({selected: []});
    expect(events.filter(({event}) => event === 'step')).toEqual([]);
  });

  it('keeps them in sight of a file that no longer asks for them', () => {
    const {sweep} = readSweep(grid());
    const seen = seenBy(straight.state, trialsOf(sweep!, straight.state));
    expect(seen.trials.filter(({dropped}) => dropped)).toEqual([]);
  });
});

describe('more seeds that somebody asks for', () => {
  let plain: Ran;
  beforeAll(async () => {
    plain = await run(grid());
  });

  it('are trained at the best rates of what has no word and of the baseline, and are one more look', async () => {
    const before = words(plain);
    expect(before.words).toEqual(['not resolved']);
    const {end, events, state} = await run(grid(), {file: plain.file, moreSeeds: [{seeds: 1}]});
    expect(end).toBe('finished');
    const ids = added(events);
    expect(ids).toHaveLength(2);
    expect(ids.sort()).toEqual([expect.stringMatching(/^init-ab.*-s3$/), expect.stringMatching(/^lora.*-s3$/)]);
    for (const id of ids) expect(state.trials[state.places[id]!]).toMatchObject({state: 'finished', dropped: false});
    expect(state.asked).toBe(1);
    expect(words({state}).confidence).toBeCloseTo(1 - 0.03 / 2);
    expect(events.flatMap(event => (event.event === 'note' ? [event.message] : [])).join()).toContain(
      'more were asked for',
    );
    // A plain resume knows them, and adds none.
    const again = await run(grid(), {file: plain.file});
    expect(again.events.filter(({event}) => event === 'step' || event === 'trials-added')).toEqual([]);
    expect(again.state.trials.filter(({dropped}) => dropped)).toEqual([]);
  });

  it('may be those of one method, of a search too', async () => {
    const search = await run(text());
    const {events, state} = await run(text(), {file: search.file, moreSeeds: [{method: 'pissa', seeds: 2}]});
    const ids = added(events).filter(id => id.startsWith('pissa'));
    expect(ids.map(id => id.split('-s')[1])).toEqual(['3', '4']);
    const chosen = search.state.searched.find(({cell}) => cell.startsWith('pissa'))!.chosen!;
    for (const id of ids) expect(state.trials[state.places[id]!]!.trial.learningRate).toBe(chosen);
  });

  it('are trained at the best place of all that is tuned', async () => {
    const tuned = grid()
      .replace(/learning_rate: .*/, 'learning_rate: 3e-3\ntune: [learning_rate, training.weight_decay]')
      .replace('training: {', 'training: {weight_decay: [0, 0.5], ');
    const whole = await run(tuned);
    const {peak} = compare(whole.state)[0]!.curves[0]!;
    const {events, state} = await run(tuned, {file: whole.file, moreSeeds: [{method: 'lora', seeds: 1}]});
    const ids = added(events);
    expect(ids.map(id => id.split('-s')[1])).toEqual(['3']);
    expect(state.trials[state.places[ids[0]!]!]!.trial).toMatchObject({method: 'lora', settings: peak!.settings});
  });

  it('are refused where the run is not at its end, or where nobody is meant', async () => {
    const stopped = await run(grid(), {stopAfter: 30});
    await expect(run(grid(), {file: stopped.file, moreSeeds: [{seeds: 1}]})).rejects.toMatchObject({
      code: 'not-finished',
    });
    await expect(run(grid(), {file: plain.file, moreSeeds: [{method: 'dora', seeds: 1}]})).rejects.toThrow(
      /there is no best rate of dora; the sweep has lora, init-ab/,
    );
  });
});
