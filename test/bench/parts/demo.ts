/** The demo sweep end to end, a part of it, against the same sweep as a loop over transformers and PEFT. */

import type {Part} from '../pages/part.ts';
import {type DemoSweep, peer, trialsOf, withOurs} from '../peers/demo-sweep.ts';
import {python} from '../peers/python.ts';
import {timeTo} from '../peers/timed.ts';

export const demo: Part = {
  summary: 'the demo sweep end to end against a loop over transformers and PEFT',
  leftOut: 'one of two learning rates, most steps, the loop in one process',
  async measure({quick, only, say}) {
    const interpreter = await python();
    const sweep: DemoSweep = {rates: quick ? [2e-3] : [2e-3, 6.3246e-3], steps: quick ? 60 : 300};
    const trials = trialsOf(sweep);
    const half = (side: number) => trials.filter((_, index) => index % 2 === side);
    const all: [string, () => ReturnType<typeof timeTo>][] = [
      ['LoRA Sweep, 2 workers × 1 thread', () => withOurs(sweep, command => timeTo([command]))],
      ['transformers + PEFT, 1 process × 2 threads', () => timeTo([peer(interpreter, sweep, trials, 2)])],
      [
        'transformers + PEFT, 2 processes × 1 thread',
        () => timeTo([0, 1].map(side => peer(interpreter, sweep, half(side), 1))),
      ],
    ];
    // The loop in one process is the slower one.
    const contenders = quick ? [all[0]!, all[2]!] : all;
    const rows: {name: string; milliseconds: number; accuracy: number}[] = [];
    for (const [index, [name, run]] of contenders.entries()) {
      if (index > 0 && !name.includes(only)) continue;
      say(name);
      const {milliseconds, lines} = await run();
      const shares = lines.map(accuracyIn).filter(share => share !== null);
      if (shares.length !== trials.length)
        throw new Error(`${name} scored ${shares.length} of ${trials.length} trials.`);
      rows.push({name, milliseconds, accuracy: shares.reduce((sum, share) => sum + share, 0) / shares.length});
    }
    return [
      {
        title: 'The demo sweep end to end',
        introduction: `${trials.length} trials (lora, pissa, dora, which PEFT has by itself, at ${sweep.rates.length === 1 ? 'one learning rate' : `${sweep.rates.length} learning rates`}), ${sweep.steps} steps of 16 rows each, start-up, generation of 256 answers and their scoring included.`,
        table: [
          ['contender', 'seconds', 'seconds a trial', 'mean accuracy', 'times ours'],
          ...rows.map(({name, milliseconds, accuracy}) => [
            name,
            (milliseconds / 1000).toFixed(1),
            (milliseconds / 1000 / trials.length).toFixed(2),
            `${(100 * accuracy).toFixed(1)} %`,
            (milliseconds / rows[0]!.milliseconds).toFixed(2),
          ]),
        ],
        sentences: ['Rows come in another order on the two sides, so accuracies differ a little.'],
      },
    ];
  },
};

/** Of a line of either side: an evaluation event, or the loop's own. */
function accuracyIn(line: string): number | null {
  const said = JSON.parse(line) as {event?: string; value?: number; accuracy?: number};
  return said.accuracy ?? (said.event === 'evaluation' ? (said.value ?? null) : null);
}
