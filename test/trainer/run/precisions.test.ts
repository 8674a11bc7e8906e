/** Precisions as a condition: each on an engine of its own, and what a machine without TensorFlow says. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it, vi} from 'vitest';
import {emptyRun, foldAll} from '../../../core/run/fold.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {chooseEngines, engineNames} from '../../../trainer/engine/choices.ts';
import type {Choice, Wish} from '../../../trainer/engine/choose.ts';
import {checkSweeps} from '../../../trainer/inspect/check.ts';
import {demoRuns} from '../demo-runs.ts';
import {precisionText} from '../engine/precision-text.ts';
import {testFolder} from '../test-folder.ts';

// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 1_800_000});
const home = testFolder();
const {run} = demoRuns(home);

describe('without TensorFlow', () => {
  it('one precision in a list is that precision, and what `auto` came to is gone on with', async () => {
    const auto = await run('one', precisionText('auto'));
    expect([...auto.steps.keys()].sort()).toEqual(['lora-r4-b8-lr3.00e-3-s7', 'pissa-r4-b8-lr3.00e-3-s7']);
    expect(await run('list', precisionText('[float32]'))).toMatchObject({steps: auto.steps});
    for (const precision of ['[float32]', 'float32', 'auto'])
      expect((await run('one', precisionText(precision), true)).steps.size).toBe(0);
    expect(foldAll(emptyRun, auto.events).fixed['training.precision']).toBe('float32');
  });

  it('bfloat16 as one of several is refused by `check` where it stands, and when the run begins', async () => {
    const file = join(home, 'two.sweep.yaml');
    writeFileSync(file, precisionText('[float32, bfloat16]'));
    const {checks} = await checkSweeps([file]);
    const [problem] = checks[0]!.problems.filter(({severity}) => severity === 'error');
    expect(problem).toMatchObject({code: 'resource/precision', path: ['training', 'precision', 1]});
    expect(problem!.message).toMatch(/lora-sweep setup-native.*leave bfloat16 out of the list/);
    await expect(run('two', precisionText('[float32, bfloat16]'))).rejects.toThrow(/bfloat16 needs TensorFlow/);
  });
});

it('`auto` is not compared with what it is', () => {
  for (const text of [
    precisionText('[auto, float32]'),
    precisionText('auto').replace(
      '[lora, pissa]',
      '{lora: {}, narrow: {method: lora, training: {precision: bfloat16}}}',
    ),
  ])
    expect(readSweep(text).problems.map(({message}) => message)).toContainEqual(
      expect.stringContaining("'auto' is one of the other precisions"),
    );
});

describe('the engines of several precisions', () => {
  const wish: Wish = {engine: 'auto', device: 'auto', precision: 'float32', stored: 'float32'};
  const both = {...wish, precisions: ['float32', 'bfloat16'] as const};
  const gpu = {name: 'a GPU'} as Choice['gpu'] & object;
  /** A machine whose GPU has float32 only. */
  const choose = async ({precision, device}: Wish): Promise<Choice> =>
    precision === 'bfloat16'
      ? {engine: 'tfjs-node', precision, reason: 'TensorFlow'}
      : {engine: 'compiled', precision: 'float32', reason: 'onnxruntime', ...(device !== 'cpu' && {gpu})};

  it('are told one by one, and are all on the CPU where one of them is', async () => {
    const {engine, gpu: taken, reason, further} = await chooseEngines(both, choose);
    expect([engine, taken, reason]).toEqual(['compiled', undefined, 'in float32 onnxruntime; in bfloat16 TensorFlow']);
    expect([...further!].map(([precision, one]) => [precision, one.engine])).toEqual([
      ['float32', 'compiled'],
      ['bfloat16', 'tfjs-node'],
    ]);
    expect((await chooseEngines(wish, choose)).gpu).toBe(gpu);
    expect([engineNames({engine, further: further!}), engineNames({engine})]).toEqual([
      'compiled and tfjs-node',
      'compiled',
    ]);
  });

  it('are refused where a GPU was asked for that one of them cannot have', async () => {
    await expect(chooseEngines({...both, device: 'gpu'}, choose)).rejects.toThrow(
      /float32 on the compiled engine and bfloat16 on the tfjs-node engine.*run.device to cpu/,
    );
  });
});
