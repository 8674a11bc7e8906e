/** The plan of a run of tasks: the first line of its `events.jsonl`, which the first start writes and all others follow. */
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import type {RunEvent, RunStarted} from '../../../core/run/events.ts';
import {emptyRun, fold, type RunState} from '../../../core/run/fold.ts';
import {formatLine, readLine} from '../../../core/run/line.ts';
import {isTrial, type Sweep, type Trial} from '../../../core/sweep/sweep.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {chunksOf} from '../../files/door.ts';
import {storeError, writeNew} from '../../files/write-whole.ts';
import {type Again, newManifest, readManifest, resumedManifest, type Surroundings} from '../manifest.ts';
import {eventsName, manifestName} from '../names.ts';
import {copyName, noManifest, refuseForeign, refuseLinks} from '../run.ts';
import {taskFilesIn} from './task-files.ts';

export interface Plan {
  event: RunStarted & {at: number} & Required<Pick<RunStarted, 'tasks' | 'pinned'>>;
  /** Its fold: nothing has begun. */
  state: RunState;
}

/**
 * The plan in a folder; null where there is no run yet.
 * @throws SweepError `run-exists` for a run of one machine, `bad-plan` for a file whose first line is none
 */
export async function readPlan(folder: string): Promise<Plan | null> {
  const file = join(folder, eventsName);
  if (!existsSync(file)) return null;
  const line = await firstLine(file);
  const {event} = readLine(line);
  if (isPlan(event)) return {event, state: fold(emptyRun, event)};
  if (event)
    throw new SweepError(
      'run-exists',
      `${folder} holds a run of one machine, which has no tasks; go on with it by \`run FILE --resume\`, or write elsewhere with --out.`,
      {folder},
    );
  throw new SweepError('bad-plan', `${file} does not begin with the plan of a run; write elsewhere with --out.`, {
    file,
  });
}

/** Whether the folder holds a run of several tasks. */
export async function isPlanned(folder: string): Promise<boolean> {
  const file = join(folder, eventsName);
  return existsSync(file) && isPlan(readLine(await firstLine(file)).event);
}

function isPlan(event: RunEvent | undefined): event is Plan['event'] {
  return event?.event === 'run-started' && event.tasks !== undefined && event.pinned !== undefined;
}

async function firstLine(file: string): Promise<string> {
  let text = '';
  try {
    for await (const bytes of chunksOf(file)) {
      const end = bytes.indexOf(10);
      text += bytes.toString('latin1', 0, end < 0 ? undefined : end);
      if (end >= 0) break;
    }
  } catch (error) {
    throw storeError(error, file);
  }
  return Buffer.from(text, 'latin1').toString('utf8');
}

/**
 * Stores a plan where there is none; the one that stands then, which another process may have been first with.
 * @throws SweepError `foreign-folder`, `cannot-write`, and as `readPlan`
 */
export async function storePlan(folder: string, event: Plan['event']): Promise<Plan> {
  refuseForeign(folder);
  refuseLinks(folder);
  try {
    mkdirSync(folder, {recursive: true});
  } catch (error) {
    throw storeError(error, folder);
  }
  if (writeNew(join(folder, eventsName), formatLine(event))) return {event, state: fold(emptyRun, event)};
  const there = await readPlan(folder);
  return there ?? storePlan(folder, event);
}

/**
 * Checks a start against the plan and what it was made with; the first one notes that down. What is worth a note.
 * @param sweepFile where the sweep was read, and where its paths start from
 * @throws SweepError `not-comparable` naming what differs, `bad-manifest`
 */
export function followPlan(
  folder: string,
  {event}: Plan,
  {
    sweep,
    around,
    sweepFile,
    again,
  }: {sweep: Sweep; around: Surroundings; sweepFile: {file: string; original: string}; again: Again},
): string[] {
  refuseOtherTrials(event, sweep);
  const text = readFileSync(sweepFile.file, 'utf8');
  const copy = copyName(folder, basename(sweepFile.original), text);
  const now = newManifest(sweep, around, {original: sweepFile.original, copy, text, again});
  const file = join(folder, manifestName);
  if (!existsSync(file) && taskFilesIn(folder).attempts.size > 0) throw noManifest(folder);
  if (writeNew(file, `${JSON.stringify(now, null, 2)}\n`)) {
    writeNew(join(folder, copy), text);
    return [];
  }
  const {notes, evaluations} = resumedManifest(readManifest(file)!, now);
  const [changed] = evaluations;
  if (changed)
    throw new SweepError(
      'not-comparable',
      `Cannot go on: ${changed.from} is asked otherwise now, and the tasks of a run are evaluated alike; undo the change, or merge the run and evaluate it by \`lora-sweep evaluate\`.`,
    );
  return notes;
}

function refuseOtherTrials(plan: Plan['event'], sweep: Sweep): void {
  const changes = [
    ...differing(plan.trials.filter(isTrial), expandTrials(sweep)),
    ...(['search', 'verdict'] as const).flatMap(key => {
      const [before, now] = [plan[key], sweep[key]].map(value => JSON.stringify(value ?? null));
      return before === now ? [] : [`${key} was ${before} and is ${now}`];
    }),
  ];
  if (changes.length === 0) return;
  throw new SweepError(
    'not-comparable',
    `The sweep file is not the one that this run was planned with: ${changes.join('; ')}; undo the change, or start a new run with --out.`,
  );
}

/** Trials that only one of the two has, and those that have other settings. */
function differing(before: readonly Trial[], now: readonly Trial[]): string[] {
  const own = new Map(before.map(trial => [trial.id, JSON.stringify(trial)]));
  const ids = new Set(now.map(({id}) => id));
  const list = (trials: string[]) => `${trials[0]}${trials.length > 1 ? ` and ${trials.length - 1} more` : ''}`;
  const gone = before.flatMap(({id}) => (ids.has(id) ? [] : [id]));
  const fresh = now.flatMap(({id}) => (own.has(id) ? [] : [id]));
  const other = now.flatMap(trial => {
    const stored = own.get(trial.id);
    return stored === undefined || stored === JSON.stringify(trial) ? [] : [trial.id];
  });
  return [
    ...(gone.length > 0 ? [`it no longer has ${list(gone)}`] : []),
    ...(fresh.length > 0 ? [`${list(fresh)} is new`] : []),
    ...(other.length > 0 ? [`${list(other)} has other settings`] : []),
  ];
}
