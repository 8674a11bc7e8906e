/** A run as lists of runs have it: plain data, and what `runs --json` prints. */
import type {RunState} from '../fold.ts';
import type {About} from './about.ts';

export interface RunRow extends About {
  /** Absolute. */
  folder: string;
  /** The folder name of the sweep's present run, which its earlier ones have in common. */
  sweep: string;
  /** A later run was begun from scratch. */
  earlier: boolean;
  /** `unreadable`: why stands in `message`. */
  state: RunState['state'] | 'unreadable';
  message: string | null;
  /** Milliseconds since 1970: of its first start and its last event. */
  startedAt: number | null;
  lastAt: number | null;
  trials: number;
  /** Those of them that have come to an end. */
  done: number;
  /** What it came to, in one line; null where no trial has a result. */
  answer: string | null;
  /** The copy of the sweep file that its last start followed, by its name in the folder. */
  sweepFile: string | null;
}

/** `2026-12-01 02:39`, in the machine's own time. */
export function formatDate(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
}

/** What it is called in lists: as somebody named it, else when it began. */
export function titleOfRun({name, startedAt, folder}: Pick<RunRow, 'name' | 'startedAt' | 'folder'>): string {
  if (name !== '') return name;
  return startedAt === null ? (folder.split(/[\\/]/).at(-1) ?? folder) : formatDate(startedAt);
}

/** Present runs first, then the newest. */
export function inOrder(rows: readonly RunRow[]): RunRow[] {
  return rows.toSorted(
    (a, b) =>
      a.sweep.localeCompare(b.sweep) ||
      Number(a.earlier) - Number(b.earlier) ||
      (b.startedAt ?? 0) - (a.startedAt ?? 0),
  );
}
