/** A search over the learning rate and the weight decay, on the demo's model. */
import {expect, it} from 'vitest';
import {progress} from '../../../core/run/progress.ts';
import {trialsOf} from '../../../core/run/trials/known-trials.ts';
import {verdict} from '../../../core/run/verdict/sentences.ts';
import {compare} from '../../../core/run/verdict.ts';
import {groupOf} from '../../../core/search/cells.ts';
import {isSettled} from '../../../core/search/comparing/settled.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {random} from '../../../trainer/math/random.ts';
import {outcome, run, text} from './small-runs.ts';

const tuned = text('search: halving\ntune: [learning_rate, training.weight_decay]')
  .replace('training: {steps: 32}', 'training: {steps: 32, weight_decay: [0, 0.5]}')
  .replace('[1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]', '[1e-3, 3e-3, 1e-2, 3e-2]');

it('trains one place of each method with all seeds; killed at random moments it comes to the same trials and numbers', async () => {
  const whole = await run(tuned);
  expect(whole.end).toBe('finished');
  const {state} = whole;
  expect(state.searched).toHaveLength(4);
  expect(state.searched.map(({stage}) => stage)).toEqual(['done', 'done', 'done', 'done']);
  for (const method of ['lora', 'pissa']) {
    const own = state.searched.filter(({cell}) => cell.startsWith(method));
    expect(own.filter(({chosen, left}) => chosen !== null && left === undefined)).toHaveLength(1);
    const seconds = state.trials.filter(({trial, steps}) => trial.method === method && trial.seed === 2 && steps > 0);
    expect(new Set(seconds.map(({trial}) => groupOf(trial, state.tune)!.id))).toEqual(new Set([`${method}-r4-b8`]));
    // Of 8: the chosen place, and, where a method seems behind, those beside it and the best one of the other decay.
    expect(seconds.length).toBeLessThanOrEqual(4);
    expect(own.find(({left}) => left !== undefined)!.why).toMatch(
      /^Left (after its scan|at [\d.]+ (on average|with its first seed) at)/,
    );
  }
  const [comparison] = compare(state);
  expect(comparison!.curves.map(({peak}) => Object.keys(peak?.settings ?? {}))).toEqual([
    ['training.weight_decay'],
    ['training.weight_decay'],
  ]);
  expect(verdict(comparison!).join(' ')).toMatch(
    /Left (after their scan|after their first seed|with several seeds), as others .*: .*with weight decay/,
  );
  const {sweep} = readSweep(tuned);
  expect(isSettled(sweep!, trialsOf(sweep!, state), state)).toBe(true);
  const {stepsDone, stepsTotal} = progress(state);
  expect(stepsDone).toBe(stepsTotal);

  const stream = random('moments');
  let ran = await run(tuned, {stopAfter: 20 + stream.integerBelow(100)});
  let stops = 1;
  for (; ran.end !== 'finished'; stops++) {
    const later = stops < 6 ? {stopAfter: 5 + stream.integerBelow(120)} : {};
    ran = await run(tuned, {file: ran.file, ...later});
  }
  expect(stops).toBeGreaterThan(2);
  expect(outcome(ran)).toEqual(outcome(whole));
  const decisions = (of: typeof ran) =>
    of.state.searched
      .map(({cell, stage, place, chosen, left}) => ({cell, stage, place, chosen, left}))
      .toSorted((a, b) => (a.cell < b.cell ? -1 : 1));
  expect(decisions(ran)).toEqual(decisions(whole));
}, 1_800_000);
