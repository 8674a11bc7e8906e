/** From the command to the first training step. */
import {join} from 'node:path';
import type {Part} from '../pages/part.ts';
import {median} from '../pages/results.ts';
import {peer, trialsOf, withOurs} from '../peers/demo-sweep.ts';
import {python} from '../peers/python.ts';
import {timeTo, timeUntil} from '../peers/timed.ts';

const cli = join(import.meta.dirname, '../../../dist/trainer/cli.js');
const sweep = {rates: [2e-3], steps: 300};

export const start: Part = {
  summary: 'from the command to the first training step of the demo',
  leftOut: 'rounds',
  async measure({quick, say}) {
    const interpreter = await python();
    const theirs = peer(interpreter, sweep, trialsOf(sweep), 2);
    const cases: [string, () => Promise<number>][] = [
      [
        'LoRA Sweep, `--help`',
        async () => (await timeTo([{program: process.execPath, args: [cli, '--help']}])).milliseconds,
      ],
      ['LoRA Sweep, first step', () => withOurs(sweep, command => timeUntil(command, '"event":"step"'))],
      ['transformers + PEFT, first step', () => timeUntil(theirs, '"step": 1')],
    ];
    const times = cases.map((): number[] => []);
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      say(`round ${round + 1}`);
      for (const [index, [, measure]] of cases.entries()) times[index]!.push(await measure());
    }
    return [
      {
        title: 'Start-up',
        introduction: 'Seconds from the command to the first training step of the demo sweep.',
        table: [
          ['what', 'median, s', 'min', 'max'],
          ...cases.map(([name], index) => [
            name,
            ...[median(times[index]!), Math.min(...times[index]!), Math.max(...times[index]!)].map(ms =>
              (ms / 1000).toFixed(2),
            ),
          ]),
        ],
        sentences: [],
      },
    ];
  },
};
