/** A search whose methods are cut over tasks, by rounds, with plain processes in place of a scheduler. */
import {cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, it} from 'vitest';
import {planRun, sourceOfFile} from '../../trainer/run/tasks/part.ts';
import {readRun} from '../../trainer/store/run.ts';
import {decide} from '../../trainer/submit/decide.ts';
import {doneOf, relayFacts} from '../../trainer/submit/facts.ts';
import {closingTask, wantedIn} from '../../trainer/submit/rounds.ts';
import {commandIn, outcomeOf} from './outcome.ts';
import {roundsSweep} from './rounds-sweep.ts';

const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-rounds-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));
cpSync(join(import.meta.dirname, '../../demo'), folder, {recursive: true});
const {start, output} = commandIn(folder);

const file = join(folder, 'rounds.sweep.yaml');
writeFileSync(file, roundsSweep('run: {workers: 1}'));

/** Its status has to be one of these. */
async function ends(words: readonly string[], statuses: readonly number[]): Promise<void> {
  const {code, said} = await start(words).ended;
  expect(statuses, said).toContain(code);
}

it('trains what one machine trains, each round what all tasks have come to want, until every method has chosen', async () => {
  const [alone, out] = [join(folder, 'alone'), join(folder, 'cut')];
  await ends(['run', file, '--out', alone], [0]);
  const {signal} = new AbortController();
  await planRun(sourceOfFile(file, out), {cut: {perTask: 1}, only: [], signal});
  const rounds: number[] = [];
  const begun: string[][] = [];
  for (;;) {
    const {state} = await readRun(out);
    const closing = await closingTask(out, state);
    const wanted = await wantedIn(out, state);
    const facts = {...relayFacts(state, {retryFailed: 0, cancelled: null, closing}), rounds};
    const decision = decide({...facts, tasks: facts.tasks.filter(({task}) => wanted?.has(task) ?? true)});
    if (decision.kind === 'end') break;
    expect(decision.kind).toBe('again');
    if (decision.kind !== 'again') return;
    rounds.push(doneOf(state));
    begun.push(decision.tasks);
    // Two at a time; a task that nothing more is wanted of yet says that it is to be started again.
    const left = [...decision.tasks];
    const worker = async () => {
      for (let task = left.shift(); task !== undefined; task = left.shift())
        await ends(['run', '--task', task, out], [0, 75]);
    };
    await Promise.all([worker(), worker()]);
  }
  expect(begun.length).toBeGreaterThan(2);
  // The first round has the rates that are scanned, by their first seed.
  expect(begun[0]!.length).toBeLessThan(16);
  const expected = await outcomeOf(alone, output);
  expect(await outcomeOf(out, output)).toEqual(expected);
  output('merge', out);
  expect(await outcomeOf(out, output)).toEqual(expected);
  expect(readdirSync(join(out, 'events')).length).toBeGreaterThan(begun[0]!.length);
});
