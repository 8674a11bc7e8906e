/** Runs a program and a scorer (its argument) that do not end, and says so. */
import {setTimeout} from 'node:timers/promises';
import {openSandbox} from '../../../trainer/task/sandbox/sandbox.ts';
import {openScorer} from '../../../trainer/task/scorer.ts';

const problem = {trusted: '', tests: 'assert f() == 1', reference: 'def f(): pass'};
const sandbox = openSandbox(1);
const scorer = openScorer(process.argv[2]!);
if (!(await sandbox.run({...problem, program: 'def f(): return 1'})).passed)
  throw new Error('The sandbox does not work.');
await scorer.score({}, 'once');
const endless = [sandbox.run({...problem, program: 'while True: pass'}), scorer.score({}, 'for ever')];
await setTimeout(1000);
console.log('running');
await Promise.all(endless);
