/** Searches of real trainings, beside the whole grids that they were spared. */
import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {mean} from '../../../core/numbers.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {hasRun, readRun} from '../../../trainer/store/run.ts';
import type {Part, Section} from '../pages/part.ts';
import {cache} from '../peers/python.ts';
import {timeTo} from '../peers/timed.ts';
import {type Found, type LiveSearch, searchLive, seedsEach, withTheBestScan} from '../worlds/live-search.ts';
import {type LiveSweep, liveSweeps, seeds, writeSweep} from '../worlds/live-sweeps.ts';
import {type Recording, record} from '../worlds/recording.ts';

const command = join(import.meta.dirname, '../../../dist/trainer/cli.js');

/** Where what the grids came to is kept. */
const fixtures = join(import.meta.dirname, '../../fixtures/searches');

export const live: Part = {
  summary:
    'searches of real trainings beside their whole grids, 9 rates and 5 seeds; a grid without its file in test/fixtures/searches is trained, all of them in 40 minutes on two cores',
  leftOut: undefined,
  async measure({case: wanted, say}) {
    const played: Played[] = [];
    for (const sweep of liveSweeps.filter(({name}) => name.includes(wanted))) {
      const title = `${sweep.name}: ${sweep.about}`;
      say(title);
      const recording = await recorded(sweep);
      const places = seeds.map((_, first) => first);
      const found = places.flatMap(first => searchLive(recording, first));
      const best = places.flatMap(first => withTheBestScan(recording, first));
      played.push({title, found, best});
    }
    return played.length === 0 ? [] : [foundSection(played), spentSection(played)];
  },
};

interface Played {
  title: string;
  found: LiveSearch[];
  /** The share of each search by itself with the best scan that there could be. */
  best: number[];
}

/** A grid that is kept is not trained again. */
async function recorded(one: LiveSweep): Promise<Recording> {
  const kept = join(fixtures, `${one.name}.json`);
  if (!existsSync(kept)) await writeFile(kept, JSON.stringify(await trained(one)));
  return JSON.parse(await readFile(kept, 'utf8')) as Recording;
}

async function trained(one: LiveSweep): Promise<Recording> {
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
  return record(sweep, state);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function foundSection(played: readonly Played[]): Section {
  const all = played.flatMap(({found}) => found);
  const rows = [...played, {title: 'all of them', found: all}];
  const unstable = [...new Set(all.flatMap(({method, unstable: said}) => said.map(text => `${method} ${text}`)))];
  const told = unstable.slice(0, mostTold).join('; ');
  return {
    title: 'Searching the learning rate: real trainings',
    introduction: `Grids of 9 rates and ${seeds.length} seeds, trained whole by this project's command; then the product's own search over ${seedsEach} of the seeds, as often as there are seeds, beginning with another one each time. A trial's numbers do not depend on where it paused, so that these are the searches that would have run. A search by itself is what tuning one method gets; in a comparison the challenges follow, which look at further rates of a method that seems behind. Shares are of the optimizer steps of the method's grid; regret is what the mean over the seeds at the chosen rate loses against the best one of the grid, in points of accuracy, or in percent of the loss.`,
    table: [
      [
        ...['sweep', 'searches', 'share of the steps', 'regret, mean', 'worst', 'within 0.5 points'],
        ...['share with challenges', 'regret, mean', 'worst', 'within 0.5 points'],
      ],
      ...rows.map(({title, found}) => [
        title,
        String(found.length),
        ...figuresOf(found.map(({alone}) => alone)),
        ...figuresOf(found.map(({challenged}) => challenged)),
      ]),
    ],
    sentences:
      unstable.length === 0
        ? []
        : [`Named as rates whose seeds scatter: ${told}${unstable.length > mostTold ? '; and others' : ''}.`],
  };
}

/** Unstable rates that are told of. */
const mostTold = 5;

function figuresOf(found: readonly Found[]): string[] {
  const regrets = found.map(({regret}) => regret);
  return [
    percent(mean(found.map(({share}) => share))),
    mean(regrets).toFixed(2),
    Math.max(...regrets).toFixed(2),
    String(regrets.filter(regret => regret <= 0.5).length),
  ];
}

const stages = ['scan', 'pair', 'walk', 'seeds', 'again'] as const;

function spentSection(played: readonly Played[]): Section {
  return {
    title: 'Searching the learning rate: where the steps of real searches go',
    introduction:
      'The same searches by themselves, in shares of the steps of the grid. Pair: the two rates around the place that the scan gives; walk: further ones uphill; seeds: the others at the rate whose first one is best; again: where they do not agree. With the best scan: the least that these searches could have trained, had the scan been lowest at another rate, without losing more, the cheapest of nine, which is known only afterwards.',
    table: [
      ['sweep', ...stages, 'all', 'with the best scan', 'place of the scan, grid steps above the rate found'],
      ...played.map(({title, found, best}) => [
        title,
        ...stages.map(stage => percent(mean(found.map(({spent}) => spent[stage] ?? 0)))),
        percent(mean(found.map(({alone}) => alone.share))),
        percent(mean(best)),
        mean(found.map(({above}) => above)).toFixed(1),
      ]),
    ],
    sentences: [],
  };
}
