/**
 * `npm run fuzz [MUTATIONS [FORMAT]]`: mutations of every format through its reader, then the bombs through the command.
 * Status 1 where anything but a sentence came of one.
 */
import {fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {take} from './bomb-run.ts';
import {bombs} from './bombs.ts';
import {formats} from './formats.ts';
import type {Round} from './round.ts';

const program = fileURLToPath(new URL('./round-process.ts', import.meta.url));
/** Seconds that a mutation may take on the wall, on a busy machine too. */
const limit = 60;
/** Processor time and memory that a small file may take. */
const [mostSeconds, mostMegabytes] = [5, 200];

type FromRound = {seed: number} | {round: Round; megabytes: number};
type Outcome = {round: Round; megabytes: number} | {died: number};

function rounds(format: string, mutations: number): Promise<Outcome> {
  const child = fork(program, [format, '0', String(mutations)], {stdio: ['ignore', 'inherit', 'inherit', 'ipc']});
  return new Promise(resolve => {
    let last = -1;
    let timer: NodeJS.Timeout | undefined;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), limit * 1000);
    };
    wait();
    child.on('message', (said: FromRound) => {
      wait();
      if ('seed' in said) last = said.seed;
      else resolve(said);
    });
    child.on('exit', () => {
      clearTimeout(timer);
      resolve({died: last});
    });
  });
}

const mutations = Number(process.argv[2] ?? 20_000);
const chosen = formats.filter(({name}) => process.argv[3] === undefined || name === process.argv[3]);
let bad = 0;
console.log('| format | mutations | taken | refused | faults | unhandled | slowest, s | memory, MB |');
console.log('|---|---:|---:|---:|---:|---:|---:|---:|');
for (const {name} of chosen) {
  const outcome = await rounds(name, mutations);
  if ('died' in outcome) {
    bad++;
    console.log(`| ${name} | hung or died at ${outcome.died} |`);
    continue;
  }
  const {round, megabytes} = outcome;
  const {taken, refused, faults, unhandled, slowest} = round;
  if (faults.length > 0 || unhandled > 0 || slowest > mostSeconds) bad++;
  console.log(
    `| ${name} | ${round.mutations} | ${taken} | ${refused} | ${faults.length} | ${unhandled} | ${slowest.toFixed(2)} | ${megabytes.toFixed(0)} |`,
  );
  for (const {seed, error} of faults.slice(0, 3)) console.log(`  ${name} ${seed}: ${error}`);
}
if (process.argv[3] === undefined) {
  console.log('\n| bomb | processor time, s | memory, MB | taken with |\n|---|---:|---:|---|');
  for (const bomb of bombs) {
    const {name, seconds, megabytes, fileMegabytes, said, faults} = await take(bomb);
    if (faults.length > 0 || seconds > mostSeconds || megabytes > mostMegabytes + 2 * fileMegabytes) bad++;
    console.log(
      `| ${name} | ${seconds.toFixed(1)} | ${megabytes.toFixed(0)} | ${faults.join(', ') || said.split('\n')[0]!.slice(0, 160)} |`,
    );
  }
}
process.exit(bad > 0 ? 1 : 0);
