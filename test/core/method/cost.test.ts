import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {methodCost} from '../../../core/method/cost.ts';
import {costSection} from '../../../core/method/cost-table.ts';
import {knownShapes} from '../../../core/method/known-shapes.ts';

describe('what a method costs', () => {
  const shape = {adapted: [{inputs: 10, outputs: 20}], others: [{inputs: 10, outputs: 30}]};

  it('is counted by hand for one small matrix', () => {
    // Rank 2: a pair of 2 · (10 + 20) = 60 weights beside 200 + 300 frozen ones.
    expect(methodCost('lora', 2, shape, 100)).toMatchObject({
      parameters: 60,
      optimizerBytes: 480,
      relativeFlops: 1,
      inferenceOverhead: 0.12,
    });
    const lora = 100 * (4 * 500 + 6 * 60);
    const pissa = methodCost('pissa', 2, shape, 100);
    expect(pissa.relativeFlops).toBeCloseTo((lora + 100 * 4 * 60) / lora, 12);
    expect(pissa.inferenceOverhead).toBeCloseTo(0.24, 12);
    const dora = methodCost('dora', 2, shape, 100);
    expect(dora.parameters).toBe(80);
    expect(dora.relativeFlops).toBeCloseTo((lora + 2 * 3 * 200) / lora, 12);
  });

  it('knows the models: trained numbers of LoRA at rank 128 as PEFT counts them', () => {
    // get_peft_model(...).print_trainable_parameters() on models built from their configurations.
    expect(methodCost('lora', 128, knownShapes['Llama-2-7B']!, 1).parameters).toBe(319_815_680);
  });

  it('stands in docs/methods.md as the program says it (npm run docs)', () => {
    const page = readFileSync(new URL('../../../docs/methods.md', import.meta.url), 'utf8');
    expect(page.endsWith(costSection())).toBe(true);
  });
});
