import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {emptyRun, foldAll} from '../../../core/run/fold.ts';
import {formatLine} from '../../../core/run/line.ts';
import {readEvents} from '../../../trainer/store/events.ts';
import {curvesAt} from '../../../trainer/store/fold/curves.ts';

const trial = {id: 'a', method: 'lora', rank: 1, alpha: 1, batchSize: 1, learningRate: 1, seed: 1} as const;
const start = {
  ...{event: 'run-started', at: 1, name: 's', trials: [trial], engine: 'e', reason: 'r', workers: 1, resumed: false},
  steps: {'1': 3000},
} satisfies RunEvent;
const stepped = (step: number): RunEvent => {
  const value = Math.fround(Math.sin(step) + 2);
  return {event: 'step', at: 1, trials: ['a'], step, losses: [value], rates: [1 / step], gradNorms: [value ** 2]};
};
const steps = (from: number, to: number) => Array.from({length: to - from + 1}, (_, k) => stepped(from + k));
const begun: RunEvent = {event: 'trial-started', at: 1, trial: 'a', steps: 3000, worker: 0};

it('a long run that goes on from the middle of a bucket has the curves of one that never stopped, to the last bit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
  const file = join(folder, 'events.jsonl');
  const events: RunEvent[] = [start, begun];
  // As far as each start came, and the checkpoint from which the next one goes on.
  for (const [first, last, checkpoint] of [
    [1, 903, 797],
    [798, 950, 797],
    [798, 2411, 2399],
    [2400, 2450, 2399],
  ] as const) {
    events.push(...steps(first, last));
    writeFileSync(file, events.map(formatLine).join(''));
    const curves = (await curvesAt(onEvent => readEvents(file, onEvent), new Map([['a', checkpoint]]))).get('a')!;
    events.push({...begun, from: checkpoint, loss: 1, gradNorm: 1, curves});
  }
  events.push(...steps(2400, 3000));
  writeFileSync(file, events.map(formatLine).join(''));
  const read: RunEvent[] = [];
  expect(await readEvents(file, event => read.push(event))).toMatchObject({garbage: []});
  const [found] = foldAll(emptyRun, read).trials;
  const [whole] = foldAll(emptyRun, [start, begun, ...steps(1, 3000)]).trials;
  for (const name of ['losses', 'gradNorms', 'rates'] as const) expect(found![name]).toEqual(whole![name]);
  rmSync(folder, {recursive: true});
});
