/** Keys of other tools in a sweep file: what they mean, and fixes that keep it. */
import {describe, expect, it} from 'vitest';
import type {Fix} from '../../../core/sweep/problem.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {Lines} from '../../../core/sweep/text/lines.ts';

const base = `# A sweep.
model: base
data: {train: a.jsonl, format: text}
methods: [lora]
learning_rate: {from: 1e-4, to: 1e-2, per_decade: 4}
`;

function applied(text: string, {edits}: Fix): string {
  const lines = new Lines(text);
  const parts = edits.map(({range, text: put}) => ({
    from: lines.offset(range.start),
    to: lines.offset(range.end),
    put,
  }));
  return parts
    .sort((a, b) => b.from - a.from)
    .reduce((now, {from, to, put}) => now.slice(0, from) + put + now.slice(to), text);
}

const errorsOf = (text: string) =>
  readSweep(text, 'a.sweep.yaml').problems.filter(({severity}) => severity === 'error');

describe('a key of another tool', () => {
  it.each([
    ['num_train_epochs: 3', 'training:\n  epochs: 3'],
    ['num_epochs: 1.0e0', 'training:\n  epochs: 1.0e0'],
    ['lr_scheduler_type: constant_with_warmup', 'training:\n  schedule: constant'],
    ['lora_r: 16', 'rank: 16'],
    ['bf16: true', 'training:\n  precision: bfloat16'],
    ['training:\n  steps: 5\nweight_decay: 0.1', 'training:\n  weight_decay: 0.1\n  steps: 5'],
    ['training: {steps: 5}\nmax_grad_norm: 0 # none', 'training: {max_grad_norm: off, steps: 5}'],
    ['training: {bf16: true, steps: 3}', 'training: {precision: bfloat16, steps: 3}'],
    ['target_modules: q_proj,v_proj', 'targets: [q_proj, v_proj]'],
    ['target_modules: all-linear', 'targets: all'],
    ['optim: adamw_torch', undefined],
    ['seed: 3', 'seeds: [3]'],
    ['per_device_train_batch_size: 2\ngradient_accumulation_steps: 4', 'batch_size: 8'],
    ['epochs: 2', 'training:\n  epochs: 2'],
    ['workers: 2', 'run:\n  workers: 2'],
    ['logging_steps: 10', ''],
    ['rank: {values: [4, 8]}', 'rank: [4, 8]'],
    ['seeds: 1, 2,3', 'seeds: [1, 2, 3]'],
    ['training: {dropout: {value: 0.1}}', 'training: {dropout: 0.1}'],
  ])('%j has a fix that says the same', (line, wanted) => {
    const text = `${base}${line}\n`;
    const [error] = errorsOf(text);
    expect(error).toBeDefined();
    if (wanted === undefined) return;
    expect(error!.fixes).toHaveLength(1);
    const mended = applied(text, error!.fixes[0]!);
    expect(mended).toBe(`${base}${wanted}${wanted === '' ? '' : '\n'}`);
    expect(errorsOf(mended)).toEqual([]);
  });

  it.each([
    ['fp16: true', /no training in float16/],
    ['lr_scheduler_type: polynomial', /the schedule "polynomial" is not here/],
    ['use_dora: true', /that is a method, 'methods: \[dora\]'/],
    ['gradient_accumulation_steps: 4', /'batch_size' is the whole batch of a step/],
    ['training:\n  steps: 3\nmax_steps: 5', /it is 'steps: 5' under 'training'/],
  ])('%j has no fix where none would say the same, and a sentence', (line, sentence) => {
    const [error] = errorsOf(`${base}${line}\n`);
    expect(error?.message).toMatch(sentence);
    expect(error?.fixes).toEqual([]);
  });
});
