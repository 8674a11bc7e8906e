/**
 * Greedy continuations of a batch of prompts, this project against transformers' generate, both float32 with all threads:
 * by the base model, and with a LoRA adapter beside its weights. A turn continues all prompts once, reading included.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {writeAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {random} from '../../../trainer/math/random.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import type {GenerationJob} from '../ours/generation-job.ts';
import type {Part, Section} from '../pages/part.ts';
import {median} from '../pages/results.ts';
import {Contender} from '../peers/contender.ts';
import {cache, python} from '../peers/python.ts';
import {smollm2} from '../smollm2.ts';

const promptTokens = 32;
const batch = 8;
const newTokens = 64;
const rank = 16;
const threads = 2;
const bench = join(import.meta.dirname, '..');

/** The beginnings of the first stories that are long enough. */
function storyPrompts(model: string): number[][] {
  const tokenizer = openTokenizer(model);
  const stories = readFileSync(join(bench, '../fixtures/tinystories/stories.jsonl'), 'utf8').split('\n');
  return stories
    .filter(line => line !== '')
    .map(line => tokenizer.encode((JSON.parse(line) as {text: string}).text, {special: true}).slice(0, promptTokens))
    .filter(({length}) => length === promptTokens)
    .slice(0, batch);
}

/** An adapter on all projections that changes what the model says, but not into noise. */
function randomAdapter(model: string): string {
  const {config, weights} = openFolder(model);
  const factors = sitesOf(config.layers.length, 'all', weights).map(({name, inputs, outputs}) => {
    const part = (which: string, size: number, bound: number) =>
      random('generation benchmark', name, which).uniform(size, -bound, bound);
    const own = {A: part('A', rank * inputs, inputs ** -0.5), B: part('B', outputs * rank, 0.02)};
    return [name, own] as const;
  });
  const folder = join(cache, 'adapters', `generation-${rank}-${config.layers.length}x${config.hiddenSize}`);
  writeAdapter(folder, {base: {model, revision: null}, rank, alpha: rank, factors: new Map(factors)});
  return folder;
}

interface Case {
  model: string;
  prompts: number[][];
  interpreter: string;
  adapter?: string;
}

function contenders({model, prompts, interpreter, adapter}: Case) {
  const job: GenerationJob = {model, prompts, newTokens, threads, ...(adapter && {adapter})};
  const command = (program: string, script: string) => [
    {program, args: [join(bench, script), JSON.stringify(job)], environment: {}, trials: 1},
  ];
  return [
    {name: 'LoRA Sweep', command: command(process.execPath, 'ours/generation-ours.ts')},
    {name: adapter ? 'transformers + PEFT' : 'transformers', command: command(interpreter, 'peers/generation-peer.py')},
  ];
}

export const generation: Part = {
  summary: "generation with SmolLM2-135M against transformers' generate, with and without an adapter",
  leftOut: 'generation with an adapter',
  async measure({quick, say}) {
    const interpreter = await python();
    const model = await smollm2();
    const prompts = storyPrompts(model);
    const sections: Section[] = [];
    for (const adapter of quick ? [undefined] : [undefined, randomAdapter(model)]) {
      const running: {name: string; contender: Contender; rounds: number[]}[] = [];
      try {
        for (const {name, command} of contenders({model, prompts, interpreter, ...(adapter && {adapter})})) {
          say(`starting ${name}`);
          running.push({name, contender: await Contender.start(command), rounds: []});
        }
        for (let round = 0; round < (quick ? 2 : 5); round++)
          for (const {contender, rounds} of running) rounds.push(await contender.measure(1));
      } finally {
        await Promise.all(running.map(({contender}) => contender.stop()));
      }
      sections.push(sectionOf(running, adapter !== undefined));
    }
    return sections;
  },
};

function sectionOf(running: {name: string; contender: Contender; rounds: number[]}[], adapted: boolean): Section {
  const rate = (ms: number) => ((1000 * batch * newTokens) / ms).toFixed(0);
  const [ours, peer] = running.map(({rounds}) => rounds) as [number[], number[]];
  // The mean of all new ids: the same only where the continuations are.
  const [own, other] = running.map(({contender}) => contender.firstLoss);
  return {
    title: `Generation, SmolLM2-135M: batch ${batch}, ${promptTokens} + ${newTokens} tokens, ${threads} threads${adapted ? `, a LoRA of rank ${rank} beside the weights` : ''}`,
    table: [
      ['contender', 'new tokens a second (median)', 'slowest', 'fastest'],
      ...running.map(({name, rounds}) => [
        name,
        rate(median(rounds)),
        rate(Math.max(...rounds)),
        rate(Math.min(...rounds)),
      ]),
    ],
    sentences: [
      `LoRA Sweep is ${(median(peer) / median(ours)).toFixed(2)} times as fast. ${own === other ? 'Both say the same.' : 'They do not say the same: two logits were nearer than rounding.'}`,
    ],
  };
}
