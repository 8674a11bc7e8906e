import {describe, expect, it} from 'vitest';
import {composite} from '../../../trainer/engine/macros/composite.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import type {Values} from '../../../trainer/engine/program/engine.ts';
import {attentionProgram} from './attention-program.ts';
import {furthestApart} from './low-rank-program.ts';

async function attentionOf(
  length: number,
  window: number,
  before: number,
  plain: boolean,
): Promise<Record<string, Values>> {
  const engine = openCompiled({threads: 1});
  const macros = plain ? composite : engine.macros({merged: false});
  const {computation, feeds} = attentionProgram(macros, length, window, before);
  const results = await (await engine.compile(computation)).run(feeds);
  await engine.dispose();
  return results;
}

describe('attention in blocks of queries', () => {
  for (const [length, window, before] of [
    [100, Infinity, 0],
    [256, Infinity, 0],
    [300, Infinity, 0],
    [300, 70, 0],
    [300, Infinity, 40],
    [300, 70, 90],
  ] as const)
    it(`${length} positions behind ${before}, ${window < length ? `a window of ${window}` : 'all'}: as plain operations give it, gradients too`, async () => {
      const ours = await attentionOf(length, window, before, false);
      const plain = await attentionOf(length, window, before, true);
      expect(furthestApart(ours, plain)).toBeLessThan(1e-5);
    });
});
