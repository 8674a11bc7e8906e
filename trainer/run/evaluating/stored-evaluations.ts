/** Evaluations that finished trials lack, because the sweep file came to ask for them later: of their stored adapters, without training. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {isEnded} from '../../../core/run/events.ts';
import {count, formatEvaluation} from '../../../core/run/format.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {isStoreError} from '../../files/write-whole.ts';
import type {Generated} from '../../generation/answers.ts';
import {type Ground, groundsOf, onGround} from '../grounds.ts';
import type {Failure, ToWorker} from '../jobs.ts';
import {coresFor} from '../packs.ts';
import {openWorkers, type UnderWay} from '../under-way.ts';
import {openJudges} from './judges.ts';

type Evaluating = Extract<ToWorker, {kind: 'evaluate'}>;

/** What is to be done on one ground. */
interface Work {
  trials: Trial[];
  jobs: Evaluating[];
}

/** Evaluates what was trained by earlier starts, one ground after the other. Whether something failed. */
export async function evaluateStored(run: UnderWay): Promise<boolean> {
  const {works, notes} = missingIn(run);
  const jobs = [...works.values()].reduce((sum, work) => sum + work.jobs.length, 0);
  if (jobs > 0)
    notes.unshift(`${count(jobs, 'evaluation')} that stored adapters lack ${jobs === 1 ? 'is' : 'are'} made now.`);
  else if (run.options.evaluateOnly)
    notes.push('The stored adapters have every evaluation that the sweep file asks for.');
  for (const message of notes) run.emit({event: 'note', message});
  let failed = false;
  for (const [ground, work] of works) {
    if (run.options.signal.aborted) break;
    if (await evaluateOn(onGround(run, ground), work)) failed = true;
  }
  return failed;
}

/** The results that the sweep asks for and finished trials do not have at their end, by ground. */
function missingIn({prepared, choice, trials, store}: UnderWay) {
  const groundOf = groundsOf({prepared, choice});
  const works = new Map<Ground, Work>();
  const {trials: views, places} = store.state();
  const without: string[] = [];
  for (const trial of trials) {
    const view = views[places[trial.id] ?? -1];
    if (!view || !isEnded(view.state) || view.state === 'diverged') continue;
    const {sweep, evaluations} = prepared.of(trial);
    const known = new Set(view.evaluations.filter(({step}) => step === view.steps).map(({task}) => task));
    const missing = evaluations.filter(({index}) => {
      const {task, entry} = sweep.evaluate[index]!;
      return !known.has(formatEvaluation(task, entry));
    });
    if (missing.length === 0) continue;
    const adapter = join(store.folder, 'adapters', trial.id);
    if (!existsSync(adapter)) {
      without.push(trial.id);
      continue;
    }
    const ground = groundOf(trial);
    const work = works.get(ground) ?? {trials: [], jobs: []};
    works.set(ground, work);
    work.trials.push(trial);
    work.jobs.push(
      ...missing.map(evaluation => ({
        kind: 'evaluate' as const,
        evaluation,
        adapter,
        trial: trial.id,
        step: view.steps,
      })),
    );
  }
  const notes: string[] =
    without.length === 0
      ? []
      : [
          `${count(without.length, 'finished trial')} without a stored adapter cannot be evaluated anew: ${without.slice(0, 3).join(', ')}${without.length > 3 ? ', …' : ''}.`,
        ];
  return {works, notes};
}

async function evaluateOn(run: UnderWay, {trials, jobs}: Work): Promise<boolean> {
  const {choice, prepared, options, failure, emit} = run;
  const cores = coresFor(choice, prepared.sweep.run.workers);
  const workers = Math.min(cores, jobs.length);
  const pool = openWorkers(run, workers, Math.max(1, Math.floor(cores / workers)));
  const judge = openJudges(run, trials);
  options.signal.addEventListener('abort', () => judge.close(), {once: true});
  const judging: Promise<void>[] = [];
  let done = 0;
  let fault: Failure | undefined;
  const tell = () => emit({event: 'prepared', what: 'evaluating stored adapters', done, total: jobs.length});
  try {
    tell();
    await pool.run(jobs, {
      event: emit,
      generated: failure.guard((result: Generated) => {
        judging.push(judge.score(result).then(events => events.forEach(event => void emit(event)), failure.report));
      }),
      ended: (_, own) => {
        fault ??= own;
        done++;
        tell();
      },
    });
    await Promise.all(judging);
    failure.check();
    if (fault && !isStoreError(fault) && !options.signal.aborted)
      emit({event: 'note', message: `A stored adapter could not be evaluated: ${fault.message}`});
    return fault !== undefined;
  } finally {
    judge.close();
    await pool.close();
  }
}
