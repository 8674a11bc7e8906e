/** What a run came to, without its events where a snapshot stands for all of them. */
import {join} from 'node:path';
import type {RunState} from '../../../core/run/fold.ts';
import {readSnapshot, snapshotFrom, snapshotName} from '../../../core/run/snapshot.ts';
import {readText, sizeOfRegular} from '../../files/door.ts';
import {tailOf} from '../fold/tail.ts';
import {eventsName} from '../names.ts';
import {isLive, readRun} from '../run.ts';

const mostSnapshotBytes = 512 << 20;

/** @throws SweepError `no-run` */
export async function storedState(folder: string): Promise<{state: RunState; live: boolean}> {
  const whole = isLive(folder) ? null : wholeSnapshot(folder);
  return whole ? {state: whole, live: false} : readRun(folder, undefined, true);
}

/** Null where it does not stand for every event, or not for the end of a run. */
function wholeSnapshot(folder: string): RunState | null {
  const events = join(folder, eventsName);
  const bytes = sizeOfRegular(events) ?? 0;
  if (bytes < snapshotFrom) return null;
  try {
    const snapshot = readSnapshot(readText(join(folder, snapshotName), mostSnapshotBytes));
    const isOfAll = snapshot?.bytes === bytes && snapshot.tail === tailOf(events, bytes);
    return isOfAll && snapshot.state.tasks.length === 0 && snapshot.state.state !== 'running' ? snapshot.state : null;
  } catch {
    return null;
  }
}
