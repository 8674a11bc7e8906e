/** Searches of real trainings, beside the whole grids that they were spared. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {mean} from '../../../core/numbers.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {hasRun, readRun} from '../../../trainer/store/run.ts';
import type {Part, Section} from '../pages/part.ts';
import {cache} from '../peers/python.ts';
import {timeTo} from '../peers/timed.ts';
import {type LiveSearch, searchLive, seedsEach} from '../worlds/live-search.ts';
import {type LiveSweep, liveSweeps, seeds, writeSweep} from '../worlds/live-sweeps.ts';
import {record} from '../worlds/recording.ts';

const command = join(import.meta.dirname, '../../../dist/trainer/cli.js');

export const live: Part = {
  summary: 'searches of real trainings beside their whole grids, 9 rates and 5 seeds; 40 minutes on two cores',
  leftOut: undefined,
  async measure({case: wanted, say}) {
    const rows: string[][] = [];
    const all: LiveSearch[] = [];
    for (const sweep of liveSweeps.filter(({name}) => name.includes(wanted))) {
      say(`${sweep.name}: ${sweep.about}`);
      const found = await searched(sweep);
      all.push(...found);
      rows.push(rowOf(`${sweep.name}: ${sweep.about}`, found));
    }
    return rows.length === 0 ? [] : [sectionOf([...rows, rowOf('all of them', all)], all)];
  },
};

/** A grid that is trained already is not trained again. What it came to is kept beside it as a small file, `recording.json`. */
async function searched(one: LiveSweep): Promise<LiveSearch[]> {
  const folder = join(cache, 'live', one.name);
  const [run, path] = [join(folder, 'run'), join(folder, `${one.name}.sweep.yaml`)];
  const known = hasRun(run) ? (await readRun(run)).state : null;
  if (known?.state !== 'finished') {
    const file = await writeSweep(one, folder);
    const again = known ? ['--resume'] : [];
    await timeTo([{program: process.execPath, args: [command, 'run', file, '--out', run, ...again]}]);
  }
  const {state} = await readRun(run);
  const {sweep} = readSweep(await readFile(path, 'utf8'), one.name);
  if (!sweep) throw new Error(`${path} has errors.`);
  const recording = record(sweep, state);
  await writeFile(join(folder, 'recording.json'), JSON.stringify(recording));
  return seeds.flatMap((_, first) => searchLive(recording, first));
}

function rowOf(name: string, found: readonly LiveSearch[]): string[] {
  const of = (value: (one: LiveSearch) => number) => found.map(value);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const regrets = of(({regret}) => regret);
  return [
    name,
    String(found.length),
    percent(mean(of(({share}) => share))),
    percent(mean(of(({challenged}) => challenged))),
    mean(regrets).toFixed(2),
    Math.max(...regrets).toFixed(2),
    String(regrets.filter(regret => regret <= 0.5).length),
  ];
}

function sectionOf(rows: string[][], all: readonly LiveSearch[]): Section {
  const unstable = [...new Set(all.flatMap(({method, unstable: said}) => said.map(text => `${method} ${text}`)))];
  return {
    title: 'Searching the learning rate: real trainings',
    introduction: `Grids of 9 rates and ${seeds.length} seeds, trained whole by this project's command; then the product's own search over ${seedsEach} of the seeds, as often as there are seeds, beginning with another one each time. A trial's numbers do not depend on where it paused, so that these are the searches that would have run. Shares are of the optimizer steps of the method's grid; regret is what the mean over the seeds at the chosen rate loses against the best one of the grid, in points of accuracy, or in percent of the loss.`,
    table: [
      [...['sweep', 'searches', 'share of the steps', 'with challenges', 'regret, mean', 'worst'], 'within 0.5 points'],
      ...rows,
    ],
    sentences: unstable.length === 0 ? [] : [`Named as rates whose seeds scatter: ${unstable.join('; ')}.`],
  };
}
