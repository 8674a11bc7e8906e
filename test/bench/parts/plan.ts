/**
 * What `plan` says of memory and time, beside what a run takes: the demo, stories260K and SmolLM2-135M, with one and two
 * workers, as they are and with layers computed again in the backward pass.
 */
import {spawn} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {formatMemory} from '../../../core/run/format.ts';
import type {Part} from '../pages/part.ts';
import {output} from '../peers/python.ts';
import {smollm2} from '../smollm2.ts';

const root = join(import.meta.dirname, '../../..');
const command = join(root, 'dist/trainer/cli.js');

interface Case {
  name: string;
  sweep: string;
}

const inDemo = join(root, 'demo');
const tests = join(root, 'test/fixtures');

/** Two methods of the demo: evaluation by generation included. */
const demo = (workers: number, checkpoint: boolean): Case => ({
  name: `demo, ${workers} ${workers === 1 ? 'worker' : 'workers'}${checkpoint ? ', computed again' : ''}`,
  sweep: `model: ${inDemo}/base
data: {train: ${inDemo}/desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora, pissa]
rank: 8
batch_size: 16
learning_rate: [1e-3, 2e-3]
seeds: [1]
training: {steps: 300, checkpoint: ${checkpoint}}
evaluate: [{task: exact-match, data: ${inDemo}/desc-test.jsonl, max_new_tokens: 16}]
run: {workers: ${workers}}
`,
});

const stories = (workers: number, checkpoint: boolean): Case => ({
  name: `stories260K, ${workers} ${workers === 1 ? 'worker' : 'workers'}${checkpoint ? ', computed again' : ''}`,
  sweep: `model: ${tests}/stories260K
data: {train: ${tests}/tinystories/stories.jsonl, format: text, max_length: 256}
methods: [lora, dora]
rank: 8
batch_size: 8
learning_rate: [1e-3, 2e-3]
seeds: [1]
training: {steps: 60, checkpoint: ${checkpoint}}
evaluate: [{task: loss, data: ${tests}/tinystories/stories.jsonl, every: 30}]
run: {workers: ${workers}}
`,
});

const large = (model: string, workers: number, checkpoint: boolean): Case => ({
  name: `SmolLM2-135M, ${workers} ${workers === 1 ? 'worker' : 'workers'}${checkpoint ? ', computed again' : ''}`,
  sweep: `model: ${model}
data: {train: ${tests}/gsm8k/train-first-80.jsonl, format: instruction, columns: {instruction: question, output: answer}, max_length: 256}
methods: [lora]
rank: 16
batch_size: 4
learning_rate: [${workers === 1 ? '2e-4' : '1e-4, 2e-4'}]
seeds: [1]
training: {steps: 12, checkpoint: ${checkpoint}}
run: {workers: ${workers}}
`,
});

/** Most resident memory of a process so far, where the system tells it. */
const peakOf = async (pid: number) => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
};

/** Seconds and peak memory of a run. */
async function run(file: string, out: string): Promise<{seconds: number; bytes: number}> {
  const began = performance.now();
  const child = spawn(process.execPath, [command, 'run', file, '--out', out, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let bytes = Number.NaN;
  const ended = new Promise<number | null>(resolve => child.on('close', resolve));
  for await (const line of createInterface({input: child.stdout})) {
    if (line.includes('"trial-ended"') || line.includes('"evaluation"')) bytes = await peakOf(child.pid!);
  }
  const status = await ended;
  if (status !== 0) throw new Error(`The run of ${file} ended with status ${status}.`);
  return {seconds: (performance.now() - began) / 1000, bytes};
}

export const plan: Part = {
  summary: 'what plan says of memory and time beside what runs take',
  leftOut: 'all sweeps but the demo with two workers',
  async measure({quick, only, say}) {
    const model = quick ? '' : await smollm2();
    const kinds = [demo, stories, (...args: [number, boolean]) => large(model, ...args)];
    const all = kinds.flatMap(kind => [1, 2].flatMap(workers => [kind(workers, false), kind(workers, true)]));
    const cases = all.filter(({name}, i) => name.includes(only) && (!quick || i === 2));
    const rows: string[][] = [];
    const home = await mkdtemp(join(tmpdir(), 'lora-sweep-plan-'));
    try {
      for (const {name, sweep} of cases) {
        say(name);
        const file = join(home, 'case.sweep.yaml');
        await writeFile(file, sweep);
        const planned = JSON.parse(await output(process.execPath, [command, 'plan', file, '--json'])) as {
          memory_bytes: number;
          seconds: number;
        };
        const measured = await run(file, join(home, `run-${name.replaceAll(/[^a-z0-9]+/gi, '-')}`));
        rows.push([
          name,
          formatMemory(planned.memory_bytes),
          formatMemory(measured.bytes),
          (planned.memory_bytes / measured.bytes).toFixed(2),
          `${planned.seconds.toFixed(1)} s`,
          `${measured.seconds.toFixed(1)} s`,
          (planned.seconds / measured.seconds).toFixed(2),
        ]);
      }
    } finally {
      await rm(home, {recursive: true, force: true});
    }
    return [
      {
        title: '`plan` beside what runs take',
        introduction: 'Peak memory of the whole process, and the whole time with start-up and evaluation.',
        table: [['sweep', 'memory planned', 'measured', 'ratio', 'time planned', 'measured', 'ratio'], ...rows],
        sentences: [],
      },
    ];
  },
};
