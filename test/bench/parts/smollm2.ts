/** One training of SmolLM2-135M on two threads: step time and peak memory against transformers + PEFT. */
import {join} from 'node:path';
import type {Entry} from '../contenders.ts';
import type {Part, Section} from '../part.ts';
import {inductorCache, python} from '../python.ts';
import {race} from '../race.ts';
import {median, type Result, resultTable} from '../results.ts';
import type {Job} from '../sizes.ts';
import {smollm2} from '../smollm2.ts';

const threads = 2;
const shape = {batch: 4, tokens: 256, rank: 16};
const bench = join(import.meta.dirname, '..');

const ours = (model: string, name: string, recompute: boolean): Entry => ({
  name,
  setting: 'ours',
  commands: [
    {
      program: process.execPath,
      args: [join(bench, 'ours.ts'), JSON.stringify({...job(model), beside: true, recompute})],
      environment: {},
      trials: 1,
    },
  ],
});

const job = (model: string): Job => ({model, trials: [0], rates: [1e-4], threads, ...shape});

interface PeerStyle {
  compiled?: boolean;
  checkpointing?: boolean;
  precision?: 'float32' | 'bfloat16';
}

const peer = (
  interpreter: string,
  model: string,
  name: string,
  {compiled = false, checkpointing = false, precision = 'float32'}: PeerStyle,
): Entry => ({
  name,
  setting: precision === 'bfloat16' ? 'bfloat16' : 'stock',
  commands: [
    {
      program: interpreter,
      args: [
        join(bench, 'peer.py'),
        JSON.stringify({...job(model), style: 'peft', compiled, checkpointing, precision}),
      ],
      environment: {TORCHINDUCTOR_CACHE_DIR: inductorCache},
      trials: 1,
    },
  ],
});

export const training135M: Part = {
  summary: 'a training step of SmolLM2-135M against transformers + PEFT: time and peak memory',
  async measure({quick, only, say}) {
    const interpreter = await python();
    const model = await smollm2();
    const mine = [ours(model, 'LoRA Sweep', false), ours(model, 'LoRA Sweep, layers computed again', true)];
    const groups: [string, Entry[]][] = [
      [
        'as users have it',
        [
          peer(interpreter, model, 'transformers + PEFT', {}),
          peer(interpreter, model, 'transformers + PEFT, gradient checkpointing', {checkpointing: true}),
        ],
      ],
      [
        'other settings of PyTorch',
        [
          peer(interpreter, model, 'transformers + PEFT, torch.compile', {compiled: true}),
          peer(interpreter, model, 'transformers + PEFT, bfloat16', {precision: 'bfloat16'}),
        ],
      ],
    ];
    const sections: Section[] = [];
    for (const [title, peers] of quick ? groups.slice(0, 1) : groups) {
      const wanted = peers.filter(({name}) => name.includes(only));
      if (wanted.length === 0) continue;
      const heading = `SmolLM2-135M: 1 trial, batch ${shape.batch} × ${shape.tokens}, rank ${shape.rank}, ${threads} threads; ${title}`;
      say(heading);
      const results = await race([...mine, ...wanted], quick ? 2 : 5, say);
      sections.push({
        title: heading,
        introduction:
          'All seven projections, AdamW, clipping; weights stored in bfloat16, computed with in float32 unless the contender says otherwise. A step learns all tokens.',
        table: resultTable(results, 1),
        sentences: comparisons(results),
      });
    }
    return sections;
  },
};

/** Each peer against both of ours: time, and peak memory. */
function comparisons(results: Result[]): string[] {
  const [fast, lean] = results as [Result, Result];
  return results
    .slice(2)
    .filter(({rounds}) => rounds.length > 0)
    .map(({name, rounds, peakBytes}) => {
      const time = (one: Result) => (median(rounds) / median(one.rounds)).toFixed(2);
      const memory = (one: Result) => (one.peakBytes / peakBytes).toFixed(2);
      return `Against ${name}: ${time(fast)} times as fast with ${memory(fast)} of its peak memory; with layers computed again ${time(lean)} times as fast with ${memory(lean)} of its memory.`;
    });
}
