/** A part of the demo sweep, for this project and for a loop over transformers and PEFT: methods that PEFT has by itself. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Command} from './contender.ts';

const root = join(import.meta.dirname, '../../..');
const demo = join(root, 'demo');
const methods = ['lora', 'pissa', 'dora'];
const rank = 8;
const batch = 16;
const newTokens = 12;

export interface DemoSweep {
  rates: number[];
  steps: number;
}

export const trialsOf = ({rates}: DemoSweep): {method: string; rate: number; seed: number}[] =>
  methods.flatMap(method => rates.map(rate => ({method, rate, seed: 1})));

/** Runs `work` with this project's command over the sweep, in a folder of its own. */
export async function withOurs<Result>(
  {rates, steps}: DemoSweep,
  work: (command: Pick<Command, 'program' | 'args'>) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'lora-sweep-bench-'));
  const file = join(folder, 'demo.sweep.yaml');
  const sweep = {
    model: join(demo, 'base'),
    data: {
      train: join(demo, 'desc-train.jsonl'),
      format: 'completion',
      columns: {prompt: 'prompt', completion: 'answer'},
      max_length: 21,
    },
    methods,
    rank,
    batch_size: batch,
    learning_rate: rates,
    training: {steps},
    evaluate: {task: 'exact-match', data: join(demo, 'desc-test.jsonl'), max_new_tokens: newTokens},
  };
  await writeFile(file, JSON.stringify(sweep));
  try {
    return await work({program: process.execPath, args: [join(root, 'dist/trainer/cli.js'), 'run', file, '--json']});
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** The loop over these of the sweep's trials. */
export function peer(
  python: string,
  {steps}: DemoSweep,
  trials: ReturnType<typeof trialsOf>,
  threads: number,
): Pick<Command, 'program' | 'args'> {
  const settings = {
    ...{model: join(demo, 'base'), train: join(demo, 'desc-train.jsonl'), test: join(demo, 'desc-test.jsonl')},
    ...{trials, steps, batch, rank, max_new_tokens: newTokens, threads},
  };
  return {program: python, args: [join(import.meta.dirname, 'demo-peer.py'), JSON.stringify(settings)]};
}
