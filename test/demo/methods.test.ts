import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {methodNames} from '../../core/method/methods.ts';
import {readSweep} from '../../core/sweep/read.ts';

it("the demo's sweep over all methods has every one of them, each at as many rates", () => {
  const {sweep, problems} = readSweep(readFileSync(new URL('../../demo/methods.sweep.yaml', import.meta.url), 'utf8'));
  expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
  expect(sweep!.methods.map(({method}) => method).sort()).toEqual([...methodNames].sort());
  for (const {method, learningRates} of sweep!.methods) expect(learningRates, method).toHaveLength(16);
});
