/**
 * `npm run bench -- curvature`: Lanczos probes of all 28 blocks of the 4-layer model for five methods, this project against
 * PyTorch's double backward. Contenders take turns: a turn is one method, a fixed number of iterations of every block.
 *
 *   --iterations N  Lanczos iterations of every block (default 8)
 *   --samples N     rows of the loss, in batches of 5 (default 10)
 *   --rounds N      turns of each contender (default 5: every method once)
 *   --only TEXT     contenders with TEXT in their names, besides this project
 */
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {Contender} from './contender.ts';
import {type CurvatureJob, probedMethods} from './curvature-job.ts';
import {intelKernels, python, randomModel} from './python.ts';
import {asText} from './results.ts';
import {rank, sizes, threads} from './sizes.ts';

const {values: options} = parseArgs({
  args: process.argv.slice(2).filter(word => word !== 'curvature'),
  options: {
    iterations: {type: 'string', default: '8'},
    samples: {type: 'string', default: '10'},
    rounds: {type: 'string', default: '5'},
    only: {type: 'string', default: ''},
  },
});

const size = sizes['4x256']!;
const interpreter = await python();
const intel = await intelKernels();
const model = await randomModel(interpreter, '4x256', size);
const every = Array.from({length: size.layers * 7}, (_, site) => site);
const job = (sites: number[], ownThreads: number): CurvatureJob => ({
  model,
  methods: probedMethods,
  rank,
  iterations: Number(options.iterations),
  samples: Number(options.samples),
  batch: 5,
  tokens: size.tokens,
  threads: ownThreads,
  sites,
});
const command = (program: string, script: string, sites: number[], ownThreads: number, preload?: string) => ({
  program,
  args: [join(import.meta.dirname, script), JSON.stringify(job(sites, ownThreads))],
  environment: preload ? {LD_PRELOAD: preload} : {},
  trials: sites.length,
});
/** Blocks dealt so that the processes have equally much network behind theirs. */
const dealt = (side: number) => every.filter(site => [0, 1, 1, 0][site % 4] === side);
const peers = (title: string, preload?: string) => [
  {
    name: `${title}, 1 process × ${threads} threads`,
    commands: [command(interpreter, 'curvature-peer.py', every, threads, preload)],
  },
  {
    name: `${title}, 2 processes × 1 thread`,
    commands: [0, 1].map(side => command(interpreter, 'curvature-peer.py', dealt(side), 1, preload)),
  },
];
const entries = [
  {name: 'LoRA Sweep', commands: [command(process.execPath, 'curvature-ours.ts', every, threads)]},
  ...[
    ...peers('stock PyTorch'),
    ...('library' in intel ? peers("PyTorch with MKL's Intel kernels", intel.library) : []),
  ].filter(({name}) => name.includes(options.only)),
];

const running: {name: string; contender: Contender; turns: number[]}[] = [];
try {
  for (const {name, commands} of entries) {
    process.stderr.write(`  starting ${name}\n`);
    running.push({name, contender: await Contender.start(commands), turns: []});
  }
  const losses = running.map(({contender}) => contender.firstLoss);
  if (Math.max(...losses) - Math.min(...losses) > 1e-4)
    throw new Error(`The contenders do not compute the same: losses ${losses.join(', ')}.`);
  for (let round = 1; round <= Number(options.rounds); round++) {
    process.stderr.write(`  round ${round} of ${options.rounds}\n`);
    for (const {contender, turns} of running) turns.push(await contender.measure(1));
  }
} finally {
  await Promise.all(running.map(({contender}) => contender.stop()));
}

const sum = (turns: number[]) => turns.reduce((total, ms) => total + ms, 0);
const mine = sum(running[0]!.turns);
console.log(
  `${every.length} blocks of ${probedMethods.join(', ')}: ${options.iterations} iterations over ${options.samples} rows of ${size.tokens} tokens`,
);
console.log(
  asText([
    ['contender', 's in all', ...probedMethods, 'times ours'],
    ...running.map(({name, turns}) => [
      name,
      (sum(turns) / 1000).toFixed(1),
      ...probedMethods.map((_, place) =>
        (turns.filter((_, turn) => turn % probedMethods.length === place).reduce((a, b) => a + b, 0) / 1000).toFixed(1),
      ),
      (sum(turns) / mine).toFixed(2),
    ]),
  ]),
);
