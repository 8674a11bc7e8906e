import type {Fix} from '../../../core/sweep/problem.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import type {Sweep} from '../../../core/sweep/sweep.ts';
import {Lines} from '../../../core/sweep/text/lines.ts';

/** The smallest sweep file. */
export const smallest = `model: models/base
data: {train: data/train.jsonl}
methods: [lora]
learning_rate: 2e-4
`;

/** The example of the language's description, with the keys that do not work yet marked by a comment. */
export const example = `name: gsm8k-qwen3                    # default: the file's name without .sweep.yaml
model: Qwen/Qwen3-0.6B-Base          # a folder (relative to this file) or a hub id
data:
  train: data/metamath.jsonl
  format: instruction
  columns: {instruction: query, output: response}   # which columns hold what
  template: study
  rows: 100000
  max_length: 512
  shuffle: true
methods: [lora, pissa, milora, init-ab, dora]
# or, to give a method its own settings:
# methods:
#   lora: {}
targets: all
rank: [8, 128]
alpha: rank
batch_size: [16, 64]
learning_rate: {from: 1.1247e-5, to: 6.3246e-3, per_decade: 4}    # or a list, or one number
seeds: [1, 2, 3]
training:
  epochs: 1
  optimizer: adamw
  weight_decay: 0
  schedule: cosine
  warmup_ratio: 0.03
  max_grad_norm: 1.0
  dropout: 0
  precision: auto
  micro_batch: auto
  checkpoint: auto
evaluate:
  - {task: gsm8k, data: data/gsm8k-test.jsonl, max_new_tokens: 1024, limit: 200}
    # at: end (default) | every: 100   (steps)
curvature:                           # not yet
  data: data/probe.jsonl
  blocks: all
  samples: 500
  batch_size: 5
  max_iterations: 300
  tolerance: 5e-3
  at: [start]
search: grid
run:
  engine: auto
  device: auto
  workers: auto
  pack: auto
`;

/** The sweep of a text that must have no problem. */
export function sweepOf(text: string, fileName?: string): Sweep {
  const {sweep, problems} = readSweep(text, fileName);
  if (sweep === undefined || problems.some(({code}) => !code.startsWith('fairness/')))
    throw new Error(problems.map(({message}) => message).join('\n'));
  return sweep;
}

/** Problems in short: `code path "text"`. */
export function faults(text: string): string[] {
  const {problems, tree} = readSweep(text);
  return problems.map(({code, path, range}) => `${code} ${path.join('.')} "${tree.lines.slice(range)}"`);
}

/** A text with a fix applied. */
export function mended(text: string, {edits}: Fix): string {
  const lines = new Lines(text);
  const ordered = edits.toSorted((a, b) => lines.offset(b.range.start) - lines.offset(a.range.start));
  return ordered.reduce(
    (result, {range, text: replacement}) =>
      result.slice(0, lines.offset(range.start)) + replacement + result.slice(lines.offset(range.end)),
    text,
  );
}
