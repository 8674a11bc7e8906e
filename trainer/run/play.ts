/** A run from its opened folder to its end: what is left is probed and trained. */
import {SweepError} from '../../core/error.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import {evaluateStored} from './evaluating/stored-evaluations.ts';
import {factorize} from './factorising.ts';
import type {Failure} from './jobs.ts';
import {beginRun, type Opening} from './opening.ts';
import {coresFor} from './packs.ts';
import type {Pool} from './pool.ts';
import type {ProbePlan} from './probing.ts';
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

async function probeStarts(run: UnderWay, {probes, probers}: Opening): Promise<void> {
  const {prepared, trials, choice, failure, emit} = run;
  const cores = coresFor(choice, prepared.sweep.run.workers);
  const pool = openWorkers(run, probers, Math.max(1, Math.floor(cores / probers)));
  try {
    await factorize(pool, prepared, trials, emit);
    await probe(pool, probes, emit);
    failure.check();
  } finally {
    await pool.close();
  }
}

/** Probes blocks side by side; each is stored as soon as it is known. */
async function probe(pool: Pool, {jobs, rows}: ProbePlan, emit: (event: RunEventBody) => void): Promise<void> {
  const progress = (done: number) => emit({event: 'prepared', what: 'probing curvature', done, total: rows});
  let done = 0;
  let failure: Failure | undefined;
  progress(done);
  await pool.run(
    jobs.map(job => ({kind: 'probe', job})),
    {
      event(event) {
        emit(event);
        if (event.event === 'curvature') progress(++done);
      },
      generated: () => {},
      ended(_, fault) {
        failure ??= fault;
      },
    },
  );
  if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
}
