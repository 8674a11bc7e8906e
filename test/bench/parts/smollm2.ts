/** One training of SmolLM2-135M on two threads: step time and peak memory against transformers + PEFT. */
import {join} from 'node:path';
import type {Entry} from '../contenders.ts';
import type {Part, Section} from '../part.ts';
import {inductorCache, python} from '../python.ts';
import {race} from '../race.ts';
import {median, type Result, resultTable} from '../results.ts';
import type {Job} from '../sizes.ts';
import {smollm2} from '../smollm2.ts';
import {setUpTensorFlow} from '../tensorflow.ts';

const threads = 2;
const shape = {batch: 4, tokens: 256, rank: 16};
const bench = join(import.meta.dirname, '..');

const ours = (model: string, name: string, {recompute = false, native}: Pick<Job, 'recompute' | 'native'>): Entry => ({
  name,
  setting: native === 'bfloat16' ? 'native' : 'ours',
  commands: [
    {
      program: process.execPath,
      args: [join(bench, 'ours.ts'), JSON.stringify({...job(model), beside: true, recompute, native})],
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
  leftOut: 'layers computed again, torch.compile, bfloat16',
  async measure({quick, only, say}) {
    const interpreter = await python();
    const model = await smollm2();
    const plain = ours(model, 'LoRA Sweep', {});
    const native = (await setUpTensorFlow(say)) ? [ours(model, 'LoRA Sweep on TensorFlow', {native: 'bfloat16'})] : [];
    const groups: [string, Entry[], Entry[]][] = [
      [
        'as users have it',
        [plain, ours(model, 'LoRA Sweep, layers computed again', {recompute: true})],
        [
          peer(interpreter, model, 'transformers + PEFT', {}),
          peer(interpreter, model, 'transformers + PEFT, gradient checkpointing', {checkpointing: true}),
        ],
      ],
      [
        'torch.compile and bfloat16',
        [plain, ...native],
        [
          peer(interpreter, model, 'transformers + PEFT, torch.compile', {compiled: true}),
          peer(interpreter, model, 'transformers + PEFT, bfloat16', {precision: 'bfloat16'}),
        ],
      ],
    ];
    const sections: Section[] = [];
    for (const [title, own, peers] of quick ? groups.slice(0, 1).map(plainOnly) : groups) {
      const wanted = peers.filter(({name}) => name.includes(only));
      if (wanted.length === 0) continue;
      const heading = `SmolLM2-135M: 1 trial, batch ${shape.batch} × ${shape.tokens}, rank ${shape.rank}, ${threads} threads; ${title}`;
      say(heading);
      const results = await race([...own, ...wanted], quick ? 2 : 5, say);
      sections.push({
        title: heading,
        introduction:
          'All seven projections, AdamW, clipping; weights stored in bfloat16, computed with in float32 unless the contender says otherwise. A step learns all tokens.',
        table: resultTable(results, 1),
        sentences: comparisons(results.slice(0, own.length), results.slice(own.length)),
      });
    }
    return sections;
  },
};

/** The first of each side: without the modes that trade time for memory. */
const plainOnly = ([title, own, peers]: [string, Entry[], Entry[]]): [string, Entry[], Entry[]] => [
  title,
  own.slice(0, 1),
  peers.slice(0, 1),
];

/** Each peer against each of ours: time, and peak memory. */
function comparisons(own: Result[], peers: Result[]): string[] {
  const ran = ({rounds}: Result): boolean => rounds.length > 0;
  return peers.filter(ran).map(peer => {
    const beside = own.filter(ran).map(({name, rounds, peakBytes}) => {
      const time = (median(peer.rounds) / median(rounds)).toFixed(2);
      return `${name} is ${time} times as fast with ${(peakBytes / peer.peakBytes).toFixed(2)} of its peak memory`;
    });
    return `Against ${peer.name}: ${beside.join('; ')}.`;
  });
}
