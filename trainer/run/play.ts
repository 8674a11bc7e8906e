/** A run from its opened folder to its end: what is left is probed and trained. */
import {SweepError} from '../../core/error.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import type {ProbeJob} from '../curvature/probe.ts';
import {evaluateStored} from './evaluating/stored-evaluations.ts';
import {factorize} from './factorising.ts';
import {onGround} from './grounds.ts';
import type {Failure} from './jobs.ts';
import {beginRun, type Opening} from './opening.ts';
import {coresFor} from './packs.ts';
import type {Pool} from './pool.ts';
import {trainTrials} from './training-trials.ts';
import {openWorkers, type SweepEnd, type UnderWay} from './under-way.ts';

/** The run itself. @throws SweepError what made it fail */
export async function play(run: UnderWay): Promise<SweepEnd> {
  const {options} = run;
  const opening = await beginRun(run);
  const end = ending(run);
  try {
    if (opening.probes.rows > 0) await probeStarts(run, opening);
    if (options.signal.aborted && opening.probes.rows > 0) return end('stopped');
    const isUnevaluated = options.probeOnly ? false : await evaluateStored(run);
    const failed = (await trainTrials(run, opening)) || isUnevaluated;
    return end(options.signal.aborted ? 'stopped' : failed ? 'failed' : 'finished');
  } catch (error) {
    end('failed', error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Stores how the run ended: once, also where the process is ended at once. */
function ending({began, emit}: UnderWay): (state: SweepEnd, message?: string) => SweepEnd {
  let hasEnded = false;
  const end = (state: SweepEnd, message?: string): SweepEnd => {
    if (hasEnded) return state;
    hasEnded = true;
    process.off('exit', endAtOnce);
    const seconds = (Date.now() - began) / 1000;
    emit({event: 'run-ended', state, seconds, message});
    return state;
  };
  const endAtOnce = () => void end('stopped');
  process.prependOnceListener('exit', endAtOnce);
  return end;
}

/** One ground after the other. */
async function probeStarts(run: UnderWay, {probes, probers}: Opening): Promise<void> {
  const {failure, emit} = run;
  const cores = coresFor(run.choice, run.prepared.sweep.run.workers);
  let done = 0;
  const progress = () => emit({event: 'prepared', what: 'probing curvature', done, total: probes.rows});
  for (const {ground, trials, jobs} of probes.phases) {
    if (jobs.length === 0 || run.options.signal.aborted) continue;
    const own = onGround(run, ground);
    const workers = Math.min(probers, jobs.length);
    const pool = openWorkers(own, workers, Math.max(1, Math.floor(cores / workers)));
    try {
      await factorize(pool, own.prepared, trials, emit);
      progress();
      await probe(pool, jobs, event => {
        emit(event);
        if (event.event !== 'curvature') return;
        done++;
        progress();
      });
      failure.check();
    } finally {
      await pool.close();
    }
  }
}

/** Probes blocks side by side; each is told as soon as it is known. */
async function probe(pool: Pool, jobs: readonly ProbeJob[], emit: (event: RunEventBody) => void): Promise<void> {
  let failure: Failure | undefined;
  await pool.run(
    jobs.map(job => ({kind: 'probe', job})),
    {
      event: emit,
      generated: () => {},
      ended(_, fault) {
        failure ??= fault;
      },
    },
  );
  if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
}
