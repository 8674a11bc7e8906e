/** What all tasks of a run need from the cache, computed once before they begin. */
import {formatPreparing} from '../../../core/run/format.ts';
import {isTrial} from '../../../core/sweep/sweep.ts';
import {factorize} from '../factorising.ts';
import {coresFor} from '../packs.ts';
import {openWorkers} from '../under-way.ts';
import {planRun, sourceOfRun} from './part.ts';
import {repin} from './repin.ts';

/**
 * Settles the plan on this machine, reads the rows and factorises the weights of a planned run. Tasks that find nothing in the cache do it themselves, so that nothing
 * depends on this. `say` hears how far it is; what was done comes back, as a sentence.
 * @throws SweepError as a part of the run would
 */
export async function fillCaches(folder: string, signal: AbortSignal, say: (line: string) => void): Promise<string> {
  const source = sourceOfRun(folder);
  const settled = await repin(source, signal);
  if (settled !== null) say(settled);
  const {prepared, choice, plan} = await planRun(source, {cut: {}, only: [], signal});
  const cores = coresFor(choice, prepared.sweep.run.workers);
  const pool = openWorkers({prepared, choice, options: {signal}}, cores, 1);
  try {
    const selected = new Set(plan.event.selected);
    const trials = plan.event.trials.filter(isTrial).filter(({id}) => selected.has(id));
    await factorize(pool, prepared, trials, event => {
      if (event.event === 'prepared') say(formatPreparing(event));
    });
  } finally {
    await pool.close();
  }
  return `The rows of ${plan.event.name} are read and its weights factorised.`;
}
