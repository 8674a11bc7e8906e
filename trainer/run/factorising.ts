import {SweepError} from '../../core/error.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {methods} from '../method/index.ts';
import type {Failure, ToWorker} from './jobs.ts';
import {settingsOf} from './packs.ts';
import type {Pool} from './pool.ts';
import type {Prepared} from './prepare.ts';

/** Factorises every weight that the waiting trials start from, side by side, into the cache. */
export async function factorize(
  pool: Pool,
  prepared: Prepared,
  trials: Trial[],
  emit: (event: RunEventBody) => void,
): Promise<void> {
  const wanted = new Map<string, ToWorker>();
  for (const trial of trials) {
    const {method, rank} = trial;
    const {sites, sweep} = prepared.of(trial);
    const spectrum = method === 'full' ? undefined : methods[method].spectrum;
    const {startFrom, iterations} = settingsOf(sweep, trial);
    if (spectrum === undefined || startFrom !== undefined) continue;
    for (const site of sites) {
      const settings = iterations === undefined ? {} : {iterations};
      wanted.set(`${spectrum} ${rank} ${iterations} ${site.name}`, {
        kind: 'factorize',
        site,
        end: spectrum,
        rank,
        settings,
      });
    }
  }
  const jobs = [...wanted.values()];
  let done = 0;
  let failure: Failure | undefined;
  await pool.run(jobs, {
    event: emit,
    generated: () => {},
    ended(_, fault) {
      failure ??= fault;
      emit({event: 'prepared', what: 'factorising weights', done: ++done, total: jobs.length});
    },
  });
  if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
}
