/** What a task's attempts have come to, without curves, beside the last of their files: see core/run/snapshot. */
import type {RunState} from '../../../core/run/fold.ts';
import {readSnapshot, type Snapshot} from '../../../core/run/snapshot.ts';
import type {Attempt} from '../../../core/run/tasks/names.ts';
import {readText, sizeOfRegular} from '../../files/door.ts';
import {tailOf} from '../fold/tail.ts';
import {attemptFile} from './task-files.ts';

/** From so many bytes of events on. */
export const taskSnapshotFrom = 1 << 15;
const mostBytes = 256 << 20;

/** Beside the attempt's file. */
export function taskSnapshotFile(folder: string, attempt: Attempt): string {
  return `${attemptFile(folder, attempt).slice(0, -'.jsonl'.length)}.fold.json`;
}

/** Null where there is none of the last attempt, or where a file is no longer what it was made of. */
export function readTaskSnapshot(folder: string, attempts: readonly Attempt[], start: RunState): Snapshot | null {
  const last = attempts.at(-1)!;
  const file = attemptFile(folder, last);
  if ((sizeOfRegular(file) ?? 0) < taskSnapshotFrom) return null;
  let snapshot: Snapshot | null;
  try {
    snapshot = readSnapshot(readText(taskSnapshotFile(folder, last), mostBytes));
    if (snapshot === null || tailOf(file, snapshot.bytes) !== snapshot.tail) return null;
  } catch {
    return null;
  }
  const [view] = snapshot.state.tasks;
  const sizes = attempts.slice(0, -1).map(attempt => sizeOfRegular(attemptFile(folder, attempt)));
  const isOf = view?.task === last.task && view.attempt === last.attempt && view.trials.join() === trialsOf(start);
  // An attempt that lost its task may have said a last word since.
  return isOf && sizes.join() === (snapshot.before ?? []).join() ? snapshot : null;
}

const trialsOf = ({tasks}: RunState): string | undefined => tasks[0]?.trials.join();
