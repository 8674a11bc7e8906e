import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it, vi} from 'vitest';
import type {RunEventBody} from '../../../core/run/events.ts';
import {formatLine} from '../../../core/run/line.ts';
import {fixedSettings} from '../../../core/sweep/axes/values.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {random} from '../../../trainer/math/random.ts';
import {showRun} from '../../../trainer/results/show.ts';
import {testFolder} from '../test-folder.ts';

vi.setConfig({testTimeout: 900_000});
const folder = join(testFolder(), 'run');
mkdirSync(folder);

const {sweep} = readSweep(`model: m
data: {train: a.jsonl}
methods: [lora, pissa]
rank: [4, 8]
learning_rate: [1e-4, 2e-4, 4e-4]
seeds: [1, 2, 3]
tune: [learning_rate, training.weight_decay]
training: {weight_decay: [0, 0.1, 0.5]}
evaluate: {task: gsm8k, data: b.jsonl}
`);
const trials = expandTrials(sweep!);

/** A run whose trials ended at random: some with a value, some diverged, some not at all. */
function randomRun(table: number): string {
  const draws = random(table, 'tables');
  const events: RunEventBody[] = [
    {
      ...{event: 'run-started', name: 'run', engine: 'compiled', reason: '', workers: 1, resumed: false, steps: {}},
      ...{trials, fixed: fixedSettings(sweep!), tune: sweep!.tune!},
    },
  ];
  for (const {id: trial} of trials) {
    const fate = draws.integerBelow(10);
    if (fate < 2) continue;
    const state = fate < 4 ? ('diverged' as const) : ('finished' as const);
    // Few different values, so that some of them are tied.
    const value = draws.integerBelow(6) / 8;
    if (state === 'finished')
      events.push({
        event: 'evaluation',
        trial,
        step: 4,
        task: 'gsm8k',
        metric: 'accuracy',
        value,
        correct: 0,
        total: 8,
      });
    events.push({event: 'trial-ended', trial, state, steps: 4, seconds: 1});
  }
  return events.map((event, at) => formatLine({...event, at})).join('');
}

async function csv(kind: 'peaks' | 'trials' | 'evaluations'): Promise<Record<string, string>[]> {
  const {lines} = await showRun(folder, kind, 'csv');
  const [head, ...rows] = [...lines].map(line => line.split(','));
  return rows.map(row => Object.fromEntries(head!.map((name, k) => [name, row[k]!])));
}

/** The best mean among the settings with the most seeds, one with a diverged seed only where there is no other. */
async function bruteForce(): Promise<Map<string, {mean: number; settings: Set<string>}>> {
  const [ends, values] = [await csv('trials'), await csv('evaluations')];
  const peaks = new Map<string, {mean: number; settings: Set<string>}>();
  for (const cell of new Set(ends.map(({method, rank}) => `${method} ${rank}`))) {
    const own = ends.filter(({method, rank}) => `${method} ${rank}` === cell);
    const settingOf = (row: Record<string, string>) => `${row['learning_rate']} ${row['training.weight_decay']}`;
    const candidates = [...new Set(own.map(settingOf))].flatMap(setting => {
      const rows = own.filter(row => settingOf(row) === setting);
      const ids = new Set(rows.map(({trial}) => trial));
      const found = values.flatMap(({trial, value}) => (ids.has(trial) ? [Number(value)] : []));
      const diverged = rows.filter(({state}) => state === 'diverged').length;
      const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
      return found.length === 0 ? [] : [{setting, diverged, mean, seeds: found.length}];
    });
    const steady = candidates.filter(({diverged}) => diverged === 0);
    const left = steady.length > 0 ? steady : candidates;
    const most = Math.max(...left.map(({seeds}) => seeds));
    const means = left.filter(({seeds}) => seeds === most);
    if (means.length === 0) continue;
    const mean = Math.max(...means.map(one => one.mean));
    const best = means.filter(one => Math.abs(one.mean - mean) < 1e-9);
    peaks.set(cell, {mean, settings: new Set(best.map(({setting}) => setting))});
  }
  return peaks;
}

it('each method takes its best over all tuned axes: as counted by hand from the CSV, in 1,000 random tables', async () => {
  let compared = 0;
  for (let table = 0; table < 1000; table++) {
    writeFileSync(join(folder, 'events.jsonl'), randomRun(table));
    const expected = await bruteForce();
    const found = await csv('peaks');
    expect(new Set(found.map(({method, rank}) => `${method} ${rank}`))).toEqual(new Set(expected.keys()));
    for (const row of found) {
      const {mean, settings} = expected.get(`${row['method']} ${row['rank']}`)!;
      expect(Number(row['mean'])).toBeCloseTo(mean, 12);
      expect(settings).toContain(`${row['learning_rate']} ${row['training.weight_decay']}`);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(3900);
});
