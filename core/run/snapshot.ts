/**
 * A folded run as text, so that a long one opens without reading its millions of events: a cache beside `events.jsonl`,
 * which stays the truth. It stands for the file's first `bytes` bytes, of which it remembers the end.
 */
import {emptyRun, type RunState} from './fold.ts';

/** In the run folder, from `snapshotFrom` bytes of events on. */
export const snapshotName = 'fold.json';
export const snapshotFrom = 1 << 20;

/** To be raised with every change of what the fold makes of events: older snapshots do not count then. */
const foldVersion = 3;

/** Bytes before the end of the part it stands for that must still be the same. */
export const tailBytes = 256;

export interface Snapshot {
  state: RunState;
  bytes: number;
  /** The last `tailBytes` of that part. */
  tail: string;
}

export function formatSnapshot({state, bytes, tail}: Snapshot): string {
  return JSON.stringify({version: foldVersion, bytes, tail, state});
}

/** Null where the text is not a snapshot of this version. */
export function readSnapshot(text: string): Snapshot | null {
  let stored: {version?: unknown; bytes?: unknown; tail?: unknown; state?: Partial<RunState>} | null;
  try {
    stored = JSON.parse(text);
  } catch {
    return null;
  }
  if (stored?.version !== foldVersion || typeof stored.bytes !== 'number' || typeof stored.tail !== 'string')
    return null;
  const places: RunState['places'] = Object.create(null);
  Object.assign(places, stored.state?.places);
  return {state: {...emptyRun, ...stored.state, places}, bytes: stored.bytes, tail: stored.tail};
}
