import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {Evaluated, RunEvent, Stepped} from '../../../core/run/events.ts';
import {methods} from '../../../trainer/method/index.ts';
import {runSweep, type SweepEnd} from '../../../trainer/run/sweep.ts';
import {readHeader, readTensor} from '../../../trainer/weights/safetensors.ts';
import {type GoldenBatch, type GoldenRun, golden, goldenJson} from '../golden.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));

const folder = testFolder();

let files = 0;
/** Writes a sweep file of its own folder and runs it. */
async function run(
  text: string,
  {
    only = [],
    resume = false,
    stopAfter = Infinity,
    file,
  }: {only?: string[]; resume?: boolean; stopAfter?: number; file?: string} = {},
): Promise<{end: SweepEnd; events: RunEvent[]; file: string; out: string}> {
  const path = file ?? join(folder, `sweep-${files++}.sweep.yaml`);
  if (!file) writeFileSync(path, text);
  const out = `${path}.run`;
  const events: RunEvent[] = [];
  const abort = new AbortController();
  if (stopAfter === 0) abort.abort();
  const onEvent = (event: RunEvent) => {
    events.push(event);
    if (event.event === 'step' && event.step >= stopAfter) abort.abort();
  };
  const end = await runSweep(path, {out, only, resume, signal: abort.signal, onEvent});
  return {end, events, file: path, out};
}

const steps = (events: RunEvent[]) => events.filter(event => event.event === 'step');
/** Loss by step of one trial. */
function trace(events: RunEvent[], trial: string): (number | null)[] {
  const losses: (number | null)[] = [];
  for (const event of steps(events) as Stepped[]) {
    const place = event.trials.indexOf(trial);
    if (place >= 0) losses[event.step - 1] = event.losses[place]!;
  }
  return losses;
}

const desc = (more: string) => `
model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, shuffle: SHUFFLE}
rank: 8
batch_size: 16
${more}`;
const inFileOrder = (more: string) => desc(more).replace('SHUFFLE', 'false');
const shuffled = (more: string) => desc(more).replace('SHUFFLE', 'true');

describe('the golden traces come out of a sweep file', () => {
  const dataset = goldenJson<{train: GoldenBatch[]; eval: GoldenBatch}>('train/dataset.json');
  const rowsOf = (batch: GoldenBatch) =>
    batch.input_ids.map((input_ids, i) =>
      JSON.stringify({input_ids, labels: batch.labels[i], attention_mask: batch.attention_mask[i]}),
    );

  it.each([
    ['llama-lora', 'lora'],
    ['llama-pissa', 'pissa'],
    ['llama-milora', 'milora'],
    ['llama-initab', 'init-ab'],
    ['llama-dora', 'dora'],
    ['gemma3-lora', 'lora'],
  ] as const)('%s', async (name, method) => {
    const reference = goldenJson<GoldenRun>(`train/${name}.json`);
    const {lr, f64, fp32_vs_f64: spread, final} = reference.cases['high']!;
    writeFileSync(join(folder, 'train.jsonl'), dataset.train.slice(0, 12).flatMap(rowsOf).join('\n'));
    writeFileSync(join(folder, 'eval.jsonl'), rowsOf(dataset.eval).join('\n'));
    const {end, events, out} = await run(`
model: ${golden(`models/${reference.arch}`)}
data: {train: train.jsonl, format: tokens, shuffle: false}
methods: {${method}: {start_from: ${golden(`train/${reference.init}`)}}}
rank: 4
batch_size: 4
learning_rate: ${lr}
training: {warmup_ratio: 0.16}
evaluate: {task: loss, data: eval.jsonl}
`);
    expect(end).toBe('finished');
    const found = steps(events) as Stepped[];
    expect(found).toHaveLength(12);
    found.forEach(({losses, gradNorms}, step) => {
      expect(Math.abs(losses[0]! - f64.loss[step]!)).toBeLessThan(10 * spread.loss_max_abs_diff);
      expect(Math.abs(gradNorms[0]! / f64.grad_norm[step]! - 1)).toBeLessThan(10 * spread.grad_norm_max_rel_diff);
    });
    const [evaluation] = events.filter(event => event.event === 'evaluation') as Evaluated[];
    expect(Math.abs(evaluation!.value! - f64.eval_loss_after)).toBeLessThan(1e-5);
    const trial = found[0]!.trials[0]!;
    const own = readHeader(join(out, 'adapters', trial, 'adapter_model.safetensors')).tensors;
    const expected = readHeader(golden(`train/${final}/adapter_model.safetensors`)).tensors;
    expect([...own.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [key, tensor] of expected) {
      const values = readTensor(own.get(key)!);
      readTensor(tensor).forEach((value, i) => {
        expect(Math.abs(values[i]! - value)).toBeLessThan(1e-3);
      });
    }
  });
});

describe('trials do not touch each other', () => {
  const text = (pack: string) =>
    shuffled(`methods: [pissa]
learning_rate: [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3]
seeds: [1, 2]
training: {steps: 12}
run: {pack: ${pack}, workers: 2}`);

  it('twelve in a pack, one a pack in two workers, and alone give the same losses', async () => {
    const packed = await run(text('12'));
    const apart = await run(text('1'));
    const ids = (steps(packed.events)[0] as Stepped).trials;
    expect(ids).toHaveLength(12);
    const alone = await run(text('1'), {only: [`trial=${ids[5]}`]});
    for (const id of ids) {
      const own = trace(apart.events, id);
      expect(own).toHaveLength(12);
      trace(packed.events, id).forEach((loss, i) => {
        expect(Math.abs(loss! / own[i]! - 1)).toBeLessThan(1e-5);
      });
    }
    expect(trace(alone.events, ids[5]!)).toEqual(trace(apart.events, ids[5]!));
  });

  it('one that diverges is frozen and marked; its neighbours go on unchanged', async () => {
    const calm = '[1e-4, 1e-3';
    const rest = ']\ntraining: {steps: 20, max_grad_norm: 1e9, optimizer: sgd, warmup_ratio: 0}\nrun: {pack: 12}';
    const wild = await run(inFileOrder(`methods: [lora]\nlearning_rate: ${calm}, 1000${rest}`));
    const tame = await run(inFileOrder(`methods: [lora]\nlearning_rate: ${calm}${rest}`));
    const ended = wild.events.filter(event => event.event === 'trial-ended');
    expect(ended.map(({state}) => state).sort()).toEqual(['diverged', 'finished', 'finished']);
    for (const id of (steps(tame.events)[0] as Stepped).trials)
      trace(tame.events, id).forEach((loss, i) => {
        expect(Math.abs(trace(wild.events, id)[i]! / loss! - 1)).toBeLessThan(1e-5);
      });
  });

  it('dropout, order and start depend on the seed alone', async () => {
    const text = shuffled(
      'methods: [dora]\nlearning_rate: 1e-3\nseeds: [3, 4]\ntraining: {steps: 5, dropout: 0.1}\nrun: {workers: 1, pack: PACK}',
    );
    const together = await run(text.replace('PACK', '2'));
    const apart = await run(text.replace('PACK', '1'));
    const ids = (steps(together.events)[0] as Stepped).trials;
    expect(trace(together.events, ids[0]!)).not.toEqual(trace(together.events, ids[1]!));
    for (const id of ids)
      trace(apart.events, id).forEach((loss, i) => {
        expect(Math.abs(trace(together.events, id)[i]! / loss! - 1)).toBeLessThan(1e-5);
      });
  });
});

it('PiSSA and MiLoRA follow the published 300-step loss curves of the toy task', async () => {
  const {golden_loss} = JSON.parse(readFileSync(join(fixtures, 'toy-results.json'), 'utf8')) as {
    golden_loss: {curves: Record<string, {lr: number; loss: number[]}>};
  };
  const {events} = await run(
    inFileOrder('methods: [pissa, milora]\nlearning_rate: [2e-4, 2e-3]\ntraining: {steps: 300}'),
  );
  for (const [name, method] of [
    ['PiSSA', 'pissa'],
    ['MiLoRA', 'milora'],
  ])
    for (const [k, rate] of [
      ['k=0', '2.00e-4'],
      ['k=4', '2.00e-3'],
    ]) {
      const expected = golden_loss.curves[`${name} ${k}`]!.loss;
      const found = trace(events, `${method}-r8-b16-lr${rate}-s1`);
      expect(found).toHaveLength(300);
      found.forEach((loss, i) => {
        expect(Math.abs(loss! - expected[i]!)).toBeLessThan(1e-3);
      });
    }
});

it('the real stories260K model lowers its loss with every method', async () => {
  // What trains few numbers, or numbers that other small ones multiply, needs a larger rate.
  const settings: Record<string, string> = {
    adalora: 'learning_rate: 3e-2',
    hira: 'learning_rate: 3e-2',
    vera: 'learning_rate: 3e-2',
    'vb-lora': 'vector_length: 4, learning_rate: 3e-2',
  };
  const own = Object.keys(methods).map(name => `${name}: {${settings[name] ?? ''}}`);
  const {events} = await run(`
model: ${fixtures}stories260K
data: {train: ${fixtures}tinystories/stories.jsonl, format: text, max_length: 128, rows: 32}
methods: {${own.join(', ')}}
rank: 4
batch_size: 8
learning_rate: 1e-3
training: {epochs: 8}
`);
  const ids = events.filter(event => event.event === 'trial-ended').map(event => event.trial);
  expect(ids).toHaveLength(Object.keys(methods).length);
  for (const id of ids) {
    const losses = trace(events, id) as number[];
    const epoch = (index: number) => losses.slice(4 * index, 4 * index + 4).reduce((sum, loss) => sum + loss, 0) / 4;
    expect(losses).toHaveLength(32);
    expect(epoch(7), id).toBeLessThan(epoch(0) - 0.01);
  }
});

it('micro-batches give the losses, gradients and answers of the whole batch, in packs or alone', async () => {
  const text = (more: string) =>
    shuffled(`methods: [pissa]
learning_rate: [2e-3, 4e-3]
training: {steps: 30, micro_batch: ${more}}
evaluate:
  - {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 12, limit: 64}
  - {task: loss, data: ${demo}desc-test.jsonl, limit: 64}`);
  const whole = await run(text('16}\nrun: {pack: 1'));
  const parts = await run(text('6}\nrun: {pack: 2'));
  const evaluations = ({events}: {events: RunEvent[]}) =>
    (events.filter(event => event.event === 'evaluation') as Evaluated[]).sort((a, b) =>
      `${a.trial}${a.task}`.localeCompare(`${b.trial}${b.task}`),
    );
  const found = evaluations(parts);
  expect(found).toHaveLength(4);
  evaluations(whole).forEach(({trial, task, value, total}, i) => {
    expect([found[i]!.trial, found[i]!.task, found[i]!.total]).toEqual([trial, task, total]);
    // One of 64 rows may stand on a tie; losses differ by summation order, grown over 30 steps.
    expect(Math.abs(found[i]!.value! - value!)).toBeLessThan(task === 'loss' ? 1e-3 : 1.5 / 64);
    for (const [step, loss] of trace(parts.events, trial).entries())
      expect(Math.abs(loss! / trace(whole.events, trial)[step]! - 1)).toBeLessThan(step < 10 ? 1e-5 : 1e-3);
  });
});

describe('a run that is stopped', () => {
  const text = shuffled(
    'methods: [lora]\nlearning_rate: [1e-3, 2e-3, 5e-3]\ntraining: {steps: 40}\nrun: {workers: 1}\nevaluate: {task: loss, data: ' +
      `${demo}desc-test.jsonl, limit: 32}`,
  );

  it('goes on from its checkpoint as if it had never stopped, and a finished one does nothing', async () => {
    const whole = await run(text);
    const first = await run(text, {stopAfter: 25});
    expect(first.end).toBe('stopped');
    const second = await run(text, {resume: true, file: first.file});
    expect(second.end).toBe('finished');
    const ids = whole.events.filter(event => event.event === 'trial-ended').map(event => event.trial);
    const went = trace(second.events, ids[0]!);
    expect(went.findIndex(loss => loss !== undefined)).toBeGreaterThanOrEqual(25);
    // Killed between its end and the dropping of what it no longer needs, a trial leaves files like these.
    const left = ['.safetensors', '.before.safetensors'].map(ending =>
      join(second.out, 'checkpoints', ids[0]! + ending),
    );
    for (const path of left) writeFileSync(path, 'left');
    for (const id of ids)
      trace(second.events, id).forEach((loss, i) => {
        expect(loss).toBe(trace(whole.events, id)[i]);
      });
    const third = await run(text, {resume: true, file: first.file});
    expect(third.end).toBe('finished');
    expect(steps(third.events)).toHaveLength(0);
    expect(left.filter(path => existsSync(path))).toEqual([]);
    expect(third.events.filter(event => event.event === 'trial-started')).toHaveLength(0);
  });

  it('while its rows are read leaves nothing behind', async () => {
    const {end, events, out} = await run(text, {stopAfter: 0});
    expect([end, events]).toEqual(['stopped', []]);
    expect(existsSync(out)).toBe(false);
  });

  it('refuses to overwrite its results without being asked to go on', async () => {
    const first = await run(text, {stopAfter: 2});
    await expect(run(text, {file: first.file})).rejects.toThrow(/--resume/);
  });
});
