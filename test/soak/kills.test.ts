import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {type Disturbance, differences, leftOf, litter, type Place, results, run} from './disturb.ts';
import {chosen} from './moments.ts';
import {type SweepName, writeSweep} from './sweeps.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lora-sweep-kills-'));
});
afterAll(() => rmSync(home, {recursive: true, force: true}));

function placeOf(name: SweepName, out: string): Place {
  const folder = join(home, name);
  const [cache, temporary] = [join(home, 'cache'), join(folder, `${out}.tmp`)];
  return {sweepFile: writeSweep(folder, name), out: join(folder, out), cache, temporary};
}

const kill = (moment: keyof typeof chosen): Disturbance => ({
  signals: ['SIGKILL'],
  moment: chosen[moment]!,
  apart: 0,
});
/** In the middle of a stop, which writes checkpoints. */
const amid = (moment: keyof typeof chosen, apart: number): Disturbance => ({
  ...kill(moment),
  signals: ['SIGTERM', 'SIGKILL'],
  apart,
});
const stop = (signal: NodeJS.Signals): Disturbance => ({
  signals: [signal],
  moment: chosen['the first step']!,
  apart: 0,
});

// `npm run soak` does the same with hundreds of signals.
it.skipIf(process.platform === 'win32').each<[SweepName, string, Disturbance[]]>([
  [
    'training',
    'killed while it probes, steps, writes checkpoints and adapters',
    [
      kill('a row of curvature'),
      amid('the seventh step', 20),
      kill('a checkpoint being written'),
      kill('an adapter being written'),
    ],
  ],
  [
    'packs',
    'killed while its answers are kept and judged',
    [kill('answers being kept'), kill('judged samples being written'), amid('an evaluation', 40)],
  ],
  [
    'search',
    'killed while it scans, pauses, decides and trains on',
    [
      kill('a pause'),
      kill('a checkpoint getting its name'),
      amid('an evaluation', 30),
      kill('a decision'),
      amid('the seventh step', 50),
      kill('an adapter being written'),
      kill('judged samples being written'),
    ],
  ],
  [
    'tuned',
    'killed while one cell of its search waits for the other, and while the best one gets its seeds',
    [kill('a pause'), kill('a decision'), kill('the end of a trial'), amid('the first step', 30)],
  ],
  ['code', 'killed while programs run', [kill('answers being kept'), stop('SIGHUP'), stop('SIGUSR1'), stop('SIGUSR2')]],
])(
  'a sweep of %s that is %s comes to what an undisturbed one comes to, and leaves nothing behind',
  async (name, _, disturbances) => {
    const whole = placeOf(name, 'whole');
    expect(await run(whole)).toMatchObject({status: 0, errors: ''});
    const place = placeOf(name, 'disturbed');
    const processes: number[] = [];
    for (const disturbance of disturbances) {
      const ending = await run(place, disturbance);
      processes.push(...ending.processes);
      expect(ending.errors).not.toMatch(/\n\s+at |Debugger|lora-sweep: /);
      if (ending.disturbed && ending.signal === null) expect(ending.status === 0 || ending.status === 1).toBe(true);
    }
    expect(await run(place)).toMatchObject({status: 0, errors: ''});
    expect(differences(await results(whole), await results(place))).toEqual([]);
    expect(litter(place, whole.out)).toEqual([]);
    expect(await leftOf(processes)).toEqual([]);
  },
  900_000,
);
