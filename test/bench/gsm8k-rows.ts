/** Real rows for a contender: batches of GSM8K, as a sweep reads them and as transformers' collators are given them. */
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expandTrials} from '../../core/sweep/trials.ts';
import {stepRows} from '../../trainer/data/order.ts';
import {openSweep} from '../../trainer/run/sweep-file.ts';
import {tokensOf} from '../../trainer/step/batches.ts';

const file = join(import.meta.dirname, '..', 'fixtures', 'gsm8k', 'train-first-80.jsonl');

export interface RealRows {
  /** A turn of this project's, and of a peer's. */
  sweep: string;
  rows: string;
  /** Tokens of a batch: of its rows, and with all rows as long as its longest. */
  tokens: number;
  padded: number;
}

/** Writes both into `folder`. A turn is `steps` batches of a training of many epochs, whose shapes they have. */
export async function gsm8kRows(model: string, folder: string, batch: number, steps: number): Promise<RealRows> {
  await mkdir(folder, {recursive: true});
  const sweep = join(folder, `gsm8k-${batch}.sweep.yaml`);
  await writeFile(
    sweep,
    `model: ${model}
data: {train: ${file}, format: instruction, columns: {instruction: question, output: answer}, max_length: 512}
methods: {lora: {}}
rank: 16
batch_size: ${batch}
learning_rate: [1e-4]
seeds: [1]
training: {epochs: 20}
`,
  );
  const opened = openSweep(sweep);
  const {seed} = expandTrials(opened.sweep)[0]!;
  const source = (await opened.prepare(1)).source(batch);
  const {starts, ids, labels, count} = source.dataset;
  const batches = Array.from({length: steps}, (_, step) =>
    [...stepRows(count, batch, step, {seed, shuffle: true})].map(row => {
      const [start, end] = [starts[row]!, starts[row + 1]!];
      return {ids: [...ids.subarray(start, end)], labels: [...labels.subarray(start, end)]};
    }),
  );
  const rows = join(folder, `gsm8k-${batch}.json`);
  await writeFile(rows, JSON.stringify(batches));
  const mean = (values: number[]) => Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
  return {
    sweep,
    rows,
    tokens: mean(batches.map((_, step) => tokensOf(source, seed, step))),
    padded: mean(batches.map(own => own.length * Math.max(...own.map(row => row.ids.length)))),
  };
}
