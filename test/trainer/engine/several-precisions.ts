/** Tests of sweeps that compare precisions, for the one file in which TensorFlow is set up. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, it} from 'vitest';
import {trialFile} from '../../../client/trial-file.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {demoRuns} from '../demo-runs.ts';
import {precisionText} from './precision-text.ts';

/** On a busy machine `auto` may take either engine for float32. */
const onTensorflow = {engine: 'tfjs-node', workers: 1};

export function severalPrecisions(): void {
  const home = mkdtempSync(join(tmpdir(), 'lora-sweep-precisions-'));
  afterAll(() => rmSync(home, {recursive: true}));
  const {run, manifest} = demoRuns(home);
  const both = precisionText('[float32, bfloat16]', `run: ${JSON.stringify(onTensorflow)}`);

  it('every trial takes the steps that it takes alone, byte for byte, and each precision has its own numbers', async () => {
    const {sweep} = readSweep(both);
    const trials = expandTrials(sweep!);
    const {steps, events} = await run('both', both);
    // One engine after the other.
    const inOrder = trials.toSorted((a, b) => Number(a.id.includes('bfloat16')) - Number(b.id.includes('bfloat16')));
    expect([...steps.keys()]).toEqual(inOrder.map(({id}) => id));
    for (const [place, {id}] of trials.entries()) {
      const alone = await run(`alone-${place}`, JSON.stringify({...trialFile(sweep!, id, null), run: onTensorflow}));
      expect([...alone.steps.values()], id).toEqual([steps.get(id)]);
    }
    expect(new Set(steps.values()).size).toBe(trials.length);
    const [started] = events;
    expect(started).toMatchObject({event: 'run-started', engine: 'tfjs-node'});
    expect(started?.event === 'run-started' && started.reason).toMatch(/^in float32 .*; in bfloat16 /);
    const {starts, ingredients} = manifest('both');
    expect(starts[0].engines).toEqual({float32: 'tfjs-node', bfloat16: 'tfjs-node'});
    expect(ingredients['training.precision']).toBe('by trial');
    expect((await run('both', both, true)).steps.size).toBe(0);
  });

  it('another precision that comes to the file is all that is trained then', async () => {
    const one = await run('grown', both.replace('[float32, bfloat16]', 'float32'));
    const more = await run('grown', both, true);
    expect([...more.steps.keys()]).toEqual(['lora-r4-b8-bfloat16-lr3.00e-3-s7', 'pissa-r4-b8-bfloat16-lr3.00e-3-s7']);
    expect([...one.steps.keys()]).toEqual(['lora-r4-b8-lr3.00e-3-s7', 'pissa-r4-b8-lr3.00e-3-s7']);
  });
}
