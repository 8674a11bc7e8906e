/** A long finished run of which nothing was trained, as its process leaves it. */
import {closeSync, mkdirSync, openSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent} from '../../../core/run/events.ts';
import {emptyRun} from '../../../core/run/fold.ts';
import {formatLine} from '../../../core/run/line.ts';
import {snapshotFrom, snapshotName} from '../../../core/run/snapshot.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {Snapshots} from '../../../trainer/store/fold/snapshots.ts';

export const longTrials = 200;

const trials = Array.from({length: longTrials}, (_, k): Trial => {
  const method = k % 2 === 0 ? 'lora' : 'pissa';
  const learningRate = 1e-5 * 10 ** (Math.floor(k / 2) / 25);
  const id = `${method}-r8-b16-lr${learningRate.toExponential(2)}-s1`;
  return {id, method, rank: 8, alpha: 8, batchSize: 16, learningRate, seed: 1};
});

/** A finished run, piece by piece. */
function* eventsOf(steps: number): Generator<RunEvent[]> {
  let at = Date.now() - 1e9;
  const started = {event: 'run-started', name: 'long', trials, engine: 'compiled', reason: '', workers: 2} as const;
  yield [{...started, at, resumed: false, steps: {16: steps}}];
  yield trials.map(({id: trial}) => ({event: 'trial-started', at, trial, steps, worker: 0}));
  for (let step = 1; step <= steps; step++)
    yield trials.map(({id, learningRate}) => {
      const [loss, gradNorm] = [3 * step ** -0.2 + 0.3 * Math.random(), 1 + Math.random()];
      at++;
      return {event: 'step', at, trials: [id], step, losses: [loss], rates: [learningRate], gradNorms: [gradNorm]};
    });
  for (const {id: trial} of trials) {
    const judged = {trial, step: steps, task: 'exact-match', metric: 'accuracy', value: Math.random()};
    yield [
      {event: 'evaluation', at, ...judged, correct: 1, total: 2},
      {event: 'trial-ended', at, trial, state: 'finished', steps, seconds: 600},
    ];
  }
  yield [{event: 'run-ended', at, state: 'finished', seconds: 1200}];
}

/** Writes it into a folder, with a snapshot beside its events; how many bytes those are. */
export function writeLongRun(folder: string, steps: number): number {
  mkdirSync(folder, {recursive: true});
  const events = join(folder, 'events.jsonl');
  const file = openSync(events, 'w');
  const snapshots = new Snapshots({file: join(folder, snapshotName), events, from: snapshotFrom}, emptyRun);
  let bytes = 0;
  for (const some of eventsOf(steps)) {
    bytes += writeSync(file, some.map(formatLine).join(''));
    for (const event of some) snapshots.add(event);
  }
  closeSync(file);
  snapshots.write(bytes, true);
  return bytes;
}
