/**
 * `npm run soak [-- KILLS SIGNALS SEED SWEEPS]`: ends runs (of all sweeps, or of those named, `search,tuned`) by SIGKILL (100 times unless said
 * otherwise) and by each other signal (20 times each), at random and chosen moments, goes on until they are through, and compares everything they leave with undisturbed runs. The last line
 * is `N passed, N failed`; a run that ended before the signal came is played again.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';
import {differences, leftOf, litter, type Place, results, run} from './disturb.ts';
import {disturbance, numbers} from './moments.ts';
import {type SweepName, sweeps, writeSweep} from './sweeps.ts';

const [kills = 100, others = 20, seed = 1] = process.argv.slice(2, 5).map(Number);
const asked = process.argv[5]?.split(',');
const random = numbers(seed);
const home = mkdtempSync(join(tmpdir(), 'lora-sweep-soak-'));

/** Of one sweep in a folder of its own; the cache is shared, as it is for people. */
function placeOf(name: SweepName, run: string): Place {
  const folder = join(home, name);
  return {
    sweepFile: writeSweep(folder, name),
    out: join(folder, run),
    cache: join(home, 'cache'),
    temporary: join(folder, `${run}.tmp`),
  };
}

interface Undisturbed {
  place: Place;
  results: Map<string, string>;
  milliseconds: number;
}

async function undisturbed(name: SweepName): Promise<Undisturbed> {
  const place = placeOf(name, 'whole');
  const began = Date.now();
  const {status, errors} = await run(place);
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${errors}`);
  return {place, results: await results(place), milliseconds: Date.now() - began};
}

/** Ends a run by these signals one after another, goes on, and says what is wrong with the outcome. */
async function play(name: SweepName, number: number, signals: NodeJS.Signals[], whole: Undisturbed): Promise<string[]> {
  const place = placeOf(name, `run-${number}`);
  const wrong: string[] = [];
  const processes: number[] = [];
  const told: string[] = [];
  for (const signal of signals) {
    for (let tries = 0; ; tries++) {
      const [what, how] = disturbance(signal, whole.milliseconds, random);
      const ending = await run(place, how);
      processes.push(...ending.processes);
      if (ending.disturbed || tries === 3) {
        told.push(`${what}${ending.disturbed ? '' : ' (came too late)'}`);
        counted[signal] = (counted[signal] ?? 0) + (ending.disturbed ? 1 : 0);
        const isClean =
          ending.signal === 'SIGKILL' ||
          (!ending.began && (ending.signal !== null || ending.status === 128 + constants.signals[signal])) ||
          [0, 1].includes(ending.status ?? -1);
        if (ending.disturbed && !isClean)
          wrong.push(`${what} ended with ${ending.status ?? ending.signal}: ${ending.errors}`);
        if (/\n\s+at |Debugger/.test(ending.errors)) wrong.push(`${what}: ${ending.errors}`);
        break;
      }
      // It is through already: begin anew.
      rmSync(place.out, {recursive: true, force: true});
    }
  }
  const report = {signals: ['SIGKILL' as const], moment: {after: Math.round(random() * 400)}, apart: 0};
  processes.push(...(await run(place, report, 'report')).processes);
  const last = await run(place);
  if (last.status !== 0) wrong.push(`going on ended with ${last.status ?? last.signal}: ${last.errors}`);
  for (const file of ['report.html', 'report.md']) rmSync(join(place.out, file), {force: true});
  wrong.push(...differences(whole.results, await results(place)));
  wrong.push(...litter(place, whole.place.out).map(file => `left: ${file}`));
  wrong.push(...(await leftOf(processes)).map(pid => `process ${pid} is left`));
  console.log(`${wrong.length === 0 ? 'ok' : 'FAILED'} ${name}: ${told.join('; ')}`);
  for (const line of wrong) console.log(`  ${line}`);
  if (wrong.length === 0) rmSync(place.out, {recursive: true, force: true});
  return wrong;
}

const counted: Partial<Record<NodeJS.Signals, number>> = {};
const names = (Object.keys(sweeps) as SweepName[]).filter(name => asked?.includes(name) ?? true);
const wholes = new Map<SweepName, Undisturbed>();
for (const name of names) wholes.set(name, await undisturbed(name));

const all: NodeJS.Signals[] = [
  ...Array<NodeJS.Signals>(kills).fill('SIGKILL'),
  ...(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const).flatMap(signal =>
    Array<NodeJS.Signals>(others).fill(signal),
  ),
];
// In any order, several to a run.
for (let i = all.length - 1; i > 0; i--) {
  const j = Math.floor(random() * (i + 1));
  [all[i], all[j]] = [all[j]!, all[i]!];
}
let [passed, failed, number] = [0, 0, 0];
while (all.length > 0) {
  const name = names[number % names.length]!;
  const signals = all.splice(0, 1 + Math.floor(random() * 4));
  const wrong = await play(name, number++, signals, wholes.get(name)!);
  if (wrong.length === 0) passed++;
  else failed++;
}
console.log(`Signals that hit a run: ${JSON.stringify(counted)}; seed ${seed}`);
if (failed === 0) rmSync(home, {recursive: true, force: true});
else console.log(`What failed is in ${home}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
