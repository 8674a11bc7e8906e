import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RunEvent} from '../../core/run/events.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {lengthsOf} from '../../trainer/data/shapes.ts';
import {openEngine} from '../../trainer/engine/choose.ts';
import {rateAt} from '../../trainer/math/schedule.ts';
import {runSweep} from '../../trainer/run/sweep.ts';
import {openSweep} from '../../trainer/run/sweep-file.ts';
import {packBatches} from '../../trainer/step/batches.ts';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {smollm2} from '../bench/smollm2.ts';
import {adaptedLogits} from './logits.ts';
import {numbersIn, openPeer, type Peer, relativeDifference} from './peer.ts';

const rows = fileURLToPath(new URL('../fixtures/gsm8k/train-first-80.jsonl', import.meta.url));

let home: string;
let model: string;
let peer: Peer;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-smollm2-'));
  model = await smollm2();
  peer = await openPeer();
});
afterAll(() => {
  peer.close();
  rmSync(home, {recursive: true, force: true});
});

it('logits agree with transformers', async () => {
  const tokenizer = openTokenizer(model);
  const texts = ['The capital of France is Paris.', 'def add(a, b):\n    return a + b\n', 'Natalia sold 48 clips.'];
  const encoded = texts.map(text => tokenizer.encode(text.repeat(8), {special: false}).slice(0, 48));
  const out = join(home, 'logits');
  await peer.ask({task: 'logits', model, ids: encoded, out});
  const engine = await openEngine('compiled', {threads: 2});
  const ours = await adaptedLogits(engine, model, encoded);
  await engine.dispose();
  expect(relativeDifference(ours, numbersIn(out))).toBeLessThan(2e-3);
});

/** Rank and alpha of both sides. */
const [rank, alpha] = [16, 16];

/** Trains 40 steps here and in PEFT on the same batches; compares the losses of all steps. */
async function follow(method: 'lora' | 'pissa', checkpoint: boolean, learningRate: string, startFrom?: string) {
  const file = join(home, `${method}.sweep.yaml`);
  writeFileSync(
    file,
    `model: ${model}
data: {train: ${rows}, format: instruction, columns: {instruction: question, output: answer}, max_length: 128}
methods: {${method}: {${startFrom === undefined ? '' : `start_from: ${startFrom}`}}}
rank: ${rank}
alpha: ${alpha}
batch_size: 2
learning_rate: [${learningRate}]
seeds: [1]
training: {steps: 40, checkpoint: ${checkpoint}, precision: float32}
run: {workers: 1}
`,
  );
  const events: RunEvent[] = [];
  const out = join(home, `run-${method}`);
  const signal = new AbortController().signal;
  const end = await runSweep(file, {out, only: [], resume: false, signal, onEvent: event => events.push(event)});
  expect(end).toBe('finished');
  const ours = events.flatMap(event => (event.event === 'step' ? [event.losses[0]!] : []));

  const {sweep, prepare} = openSweep(file);
  const prepared = await prepare(1);
  const trials = expandTrials(sweep);
  const source = prepared.source(2);
  const batches = ours.map((_, step) => {
    const [batch, more] = packBatches(source, trials, step, () => 0);
    expect(more).toBeUndefined();
    const {ids, positions, targets, weights, shape, tokenAt, placeOf} = batch!;
    // Theirs are padded.
    const idAt = (place: number) => ids[tokenAt[place] ?? place]!;
    // To one length, where ours are in groups of several.
    const lengths = lengthsOf(shape);
    const starts = lengths.map((_, row) => lengths.slice(0, row).reduce((sum, length) => sum + length, 0));
    const lines = lengths.map((length, row) =>
      Array.from({length: lengths[0]!}, (_, i) => (i < length ? idAt(starts[row]! + i) : 0)),
    );
    const places = Array.from(positions, position => {
      const place = placeOf[position] ?? position;
      const row = starts.findLastIndex(start => start <= place);
      return row * lengths[0]! + place - starts[row]!;
    });
    return {ids: lines, positions: places, targets: [...targets], weights: [...weights]};
  });
  const rates = ours.map((_, step) => rateAt(step, ours.length, trials[0]!.learningRate, sweep.training));
  const start = startFrom
    ? join(startFrom, 'adapter_model.safetensors')
    : join(out, 'adapters', trials[0]!.id, 'start.safetensors');
  const question = {task: 'train', model, start, residual: !startFrom, rank, alpha, batches, rates};
  const {losses} = (await peer.ask(question)) as {losses: number[]};
  expect(ours).toHaveLength(40);
  const worst = Math.max(...losses.map((loss, step) => Math.abs(ours[step]! / loss - 1)));
  console.log(`${method}: losses differ by ${(100 * worst).toFixed(4)} % at most`);
  // The training does something.
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(ours.slice(-10))).toBeLessThan(mean(ours.slice(0, 10)));
  return worst;
}

describe('40 steps on GSM8K follow PEFT', () => {
  it('LoRA from a starting adapter of PEFT, layers computed again in the backward pass', async () => {
    const folder = join(home, 'start');
    const ids = [[1, 2, 3]];
    await peer.ask({
      task: 'adapter',
      ...{model, method: 'lora', rank, alpha, noise: 0, folder, ids, out: join(home, 'unused')},
    });
    expect(await follow('lora', true, '5e-4', folder)).toBeLessThan(0.01);
  });

  it('PiSSA from our own factors', async () => {
    expect(await follow('pissa', false, '1e-4')).toBeLessThan(0.01);
  });
});
