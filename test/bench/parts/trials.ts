/**
 * A run of 5,000 trials in the editor: what reading, showing and following it takes of the process of the extensions, and what
 * its page takes to open and to answer a press, in a real Chromium without a GPU.
 */
import {mkdtemp, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Follower} from '../../../client/run/follow.ts';
import {branchesOf} from '../../../client/tree-model.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, fold, type RunState} from '../../../core/run/fold.ts';
import {progress} from '../../../core/run/progress.ts';
import {inPieces} from '../../../core/run/update.ts';
import {openBrowser, type Page} from '../../e2e/driver.ts';
import {installation} from '../../e2e/install.ts';
import type {Part} from '../pages/part.ts';
import {writePage} from '../pages/shown-page.ts';
import {manySteps, manyTrialsSweep, writeManyTrials} from '../worlds/many-trials.ts';
import {heapMegabytes} from './dashboard.ts';

/** As client/results sends. */
const trialsAPiece = 20;

/** Milliseconds of this process alone: a busy machine counts for nothing. */
function ownTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const {user, system} = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The longest time in which nobody else had a turn, in milliseconds of this process, while work goes on. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let [longest, before] = [0, process.cpuUsage()];
  let isOver = false;
  const look = () => {
    const {user, system} = process.cpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    before = process.cpuUsage();
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await work();
  isOver = true;
  return longest;
}

const milliseconds = (number: number): string => `${number.toFixed(number < 10 ? 1 : 0)} ms`;
const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1]!;

/** Beats of a run that goes on: a step of one trial, and the end of one, as its tree takes them. */
function beats(whole: RunState): {step: number; end: number} {
  const {sweep} = manyTrialsSweep();
  let state: RunState = {...whole, state: 'running'};
  let at = whole.lastAt ?? 0;
  const take = (body: RunEventBody): number => {
    state = fold(state, {...body, at: ++at});
    return ownTime(() => branchesOf(sweep, state));
  };
  const [steps, ends]: [number[], number[]] = [[], []];
  for (const {trial} of whole.trials.slice(0, 30)) {
    take({event: 'trial-started', trial: trial.id, steps: manySteps, worker: 0});
    steps.push(take({event: 'step', trials: [trial.id], step: 1, losses: [1], rates: [1e-3], gradNorms: [1]}));
    ends.push(take({event: 'trial-ended', trial: trial.id, state: 'finished', steps: manySteps, seconds: 60}));
  }
  return {step: median(steps), end: median(ends)};
}

/** Runs in the page. `shown`: milliseconds until the page is painted after some work; `fill` hands it all pieces, as they come. */
const driving = `
  const painted = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
  const shown = async work => {
    const from = performance.now();
    work();
    await painted();
    return performance.now() - from;
  };
  const quiet = () => new Promise(resolve => setTimeout(resolve, 600));
  const fill = async () => {
    const from = performance.now();
    for (const [k, update] of pieces.entries()) {
      const more = k < pieces.length - 1;
      window.postMessage({type: 'run', first: k === 0, more, update, alive: false, progress, folder: '', sweepFile: 'x'}, '*');
    }
    while (!document.querySelector('#trials table')) await new Promise(resolve => setTimeout(resolve, 5));
    await painted();
    return performance.now() - from;
  };
  const typed = text => {
    const box = document.getElementById('filter of trials');
    box.value = text;
    box.dispatchEvent(new Event('input'));
  };
  const press = id => document.getElementById(id).click();
  const presses = {
    'sort by a column': ['sort by loss', 'sort by seed', 'sort by method'].map(id => () => press(id)),
    'a letter in the filter': ['pi', 'pis', 'pissa', 'lr<1e-3', ''].map(text => () => typed(text)),
    'choose a trial': [1, 2, 3].map(k => () => document.querySelectorAll('#trials tbody input')[k].click()),
    'open a trial': [1, 2, 3].map(k => () => document.querySelectorAll('#trials tbody .opener')[k].click()),
    'close it': [() => press('close panel')],
    'to the grid and back': ['trials as a grid', 'trials as a table'].map(id => () => press(id)),
    'show all rows': [() => press('all rows')],
    'sort all of them': ['sort by loss', 'sort by seed', 'sort by method'].map(id => () => press(id)),
  };
  const measure = async () => {
    const found = [];
    for (const [name, works] of Object.entries(presses)) {
      const times = [];
      for (const work of works) {
        times.push(await shown(work));
        await quiet();
      }
      found.push([name, times]);
    }
    return found;
  };`;

async function inPage(
  page: Page,
  file: string,
  state: RunState,
): Promise<{opened: number; presses: [string, number[]][]}> {
  const pieces = [...inPieces(emptyRun, state, new Set(['losses']), trialsAPiece)].map(({update}) => update);
  await writeFile(
    `${file}.js`,
    `const pieces = ${JSON.stringify(pieces)}; const progress = ${JSON.stringify(progress(state))}; ${driving}`,
  );
  await page.goto(pathToFileURL(file).href);
  await page.evaluate(`new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = ${JSON.stringify(pathToFileURL(`${file}.js`).href)};
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  })`);
  const opened = await page.evaluate<number, undefined>('fill()');
  await page.evaluate('quiet()');
  return {opened, presses: await page.evaluate<[string, number[]][], undefined>('measure()')};
}

export const trials: Part = {
  summary: 'a run of 5,000 trials in the editor: reading, tree, page and presses',
  page: 'benchmarks-dashboard.md',
  leftOut: undefined,
  async measure({say}) {
    const home = await mkdtemp(join(tmpdir(), 'lora-sweep-bench-'));
    const browser = await openBrowser(await installation(console.log));
    try {
      const folder = join(home, 'run');
      say('writing the run');
      await writeManyTrials(folder);
      const {size} = await stat(join(folder, 'events.jsonl'));

      say('reading it');
      const follower = new Follower(folder);
      const began = process.cpuUsage();
      const reading = await longestTurn(() => follower.read());
      const read = process.cpuUsage(began);
      const state = follower.state(false);
      const {sweep} = manyTrialsSweep();
      const first = ownTime(() => branchesOf(sweep, state));
      const {step, end} = beats(state);

      let bytes = 0;
      const sending = await longestTurn(async () => {
        for (const {update} of inPieces(emptyRun, state, new Set(['losses']), trialsAPiece)) {
          bytes += JSON.stringify(update).length;
          await new Promise(resolve => setImmediate(resolve));
        }
      });

      say('showing it');
      const file = join(home, 'page.html');
      await writePage(file);
      const page = await browser.newPage({viewport: {width: 1200, height: 900}});
      const {opened, presses} = await inPage(page, file, state);
      const heap = await heapMegabytes(page);
      return [
        {
          title: 'A run of 5,000 trials',
          introduction: `5 methods, 2 models × 5 ranks as conditions, 10 rates × 2 decays tuned, 5 seeds: 5,000 trials × ${manySteps} steps, ${(size / 1e6).toFixed(0)} MB of events. Times of the extensions' process are its own processor time, those of the page (Chromium without a GPU) are by the clock until it is painted.`,
          table: [
            ['what', 'measured', 'goal'],
            ['run folder read', milliseconds((read.user + read.system) / 1000), ''],
            ['longest turn while it is read', milliseconds(reading), '< 50 ms'],
            ['tree, first time', milliseconds(first), ''],
            ['tree, a beat with a step', milliseconds(step), '< 20 ms'],
            ['tree, a beat with the end of a trial', milliseconds(end), '< 50 ms'],
            ['sent to the page', `${(bytes / 1e6).toFixed(1)} MB`, ''],
            ['longest turn while it is sent', milliseconds(sending), '< 50 ms'],
            ['page filled and painted', milliseconds(opened), ''],
            ...presses.map(([name, times]) => [`page, ${name}`, milliseconds(median(times)), '< 200 ms']),
            ['heap of the page', `${heap.toFixed(0)} MB`, ''],
          ],
          sentences: [],
        },
      ];
    } finally {
      await browser.close();
      await rm(home, {recursive: true, force: true});
    }
  },
};
