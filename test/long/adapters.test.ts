import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {exportTrial} from '../../trainer/ask/export.ts';
import {openEngine} from '../../trainer/engine/choose.ts';
import type {Engine} from '../../trainer/engine/program/engine.ts';
import {methods} from '../../trainer/method/index.ts';
import {runSweep} from '../../trainer/run/sweep.ts';
import {adaptedLogits} from './logits.ts';
import {numbersIn, openPeer, type Peer, relativeDifference} from './peer.ts';

const demo = fileURLToPath(new URL('../../demo/', import.meta.url));
const model = `${demo}base`;
const names = Object.keys(methods);
/** Sizes that the demo's model can have, and enough strength to be seen after a few steps. */
const settings: Record<string, string> = {
  'vb-lora': '{vector_length: 16, num_vectors: 12}',
  adalora: '{alpha: 64}',
};
/** Starts that PEFT does not make by itself (those of LoRA-GA and CorDA need a data set): their adapters are LoRA's. */
const ourOwn = ['milora', 'init-ab', 'lora-ga', 'corda'];
/** Rows of ids the demo's tokenizer knows, any will do. */
const ids = Array.from({length: 4}, (_, row) => Array.from({length: 24}, (_, i) => 3 + (((row * 24 + i) * 7) % 50)));
/** Both sides sum in float32, in different orders. */
const tolerance = 1e-5;

let home: string;
let run: string;
let engine: Engine;
let peer: Peer;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-adapters-'));
  run = join(home, 'run');
  const file = join(home, 'all.sweep.yaml');
  writeFileSync(
    file,
    `model: ${model}
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods:
${names.map(name => `  ${name}: ${settings[name] ?? '{}'}`).join('\n')}
rank: 4
batch_size: 16
learning_rate: [2e-3]
seeds: [1]
training: {steps: 12}
`,
  );
  const signal = new AbortController().signal;
  expect(await runSweep(file, {out: run, only: [], resume: false, signal, onEvent: () => {}})).toBe('finished');
  engine = await openEngine('compiled', {threads: 2});
  peer = await openPeer();
});
afterAll(async () => {
  peer.close();
  await engine.dispose();
  rmSync(home, {recursive: true, force: true});
});

const idOf = (method: string): string => `${method}-r4-b16-lr2.00e-3-s1`;
const out = () => join(home, 'logits');

describe.each(names)('%s', method => {
  it('trained here and exported as an adapter gives our logits in PEFT', async () => {
    const folder = join(home, `adapter-${method}`);
    await exportTrial({folder: run, trial: idOf(method), to: 'adapter', out: folder});
    await peer.ask({task: 'logits', model, adapter: folder, ids, out: out()});
    const ours = await adaptedLogits(engine, model, ids, join(run, 'adapters', idOf(method)));
    expect(relativeDifference(ours, numbersIn(out()))).toBeLessThan(tolerance);
    // An adapter that does nothing would agree too.
    expect(relativeDifference(await adaptedLogits(engine, model, ids), ours)).toBeGreaterThan(100 * tolerance);
  });

  it('trained here and merged gives our logits in transformers', async () => {
    const folder = join(home, `merged-${method}`);
    await exportTrial({folder: run, trial: idOf(method), to: 'merged', out: folder});
    await peer.ask({task: 'logits', model: folder, ids, out: out()});
    const ours = await adaptedLogits(engine, model, ids, join(run, 'adapters', idOf(method)));
    expect(relativeDifference(ours, numbersIn(out()))).toBeLessThan(tolerance);
  });

  if (ourOwn.includes(method)) return;
  it('made by PEFT gives its logits here', async () => {
    const folder = join(home, `peft-${method}`);
    const shape = {method, rank: 4, alpha: 8, noise: 0.05};
    expect(await peer.ask({task: 'adapter', model, ...shape, folder, ids, out: out()})).toEqual({});
    const theirs = numbersIn(out());
    const ours = await adaptedLogits(engine, model, ids, folder);
    expect(relativeDifference(ours, theirs)).toBeLessThan(tolerance);
    expect(relativeDifference(await adaptedLogits(engine, model, ids), theirs)).toBeGreaterThan(100 * tolerance);
  });
});
