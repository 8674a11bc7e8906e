/**
 * `npm run bench:generation`: greedy continuations of a batch of prompts, this project against
 * transformers' generate, both float32 with all threads; by the base model, and with a LoRA adapter beside its weights.
 * Contenders take turns; a turn continues all prompts once, reading included.
 *
 *   --model DIR     model folder (default: SmolLM2-135M-Instruct, see smollm2.ts)
 *   --batch N       prompts (default 8)
 *   --new N         new tokens of each (default 64)
 *   --rounds N      turns of each contender (default 5)
 *   --rank N        of the adapter (default 16)
 *   --threads N     of each contender (default 2)
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {random} from '../../trainer/math/random.ts';
import {openFolder} from '../../trainer/model/open-model.ts';
import {sitesOf} from '../../trainer/model/sites.ts';
import {openTokenizer} from '../../trainer/model/tokenizer.ts';
import {writeAdapter} from '../../trainer/store/adapter.ts';
import {Contender} from './contender.ts';
import type {GenerationJob} from './generation-job.ts';
import {cache, python} from './python.ts';
import {asText, median} from './results.ts';
import {smollm2} from './smollm2.ts';

const {values: options} = parseArgs({
  options: {
    model: {type: 'string'},
    threads: {type: 'string', default: '2'},
    batch: {type: 'string', default: '8'},
    new: {type: 'string', default: '64'},
    rounds: {type: 'string', default: '5'},
    rank: {type: 'string', default: '16'},
  },
});
const promptTokens = 32;

const model = options.model ?? (await smollm2());
const threads = Number(options.threads);
const tokenizer = openTokenizer(model);
const stories = readFileSync(join(import.meta.dirname, '../fixtures/tinystories/stories.jsonl'), 'utf8').split('\n');
const prompts = stories
  .filter(line => line !== '')
  .map(line => tokenizer.encode((JSON.parse(line) as {text: string}).text, {special: true}).slice(0, promptTokens))
  .filter(({length}) => length === promptTokens)
  .slice(0, Number(options.batch));

/** An adapter on all projections that changes what the model says, but not into noise. */
function randomAdapter(): string {
  const {config, weights} = openFolder(model);
  const rank = Number(options.rank);
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

const interpreter = await python();
const here = import.meta.dirname;
const contenders = (adapter?: string) => {
  const job: GenerationJob = {model, prompts, newTokens: Number(options.new), threads, ...(adapter && {adapter})};
  const command = (program: string, script: string) => [
    {program, args: [join(here, script), JSON.stringify(job)], environment: {}, trials: 1},
  ];
  const beside = adapter ? ', adapter beside the weights' : '';
  return [
    {name: `LoRA Sweep${beside}`, command: command(process.execPath, 'generation-ours.ts')},
    {
      name: `${adapter ? 'transformers + PEFT' : 'transformers'}${beside}`,
      command: command(interpreter, 'generation-peer.py'),
    },
  ];
};

const tokens = prompts.length * Number(options.new);
for (const adapter of [undefined, randomAdapter()]) {
  const running = [];
  try {
    for (const {name, command} of contenders(adapter))
      running.push({name, contender: await Contender.start(command), rounds: [] as number[]});
    for (let round = 0; round < Number(options.rounds); round++)
      for (const {contender, rounds} of running) rounds.push(await contender.measure(1));
  } finally {
    await Promise.all(running.map(({contender}) => contender.stop()));
  }
  const [ours, peer] = running.map(({rounds}) => rounds) as [number[], number[]];
  const rate = (ms: number) => ((1000 * tokens) / ms).toFixed(0);
  const table = running.map(({name, rounds}) => [
    name,
    rate(median(rounds)),
    rate(Math.max(...rounds)),
    rate(Math.min(...rounds)),
  ]);
  console.log(asText([['', 'new tokens a second (median)', 'slowest', 'fastest'], ...table]));
  // The mean of all new ids: the same only where the continuations are.
  const [own, other] = running.map(({contender}) => contender.firstLoss);
  console.log(`LoRA Sweep is ${(median(peer) / median(ours)).toFixed(2)} times as fast.`);
  console.log(
    own === other ? 'Both say the same.\n' : 'They do not say the same: two logits were nearer than rounding.\n',
  );
}
