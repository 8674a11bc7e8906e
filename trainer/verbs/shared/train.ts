/** What `run`, `probe`, `evaluate` and `tune` do. */
import {SweepError} from '../../../core/error.ts';
import {printable, printableJson} from '../../../core/printable.ts';
import type {RunEvent} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {formatLine} from '../../../core/run/line.ts';
import {type SeedWish, writeSeedWish} from '../../../core/search/comparing/more-seeds.ts';
import {askedOf} from '../../../core/sweep/only.ts';
import type {SweepEnd, Tuning} from '../../run/under-way.ts';
import {shellWords} from '../../submit/words.ts';
import {faultOfOutput, print, remark, stopWork, tellParent} from './terminal.ts';

export interface RunOptions {
  out?: string;
  only: string[];
  resume?: true;
  rerun?: true;
  /** A run that is there is kept under its date, and all is trained. */
  fresh?: true;
  /** Further seeds of a run that is finished. */
  moreSeeds?: SeedWish[];
  /** Trials that runs beside this one have finished are taken from there. */
  reuse?: boolean;
  json?: true;
}

/** Which of them it is; `probe`: the curvature and nothing else. */
export type Work = {verb: 'run' | 'probe' | 'evaluate'} | {verb: 'tune'; tuning: Tuning; words: string[]};

/** Whether the run that is there goes on: what names its trials by their state, or again, asks for that. */
export function goesOn({resume, rerun, only}: RunOptions): boolean {
  return resume === true || rerun === true || askedOf('state', only).length > 0;
}

/** Says how to go on where it has not come to its end. */
export async function train(file: string, options: RunOptions, work: Work): Promise<SweepEnd> {
  const [{refuseErrors}, {runSweep}, {reportProgress}, {textSummary}] = await Promise.all([
    import('../../inspect/check.ts'),
    import('../../run/sweep.ts'),
    import('../../run/progress.ts'),
    import('../../results/summary.ts'),
  ]);
  const tuned = work.verb === 'tune' ? work : undefined;
  const moreSeeds = seedWishes(options);
  await refuseErrors(file, tuned ? [`method=${tuned.tuning.sweep.methods[0]!.method}`] : options.only);
  const terminal = process.stderr.isTTY && !options.json ? process.stderr : null;
  const report = reportProgress(await earlierState(file, options, tuned?.tuning.sweep.name), terminal, line =>
    process.stdout.write(`${printable(line)}\n`),
  );
  const onEvent = (event: RunEvent): void => {
    if (options.json) process.stdout.write(printableJson(formatLine(event)));
    else report.event(event);
  };
  const signal = stopWork();
  let end: SweepEnd;
  try {
    const {out, only, rerun = false, fresh = false} = options;
    const reuse = !fresh && options.reuse !== false;
    const resume = goesOn(options);
    // What `--json` prints is what is stored.
    const onPreparing = (event: RunEvent) => (options.json ? tellParent(event) : report.event(event));
    const asked = {
      ...{out, only, resume, rerun, fresh, moreSeeds, reuse},
      ...{probeOnly: work.verb === 'probe', evaluateOnly: work.verb === 'evaluate'},
    };
    end = await runSweep(file, {...asked, ...(tuned && {tuning: tuned.tuning}), signal, onEvent, onPreparing});
  } finally {
    report.stop();
  }
  const begun = options.json || report.state.trials.length > 0;
  const fault = faultOfOutput();
  if (!options.json && begun && fault === undefined) await print(['', ...textSummary(report.state)]);
  if (end === 'finished') return end;
  process.exitCode = 1;
  if (fault !== undefined) throw new SweepError('cannot-write', fault);
  if (!begun) {
    process.stderr.write('The run was stopped before it began; nothing was written.\n');
    return end;
  }
  const out = options.out === undefined ? [] : ['--out', options.out];
  const words = [work.verb, file, ...(tuned?.words ?? []), ...out, '--resume'];
  const again = `lora-sweep ${shellWords(words)}`;
  const why = end === 'stopped' ? 'The run was stopped' : 'Some trials failed';
  remark(`${why}; what is finished is kept, and \`${again}\` goes on.`);
  return end;
}

/** @throws SweepError `usage` */
function seedWishes({moreSeeds = [], only, resume}: RunOptions): SeedWish[] {
  const refuse = (why: string): never => {
    throw new SweepError('usage', `--more-seeds ${writeSeedWish(moreSeeds[0]!)}: ${why}.`);
  };
  if (moreSeeds.length > 0 && !resume) refuse('it adds to a run that is finished; write --resume as well');
  if (moreSeeds.length > 0 && only.length > 0) refuse('it goes by the whole comparison; leave --only out');
  return moreSeeds;
}

/** What a resumed run starts from. A file that cannot be read is `runSweep`'s to complain about. */
async function earlierState(file: string, options: RunOptions, tuned?: string): Promise<RunState | null> {
  if (!goesOn(options) || options.json) return null;
  const [{sweepOf}, store] = await Promise.all([import('../../run/sweep-file.ts'), import('../../store/run.ts')]);
  try {
    return (await store.readRun(store.runFolderOf(file, tuned ?? sweepOf(file).name, options.out))).state;
  } catch {
    return null;
  }
}
