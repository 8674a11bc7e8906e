/** The reference numbers of PyTorch and PEFT, followed on each engine: not how fast, but whether it is the same. */
import {readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Part} from '../pages/part.ts';
import {output} from '../peers/python.ts';

const root = join(import.meta.dirname, '../../..');

const engines: [name: string, what: string, args: string[]][] = [
  [
    'compiled, CPU (onnxruntime)',
    'forward passes, generation, 12-step traces of all methods',
    ['test/trainer/goldens.test.ts', '-t', 'compiled engine'],
  ],
  [
    'compiled, WebGPU (software device)',
    'forward passes, generation, 12-step traces of five methods, a Hessian product, packs',
    ['test/trainer/engine/webgpu.test.ts'],
  ],
  [
    'native, TensorFlow (CPU)',
    'the same in float32 and, within bounds derived from PyTorch, in bfloat16',
    ['test/trainer/native.test.ts'],
  ],
  [
    'eager, cpu',
    'forward passes, generation, a 12-step trace of each method',
    ['test/trainer/goldens.test.ts', '-t', 'eager cpu engine'],
  ],
];

export const goldens: Part = {
  summary: 'the goldens on every engine',
  // `npm test` runs them.
  leftOut: undefined,
  async measure({only, say}) {
    const rows: string[][] = [];
    for (const [name, what, args] of engines.filter(([name]) => name.includes(only))) {
      say(name);
      const file = join(tmpdir(), `lora-sweep-goldens-${process.pid}.json`);
      const vitest = join(root, 'node_modules/vitest/vitest.mjs');
      const began = performance.now();
      // A failed test is a row of the table, not the end of it.
      await output(process.execPath, [vitest, 'run', ...args, '--reporter=json', `--outputFile=${file}`]).catch(
        () => {},
      );
      const seconds = (performance.now() - began) / 1000;
      const {numPassedTests, numFailedTests} = JSON.parse(await readFile(file, 'utf8')) as {
        numPassedTests: number;
        numFailedTests: number;
      };
      const command = `npx vitest run ${args.map(arg => (arg.includes(' ') ? `"${arg}"` : arg)).join(' ')}`;
      rows.push([name, what, `${numPassedTests}`, `${numFailedTests}`, `${seconds.toFixed(0)} s`, `\`${command}\``]);
    }
    return [
      {
        title: 'Reference numbers on every engine',
        introduction:
          "Losses, gradient norms, adapters, logits and eigenvalues against PyTorch's and PEFT's (test/fixtures/goldens), within ten times float32's own distance from float64. All of it runs in `npm test`.",
        table: [['engine', 'what is followed', 'passed', 'failed', 'time', 'command'], ...rows],
        sentences: [],
      },
    ];
  },
};
