/** What a sweep file says otherwise than its run was made with, found out before the run goes on. */
import type {Sweep} from '../../core/sweep/sweep.ts';
import {asDone, byTrial, type Change, changesBetween, ingredientsOf, isHash, isNeeded} from './ingredients.ts';
import {type Manifest, tableOf} from './manifest.ts';

/**
 * The changes that `--resume` refuses, as far as the text tells: a file that the run knows by its path is taken to be as it was, one that it
 * does not know is left to the start, which reads it. @throws SweepError `bad-manifest`
 */
export function refusedEdits(manifest: Manifest, sweep: Sweep): Change[] {
  const before = asDone(tableOf(manifest));
  const {precision} = sweep.training;
  const taken = before['training.precision'];
  const now = ingredientsOf(sweep, {
    model: manifest.model.hash,
    modelFiles: {},
    files: Object.fromEntries(manifest.data.map(({path, hash}) => [path, hash])),
    modules: {},
    precision: precision === 'auto' ? String(taken ?? byTrial) : precision,
  });
  return changesBetween(before, now).filter(
    ({key, before: was, after}) => !/^model(\W|$)/.test(key) && !isNeeded(key) && isHash(was) === isHash(after),
  );
}
