import {mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {RunEventBody, TrialEnded} from '../../../core/run/events.ts';
import {emptyRun} from '../../../core/run/fold.ts';
import {tailSteps} from '../../../core/run/series/tail.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {Programs} from '../../../trainer/engine/program/programs.ts';
import {trainJob} from '../../../trainer/run/packs.ts';
import type {Prepared} from '../../../trainer/run/prepare.ts';
import {trainingProbes} from '../../../trainer/run/probing.ts';
import {openSweep} from '../../../trainer/run/sweep-file.ts';
import {train} from '../../../trainer/training/train.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();
interface Opened {
  prepared: Prepared;
  trials: Trial[];
}

/** All that a pause could disturb: dropout, accumulation, evaluations and probes on the way, one of each at the pause itself. */
async function opened(name: string, rates: string, training: string): Promise<Opened> {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(
    file,
    `
model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [pissa]
rank: 4
batch_size: 8
learning_rate: ${rates}
training: {steps: 24, dropout: 0.1, micro_batch: 3, ${training}}
curvature: {samples: 8, batch_size: 4, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 8, at: [50%, end]}
evaluate:
  - {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 6, limit: 8, every: 6}
  - {task: loss, data: ${demo}desc-test.jsonl, limit: 8, every: 4}
run: {pack: 1}
`,
  );
  const {sweep, prepare} = openSweep(file);
  return {prepared: await prepare(1), trials: expandTrials(sweep)};
}

let programs: Programs;
beforeAll(async () => {
  programs = new Programs(await openEngine('compiled', {threads: 1}));
});
afterAll(() => programs.dispose());

interface Part {
  pack: Trial[];
  until?: number;
  /** The run is stopped at this step. */
  stopAt?: number;
}

interface Told {
  events: RunEventBody[];
  answers: unknown[];
  out: string;
}

/** Trains packs one after another in one run folder. */
async function trained(prepared: Prepared, parts: Part[]): Promise<Told> {
  const out = mkdtempSync(join(folder, 'run-'));
  const events: RunEventBody[] = [];
  const answers: unknown[] = [];
  const {config, weights} = prepared.model;
  for (const {pack, until, stopAt = Number.POSITIVE_INFINITY} of parts) {
    let last = 0;
    const context = {
      ...{config, weights, programs, worker: 0},
      emit(event: RunEventBody) {
        events.push(event);
        if (event.event === 'step') last = event.step;
      },
      generated: (result: unknown) => void answers.push(result),
      stopped: () => last >= stopAt,
      crowded: () => false,
      decode: () => '',
      stored: async () => 0,
    };
    const known = events.filter(event => event.event === 'curvature');
    const job = {
      ...trainJob(prepared, pack, out, until),
      ...trainingProbes(prepared, pack, {...emptyRun, curvature: known}),
    };
    const isDone = new Map<string, number[]>();
    const from = Math.max(0, ...events.map(event => (event.event === 'trial-ended' ? event.steps : 0)));
    for (const {id} of pack)
      isDone.set(id, [
        ...answers.flatMap(one => (isAt(one, id, from) ? [one.evaluation] : [])),
        ...events.flatMap(one =>
          one.event === 'evaluation' && one.trial === id && one.step === from ? [one.index!] : [],
        ),
      ]);
    await train({...job, evaluated: {step: from, known: Object.fromEntries(isDone)}}, context);
  }
  return {events, answers, out};
}

function isAt(answer: unknown, id: string, at: number): answer is {evaluation: number} {
  const {trial, step} = answer as {trial: string; step: number};
  return trial === id && step === at;
}

/** What a trial came to, whatever it was interrupted by. */
function story({events, answers, out}: Told, {id}: Trial) {
  const steps = events.flatMap(event => {
    if (event.event !== 'step' || !event.trials.includes(id)) return [];
    const lane = event.trials.indexOf(id);
    return [[event.step, event.losses[lane], event.gradNorms[lane], event.rates[lane], event.tokens![lane]]];
  });
  const others = events.filter(
    event => (event.event === 'evaluation' || event.event === 'curvature') && event.trial === id,
  );
  const adapter = join(out, 'adapters', id);
  const files = readdirSync(adapter).map(name => [name, readFileSync(join(adapter, name), 'base64')]);
  return {
    steps,
    others,
    answers: answers.filter(one => (one as {trial: string}).trial === id),
    files,
    end: ends({events}, id).at(-1),
  };
}

function ends({events}: Pick<Told, 'events'>, id: string): Omit<TrialEnded, 'seconds'>[] {
  return events.flatMap(event => {
    if (event.event !== 'trial-ended' || event.trial !== id) return [];
    const {seconds: _, ...rest} = event;
    return [rest];
  });
}

function meanOfLast(count: number, {steps}: Pick<ReturnType<typeof story>, 'steps'>, until: number): number {
  const own = steps.filter(([step]) => step! > until - count && step! <= until).map(([, loss]) => loss!);
  return own.reduce((sum, loss) => sum + loss, 0) / count;
}

it('a trial that pauses, is stopped and goes on comes to every byte of what it comes to in one go', async () => {
  const {prepared, trials} = await opened('adam', '[1e-3]', 'warmup_ratio: 0.1');
  const [one] = trials as [Trial];
  const whole = await trained(prepared, [{pack: [one]}]);
  const parts = await trained(prepared, [
    {pack: [one], until: 12},
    {pack: [one], stopAt: 17},
    {pack: [one], until: 20},
    {pack: [one]},
  ]);
  const expected = story(whole, one);
  expect(story(parts, one)).toEqual(expected);
  expect(expected.steps).toHaveLength(24);
  expect(expected.others.map(event => 'step' in event && event.step)).toEqual(expect.arrayContaining([4, 8, 12, 24]));
  expect(ends(parts, one.id).map(({state, steps}) => [state, steps])).toEqual([
    ['paused', 12],
    ['stopped', 17],
    ['paused', 20],
    ['finished', 24],
  ]);
  const [scan, , later, end] = ends(parts, one.id);
  for (const [{tail, steps}, count] of [
    [scan!, 3],
    [later!, 3],
    [end!, 3],
  ] as const) {
    expect(tailSteps(steps)).toBe(count);
    // The same numbers in the same order.
    expect(tail).toBe(meanOfLast(count, expected, steps));
  }
});

it('a pack pauses together, and its trials go on apart; one that diverged is done and has no tail', async () => {
  const calm = 'max_grad_norm: 1e9, optimizer: sgd, warmup_ratio: 0';
  const {prepared, trials} = await opened('sgd', '[1e-3, 2e-3, 1000]', calm);
  const [one, two, wild] = trials as [Trial, Trial, Trial];
  const apart = await trained(prepared, [{pack: [one]}]);
  const packed = await trained(prepared, [{pack: [one, two, wild], until: 12}, {pack: [one]}, {pack: [two]}]);
  expect(ends(packed, wild.id)).toMatchObject([{state: 'diverged', tail: null}]);
  for (const {id} of [one, two])
    expect(ends(packed, id).map(({state, steps}) => [state, steps])).toEqual([
      ['paused', 12],
      ['finished', 24],
    ]);
  const [together, alone] = [story(packed, one), story(apart, one)];
  expect(together.steps).toHaveLength(24);
  together.steps.forEach((row, i) => {
    // Another order of the same sums, carried on over the steps.
    expect(Math.abs(row[1]! / alone.steps[i]![1]! - 1)).toBeLessThan(1e-4);
    expect([row[0], row[3], row[4]]).toEqual([alone.steps[i]![0], alone.steps[i]![3], alone.steps[i]![4]]);
  });
});
