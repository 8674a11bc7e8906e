/**
 * How fast the page of a large run opens, how smoothly it follows one and what memory it takes, in a real Chromium
 * without a GPU. The page gets what the editor sends it: a snapshot, then increments.
 */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Follower} from '../../../client/run/follow.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {difference, type RunUpdate} from '../../../core/run/update.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {openRun} from '../../../trainer/store/run.ts';
import {openBrowser, type Page} from '../../e2e/driver.ts';
import {installation} from '../../e2e/install.ts';
import type {Part} from '../pages/part.ts';
import {painted, writePage} from '../pages/shown-page.ts';
import {writeLongRun} from '../worlds/long-run.ts';
import {longPage} from './long-page.ts';

const [trialCount, steps] = [36, 30_000];
/** As client/results sends. */
const sendEvery = 400;

const trials = Array.from({length: trialCount}, (_, k): Trial => {
  const method = (['lora', 'pissa', 'dora'] as const)[k % 3]!;
  const learningRate = 1e-5 * 10 ** (Math.floor(k / 3) / 4);
  const id = `${method}-r8-b16-lr${learningRate.toExponential(2)}-s1`;
  return {id, method, rank: 8, alpha: 8, batchSize: 16, learningRate, seed: 1};
});

const stepOf = (trial: Trial, step: number): RunEventBody => ({
  event: 'step',
  trials: [trial.id],
  step,
  losses: [3 * step ** -0.2 + 0.3 * Math.random()],
  rates: [trial.learningRate],
  gradNorms: [1 + Math.random()],
});
const started: RunEventBody = {
  event: 'run-started',
  ...{name: 'large', trials, engine: 'compiled', reason: '', workers: 2, resumed: false, steps: {16: 2 * steps}},
};
const trialStarts = trials.map(
  ({id: trial}): RunEventBody => ({event: 'trial-started', trial, steps: 2 * steps, worker: 0}),
);

/** Writes a run of that size with the trainer's own store. */
async function writeRun(folder: string): Promise<void> {
  const run = await openRun({folder, sweepFile: '', resume: false});
  for (const event of [started, ...trialStarts]) run.append(event);
  for (let step = 1; step <= steps; step++) for (const trial of trials) run.append(stepOf(trial, step));
  for (const {id: trial} of trials) {
    run.append({
      event: 'evaluation',
      trial,
      step: steps,
      task: 'exact-match',
      metric: 'accuracy',
      value: Math.random(),
      correct: 1,
      total: 2,
    });
    run.append({event: 'trial-ended', trial, state: 'finished', steps, seconds: 600});
  }
  run.append({event: 'run-ended', state: 'finished', seconds: 1200});
  run.close();
}

/** Hands the page an update; milliseconds until it is painted. */
async function show(page: Page, update: RunUpdate, first: boolean): Promise<number> {
  return painted(page, {type: 'run', first, update, alive: true, folder: '', sweepFile: ''});
}

interface Frames {
  perSecond: number;
  longest: number;
  /** Share of the time in frames of more than 1/30 s. */
  slow: number;
}

/** Sends increments of all trials for a while and counts the page's frames. */
async function stream(page: Page, before: RunState, seconds: number): Promise<Frames> {
  await page.evaluate('requestAnimationFrame(tick)');
  let [state, step] = [before, steps];
  const until = Date.now() + 1000 * seconds;
  while (Date.now() < until) {
    const next = Date.now() + sendEvery;
    const events = [1, 2, 3].flatMap(k => trials.map(trial => ({...stepOf(trial, step + k), at: Date.now()})));
    step += 3;
    const after = foldAll(state, events);
    await show(page, difference(state, after), false);
    state = after;
    await page.waitForTimeout(Math.max(0, next - Date.now()));
  }
  const times = await page.evaluate<number[], undefined>('times');
  const frames = times.slice(1).map((time, k) => time - times[k]!);
  const total = frames.reduce((a, b) => a + b, 0);
  return {
    perSecond: (1000 * frames.length) / total,
    longest: Math.max(...frames),
    slow: frames.filter(frame => frame > 1000 / 30).reduce((a, b) => a + b, 0) / total,
  };
}

export async function heapMegabytes(page: Page): Promise<number> {
  return page.evaluate<number, undefined>('performance.memory.usedJSHeapSize / 1e6');
}

export const dashboard: Part = {
  summary: 'the dashboard with a run of 36 trials × 30,000 steps',
  leftOut: 'most of the streaming, nine tenths of the long run',
  async measure({quick}) {
    const home = await mkdtemp(join(tmpdir(), 'lora-sweep-bench-'));
    const long = {folder: join(home, 'long'), steps: quick ? 2000 : 20_000};
    const browser = await openBrowser(await installation(console.log));
    try {
      await writeRun(join(home, 'run'));
      const file = join(home, 'page.html');
      await writePage(file);

      const from = performance.now();
      const follower = new Follower(join(home, 'run'));
      await follower.read();
      const state = follower.state(false);
      const read = performance.now() - from;

      const page = await browser.newPage({viewport: {width: 1200, height: 900}});
      await page.goto(pathToFileURL(file).href);
      const opened = await show(page, difference(emptyRun, state), true);

      const running = foldAll(
        emptyRun,
        [started, ...trialStarts].map(event => ({...event, at: Date.now()})),
      );
      const half = {...running, trials: running.trials.map((view, k) => ({...view, ...curvesOf(state, k)}))};
      await show(page, difference(emptyRun, half), true);
      const frames = await stream(page, half, quick ? 3 : 10);
      const heap = await heapMegabytes(page);

      return [
        {
          title: 'The dashboard with a large run',
          introduction: `${trialCount} trials × ${steps.toLocaleString('en-US')} steps, Chromium without a GPU.`,
          table: [
            ['what', 'measured', 'goal'],
            ['run folder read', `${read.toFixed(0)} ms`, ''],
            ['page filled and painted', `${opened.toFixed(0)} ms`, ''],
            ['open, both together', `${(read + opened).toFixed(0)} ms`, '< 1,000 ms'],
            [`frames a second while ${trialCount} trials stream`, frames.perSecond.toFixed(0), '> 30'],
            ['longest frame', `${frames.longest.toFixed(0)} ms`, ''],
            ['time in frames of more than 1/30 s', `${(100 * frames.slow).toFixed(0)} %`, ''],
            ['heap of the page', `${heap.toFixed(0)} MB`, '< 200 MB'],
          ],
          sentences: [
            'TensorBoard and Aim were not measured: neither publishes such figures where we could find them.',
          ],
        },
        await longPage(browser, file, {...long, bytes: writeLongRun(long.folder, long.steps)}),
      ];
    } finally {
      await browser.close();
      await rm(home, {recursive: true, force: true});
    }
  },
};

function curvesOf(
  {trials}: RunState,
  place: number,
): Pick<RunState['trials'][number], 'losses' | 'gradNorms' | 'steps'> {
  const {losses, gradNorms, steps} = trials[place]!;
  return {losses, gradNorms, steps};
}
