import {expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {type GoldenRun, goldenJson, goldenTraining} from '../golden.ts';

it('LoFT goes on from a snapshot as if it had not stopped, whoever has the next turn, and one factor learns at a time', async () => {
  const run = goldenJson<GoldenRun>('train/llama-loft.json');
  const engine = await openEngine('compiled', {threads: 1});
  const {open, steps} = goldenTraining(engine, run);
  const whole = open();
  const moved: string[] = [];
  const at = new Map<number, Record<string, Float32Array>>();
  while (whole.count < 8) {
    const before = await whole.parameters();
    await steps(whole, whole.count + 1);
    const after = await whole.parameters();
    at.set(whole.count, await whole.snapshot());
    const parts = whole.adaptation.layout.pieces.flatMap(({part, offset, size}) =>
      before.subarray(offset, offset + size).every((value, k) => value === after[offset + k]) ? [] : [part],
    );
    moved.push([...new Set(parts)].join(' '));
  }
  // The first step has rate 0, and beside B = 0 nothing that A does would show.
  expect(moved).toEqual(['', '', 'B', 'A', 'B', 'A', 'B', 'A']);
  for (const from of [3, 4]) {
    const other = open();
    other.restore(from, at.get(from)!);
    await steps(other, 8);
    expect(await other.snapshot()).toEqual(at.get(8));
  }
  await engine.dispose();
});

it('LoFT is refused beside an optimizer that it is not', () => {
  const text = (training: string, own = '{}') =>
    `model: base\ndata: {train: a.jsonl, format: text}\nmethods: {lora: {}, loft: ${own}}\nlearning_rate: [1e-3]\ntraining: ${training}\n`;
  const errors = (content: string) =>
    readSweep(content).problems.flatMap(({severity, message}) => (severity === 'error' ? [message] : []));
  expect(errors(text('{optimizer: [adamw, sgd]}'))).toEqual([
    "LoFT is an AdamW of its own, and cannot be trained with sgd: write 'optimizer: adamw', or give loft one of its own.",
  ]);
  expect(errors(text('{optimizer: sgd}', '{training: {optimizer: adamw}}'))).toEqual([]);
  expect(errors(text('{}'))).toEqual([]);
});
