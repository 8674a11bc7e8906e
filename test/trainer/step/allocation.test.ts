import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {budgetAt, checkBudget} from '../../../trainer/step/allocation.ts';
import {type GoldenRun, goldenJson, goldenTraining} from '../golden.ts';

interface Schedule {
  tinit: number;
  tfinal: number;
  deltaT: number;
  total_step: number;
  init_r: number;
  target_r: number;
  modules: number;
  steps: {budget: number; masks: boolean; smooths: boolean; holds: boolean}[];
}

const schedules: Schedule[] = JSON.parse(
  readFileSync(new URL('../../fixtures/adalora/budgets.json', import.meta.url), 'utf8'),
);

describe("AdaLoRA's budget", () => {
  for (const {steps, modules, total_step: total, target_r: rank, ...options} of schedules)
    it(`is PEFT's after every step: ${JSON.stringify({...options, rank, total})}`, () => {
      expect(steps).toHaveLength(total);
      for (const [step, {budget, masks, smooths, holds}] of steps.entries())
        expect(budgetAt(step, total, modules, {rank, options}), `step ${step}`).toEqual({
          dropped: masks ? modules * options.init_r - budget : 0,
          smoothed: Number(smooths),
          held: Number(holds),
        });
    });

  it('is refused where it has no step to fall in', () => {
    expect(() => checkBudget(12, {options: {tinit: 6, tfinal: 6}})).toThrow(
      'AdaLoRA with tinit 6 and tfinal 6 has no step of 12 in which its ranks fall; lower them, or train longer.',
    );
    expect(() => checkBudget(13, {options: {tinit: 6, tfinal: 6}})).not.toThrow();
  });

  it('goes on from a snapshot as if it had not stopped, with what it had dropped', async () => {
    const run = goldenJson<GoldenRun>('train/llama-adalora.json');
    const engine = await openEngine('compiled', {threads: 1});
    const {open, steps} = goldenTraining(engine, run);
    const whole = open();
    await steps(whole, 12);
    const first = open();
    await steps(first, 8);
    const second = open();
    second.restore(8, await first.snapshot());
    await steps(second, 12);
    expect(await second.snapshot()).toEqual(await whole.snapshot());
    const {pattern} = await whole.snapshot();
    expect(pattern!.reduce((sum, flag) => sum + flag, 0)).toBe(84);
    await engine.dispose();
  });
});
