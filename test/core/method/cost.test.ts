import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {methodCost} from '../../../core/method/cost.ts';
import {knownShapes} from '../../../core/method/known-shapes.ts';
import type {MethodName} from '../../../core/method/methods.ts';
import {trainedParameters} from '../../../core/method/parameters.ts';

describe('what a method costs', () => {
  const shape = {adapted: [{inputs: 10, outputs: 20}], others: [{inputs: 10, outputs: 30}], everything: 1000};

  it('is counted by hand for one small matrix', () => {
    // Rank 2: a pair of 2 · (10 + 20) = 60 weights beside 200 + 300 frozen ones.
    expect(methodCost({method: 'lora', rank: 2}, shape, 100)).toMatchObject({
      parameters: 60,
      optimizerBytes: 480,
      relativeFlops: 1,
      inferenceOverhead: 0.12,
    });
    const lora = 100 * (4 * 500 + 6 * 60);
    const pissa = methodCost({method: 'pissa', rank: 2}, shape, 100);
    expect(pissa.relativeFlops).toBeCloseTo((lora + 100 * 4 * 60) / lora, 12);
    expect(pissa.inferenceOverhead).toBeCloseTo(0.24, 12);
    const dora = methodCost({method: 'dora', rank: 2}, shape, 100);
    expect(dora.parameters).toBe(80);
    expect(dora.relativeFlops).toBeCloseTo((lora + 2 * 3 * 200) / lora, 12);
  });

  it('is more for LoFT, whose second moments are outer products and whose update is formed as a whole', () => {
    // At rank 2, for every trained number: the first moment, the other factor as it was, and two numbers of an outer product.
    const loft = methodCost({method: 'loft', rank: 2}, shape, 100);
    expect(loft).toMatchObject({parameters: 60, optimizerBytes: 4 * 4 * 60, inferenceOverhead: 0.12});
    // Once a step: the update m·O and back, its denominator, and V turned: 2·200·2·(2 + 2) and 4·8·30.
    const lora = 100 * (4 * 500 + 6 * 60);
    expect(loft.relativeFlops).toBeCloseTo((lora + 3200 + 960) / lora, 12);
  });

  it('counts what each method trains as PEFT does', () => {
    // The golden models: three layers of seven projections; `trainable_parameters` of PEFT 0.21.2.
    const layer = [
      [32, 32],
      [32, 16],
      [32, 16],
      [32, 32],
      [32, 56],
      [32, 56],
      [56, 32],
    ].map(([inputs, outputs], i) => ({inputs: inputs!, outputs: outputs!, name: i === 6 ? 'down_proj' : 'other'}));
    const matrices = [...layer, ...layer, ...layer];
    const golden = (name: string) =>
      JSON.parse(readFileSync(new URL(`../../fixtures/goldens/train/llama-${name}.json`, import.meta.url), 'utf8'))
        .trainable_parameters as number;
    const count = (method: MethodName, rank: number) => trainedParameters({method, rank}, matrices, 31_712);
    expect(count('vera', 8)).toBe(golden('vera'));
    expect(count('boft', 4)).toBe(golden('boft'));
    expect(count('miss', 5)).toBe(golden('miss'));
    expect(trainedParameters({method: 'lokr', rank: 4, options: {decompose_factor: 4}}, matrices, 31_712)).toBe(
      golden('lokr'),
    );
    for (const name of [
      'lora',
      'pissa',
      'dora',
      'gralora',
      'randlora',
      'full',
      'orthogonal',
      'loha',
      'hira',
      'ia3',
    ] as const)
      expect(count(name, 4)).toBe(golden(name));
    const bank = {num_vectors: 10, vector_length: 8};
    expect(trainedParameters({method: 'vb-lora', rank: 4, options: bank}, matrices, 31_712)).toBe(golden('vblora'));
    for (const name of ['delora', 'oft', 'adalora'] as const) expect(count(name, 4)).toBe(golden(name));
    expect(count('lora-ga', 4)).toBe(golden('loraga'));
    expect(count('lora-fa', 4)).toBe(golden('lorafa'));
  });

  it('knows the models: trained numbers of LoRA at rank 128 as PEFT counts them', () => {
    // get_peft_model(...).print_trainable_parameters() on models built from their configurations.
    expect(methodCost({method: 'lora', rank: 128}, knownShapes['Llama-2-7B']!, 1).parameters).toBe(319_815_680);
  });
});
