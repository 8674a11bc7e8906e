/** One training of SmolLM2-135M on two threads: step time and peak memory against transformers + PEFT. */
import {join} from 'node:path';
import {gsm8kRows, type RealRows} from '../gsm8k-rows.ts';
import type {Part, Section} from '../pages/part.ts';
import {median, type Result, resultTable} from '../pages/results.ts';
import type {Entry} from '../peers/contenders.ts';
import {cache, inductorCache, python} from '../peers/python.ts';
import {race} from '../peers/race.ts';
import type {Job} from '../peers/sizes.ts';
import {setUpTensorFlow} from '../peers/tensorflow.ts';
import {smollm2} from '../smollm2.ts';

const threads = 2;
const shape = {batch: 4, tokens: 256, rank: 16};
const bench = join(import.meta.dirname, '..');

/** A turn of real rows, on both sides. */
interface RealTurn extends RealRows {
  batch: number;
  steps: number;
}

interface OwnStyle extends Pick<Job, 'recompute' | 'native'> {
  real?: RealTurn;
}

const ours = (model: string, name: string, {recompute = false, native, real}: OwnStyle): Entry => ({
  name,
  setting: native === 'bfloat16' ? 'native' : 'ours',
  commands: [
    {
      program: process.execPath,
      args: [join(bench, 'ours/ours.ts'), JSON.stringify({...job(model, real), beside: true, recompute, native})],
      environment: {},
      trials: 1,
    },
  ],
});

const job = (model: string, real?: RealTurn): Job => ({
  ...{model, trials: [0], rates: [1e-4], threads, ...shape},
  ...(real ? {batch: real.batch, real} : {}),
});

interface PeerStyle {
  compiled?: boolean;
  checkpointing?: boolean;
  precision?: 'float32' | 'bfloat16';
  real?: RealTurn;
}

const peer = (
  interpreter: string,
  model: string,
  name: string,
  {compiled = false, checkpointing = false, precision = 'float32', real}: PeerStyle,
): Entry => ({
  name,
  setting: precision === 'bfloat16' ? 'bfloat16' : 'stock',
  commands: [
    {
      program: interpreter,
      args: [
        join(bench, 'peers/peer.py'),
        JSON.stringify({...job(model, real), style: 'peft', compiled, checkpointing, precision}),
      ],
      environment: {TORCHINDUCTOR_CACHE_DIR: inductorCache},
      trials: 1,
    },
  ],
});

/** What it is, what a step learns, how often it is measured, and who takes part of both sides. */
type Group = [title: string, learnt: string, rounds: number, own: Entry[], peers: Entry[]];

export const training135M: Part = {
  summary: 'a training step of SmolLM2-135M against transformers + PEFT: time and peak memory',
  leftOut: 'rows of GSM8K, layers computed again, torch.compile, bfloat16',
  async measure({quick, only, case: wantedCase, say}) {
    const interpreter = await python();
    const model = await smollm2();
    const plain = ours(model, 'LoRA Sweep', {});
    const hasNative = await setUpTensorFlow(say);
    const native = (style: OwnStyle): Entry[] =>
      hasNative ? [ours(model, 'LoRA Sweep on TensorFlow', {...style, native: 'bfloat16'})] : [];
    const turn = {batch: shape.batch, steps: 6};
    const real = {...turn, ...(await gsm8kRows(model, join(cache, 'rows'), turn.batch, turn.steps))};
    const heading = `1 trial, batch ${shape.batch} × ${shape.tokens}, rank ${shape.rank}, ${threads} threads`;
    const made = 'A step learns all tokens.';
    const groups: Group[] = [
      [
        `1 trial, batches of ${real.batch} rows of GSM8K, rank ${shape.rank}, ${threads} threads`,
        `The mean of ${real.steps} batches, whose rows have ${real.tokens} tokens together and would have ${real.padded} if all were as long as the longest; answers are learnt.`,
        // A turn is several steps.
        3,
        [ours(model, 'LoRA Sweep', {real}), ...native({real})],
        [
          peer(interpreter, model, 'transformers + PEFT', {real}),
          peer(interpreter, model, 'transformers + PEFT, bfloat16', {precision: 'bfloat16', real}),
        ],
      ],
      [
        `${heading}; as users have it`,
        made,
        5,
        [plain, ours(model, 'LoRA Sweep, layers computed again', {recompute: true})],
        [
          peer(interpreter, model, 'transformers + PEFT', {}),
          peer(interpreter, model, 'transformers + PEFT, gradient checkpointing', {checkpointing: true}),
        ],
      ],
      [
        `${heading}; torch.compile and bfloat16`,
        made,
        5,
        [plain, ...native({})],
        [
          peer(interpreter, model, 'transformers + PEFT, torch.compile', {compiled: true}),
          peer(interpreter, model, 'transformers + PEFT, bfloat16', {precision: 'bfloat16'}),
        ],
      ],
    ];
    const sections: Section[] = [];
    for (const [what, learnt, rounds, own, peers] of quick ? groups.slice(1, 2).map(plainOnly) : groups) {
      const wanted = peers.filter(({name}) => name.includes(only));
      if (wanted.length === 0 || !what.includes(wantedCase)) continue;
      const title = `SmolLM2-135M: ${what}`;
      say(title);
      const results = await race([...own, ...wanted], quick ? 2 : rounds, say);
      sections.push({
        title,
        introduction: `All seven projections, AdamW, clipping; weights stored in bfloat16, computed with in float32 unless the contender says otherwise. ${learnt}`,
        table: resultTable(results, 1),
        sentences: comparisons(results.slice(0, own.length), results.slice(own.length)),
      });
    }
    return sections;
  },
};

/** The first of each side: without the modes that trade time for memory. */
const plainOnly = ([title, learnt, rounds, own, peers]: Group): Group => [
  title,
  learnt,
  rounds,
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
