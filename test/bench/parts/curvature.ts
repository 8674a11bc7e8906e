/** Lanczos probes of every block of the 4-layer model for five methods, this project against PyTorch's double backward. */
import {join} from 'node:path';
import {type CurvatureJob, probedMethods} from '../ours/curvature-job.ts';
import type {Part, Section} from '../pages/part.ts';
import {Contender} from '../peers/contender.ts';
import {intelKernels, python, randomModel} from '../peers/python.ts';
import {rank, sizes} from '../peers/sizes.ts';

const scripts = join(import.meta.dirname, '..');
const size = sizes['4x256']!;
const threads = 2;
const samples = 10;
const every = Array.from({length: size.layers * 7}, (_, site) => site);
/** Blocks dealt so that the processes have equally much network behind theirs. */
const dealt = (side: number) => every.filter(site => [0, 1, 1, 0][site % 4] === side);

export const curvature: Part = {
  summary: 'Hessian probes of every block against double backward in PyTorch',
  leftOut: 'all methods but one, most iterations, all peers but stock PyTorch in two processes',
  async measure({quick, only, say}) {
    const methods = quick ? probedMethods.slice(0, 1) : probedMethods;
    const iterations = quick ? 2 : 8;
    const entries = await entriesOf({methods, iterations, quick, only});
    const running: Running[] = [];
    try {
      for (const {name, commands} of entries) {
        say(`starting ${name}`);
        running.push({name, contender: await Contender.start(commands), turns: []});
      }
      const losses = running.map(({contender}) => contender.firstLoss);
      if (Math.max(...losses) - Math.min(...losses) > 1e-4)
        throw new Error(`The contenders do not compute the same: losses ${losses.join(', ')}.`);
      for (const method of methods) {
        say(`turns of ${method}`);
        for (const {contender, turns} of running) turns.push(await contender.measure(1));
      }
    } finally {
      await Promise.all(running.map(({contender}) => contender.stop()));
    }
    return [sectionOf(running, methods, iterations)];
  },
};

interface Running {
  name: string;
  contender: Contender;
  /** Milliseconds of each method. */
  turns: number[];
}

interface Asked {
  methods: CurvatureJob['methods'];
  iterations: number;
  quick: boolean;
  /** Of the peers those whose names hold this. */
  only: string;
}

/** This project and its peers, with the processes of each. */
async function entriesOf({methods, iterations, quick, only}: Asked) {
  const interpreter = await python();
  const intel = await intelKernels();
  const model = await randomModel(interpreter, '4x256', size);
  const job = (sites: number[], ownThreads: number): CurvatureJob => ({
    ...{model, methods, rank, iterations, samples, batch: 5, tokens: size.tokens, threads: ownThreads, sites},
  });
  const command = (program: string, script: string, sites: number[], ownThreads: number, preload?: string) => ({
    program,
    args: [join(scripts, script), JSON.stringify(job(sites, ownThreads))],
    environment: preload ? {LD_PRELOAD: preload} : {},
    trials: sites.length,
  });
  const single = (title: string, preload?: string) => ({
    name: `${title}, 1 process × ${threads} threads`,
    commands: [command(interpreter, 'peers/curvature-peer.py', every, threads, preload)],
  });
  const double = (title: string, preload?: string) => ({
    name: `${title}, 2 processes × 1 thread`,
    commands: [0, 1].map(side => command(interpreter, 'peers/curvature-peer.py', dealt(side), 1, preload)),
  });
  const peers = (title: string, preload?: string) =>
    quick ? [double(title, preload)] : [single(title, preload), double(title, preload)];
  return [
    {name: 'LoRA Sweep', commands: [command(process.execPath, 'ours/curvature-ours.ts', every, threads)]},
    ...[
      ...peers('stock PyTorch'),
      ...('library' in intel && !quick ? peers("PyTorch with MKL's Intel kernels", intel.library) : []),
    ].filter(({name}) => name.includes(only)),
  ];
}

function sectionOf(running: readonly Running[], methods: readonly string[], iterations: number): Section {
  const sum = (turns: number[]) => turns.reduce((total, ms) => total + ms, 0);
  const mine = sum(running[0]!.turns);
  return {
    title: `Curvature: ${every.length} blocks of each method, 4x256`,
    introduction: `${iterations} Lanczos iterations of every block over ${samples} rows of ${size.tokens} tokens, seconds; a turn is one method.`,
    table: [
      ['contender', 'all', ...methods, 'times ours'],
      ...running.map(({name, turns}) => [
        name,
        (sum(turns) / 1000).toFixed(1),
        ...turns.map(ms => (ms / 1000).toFixed(1)),
        (sum(turns) / mine).toFixed(2),
      ]),
    ],
    sentences: [],
  };
}
