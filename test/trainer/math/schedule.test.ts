import {describe, expect, it} from 'vitest';
import {warmUpSteps} from '../../../core/sweep/warm-up.ts';
import {rateAt} from '../../../trainer/math/schedule.ts';
import {goldenJson} from '../golden.ts';

describe('the learning rate of a step', () => {
  it('is the one PyTorch trained the goldens with', () => {
    for (const name of ['llama-lora', 'qwen3-dora', 'gemma3-pissa']) {
      const {cases} = goldenJson<{cases: Record<string, {lr: number; lr_per_step: number[]}>}>(`train/${name}.json`);
      for (const {lr, lr_per_step} of Object.values(cases)) {
        lr_per_step.forEach((rate, step) => {
          expect(rateAt(step, 12, lr, {schedule: 'cosine', warmupRatio: 2 / 12})).toBeCloseTo(rate, 15);
        });
      }
    }
  });

  it('rises over ceil(ratio * total) steps from 0, then follows the cosine', () => {
    const settings = {schedule: 'cosine', warmupRatio: 0.03} as const;
    expect(warmUpSteps(300, {warmupRatio: 0.03})).toBe(9);
    for (let t = 0; t < 9; t++) expect(rateAt(t, 300, 1, settings)).toBe(t / 9);
    for (let t = 9; t < 300; t++) {
      expect(rateAt(t, 300, 1, settings)).toBeCloseTo(0.5 * (1 + Math.cos((Math.PI * (t - 9)) / 291)), 15);
    }
  });

  it('falls to 0 on a line, or stays', () => {
    const linear = {schedule: 'linear', warmupRatio: 0.1} as const;
    expect([0, 1, 2, 11, 20].map(step => rateAt(step, 20, 9, linear))).toEqual([0, 4.5, 9, 4.5, 0]);
    const constant = {schedule: 'constant', warmupRatio: 0.1} as const;
    expect([0, 1, 2, 19].map(step => rateAt(step, 20, 9, constant))).toEqual([0, 4.5, 9, 9]);
  });

  it('starts at the peak without a warm-up, and a run of one step with one has rate 0', () => {
    for (const schedule of ['cosine', 'linear', 'constant'] as const) {
      expect(rateAt(0, 10, 2, {schedule, warmupRatio: 0})).toBe(2);
      expect(rateAt(0, 1, 2, {schedule, warmupRatio: 0.03})).toBe(0);
    }
  });
});
