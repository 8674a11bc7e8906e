/** What submitting, relaying and cancelling did, as events in the run folder: one file a process, written by it alone. */
import {closeSync, fsyncSync, openSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEventBody} from '../../core/run/events.ts';
import {formatLine} from '../../core/run/line.ts';
import {tasksFolder} from '../../core/run/tasks/names.ts';
import {discard, insideRun, storeError, syncFolder, systemCode} from '../files/write-whole.ts';
import {taskFilesIn} from '../store/tasks/task-files.ts';

export interface Record {
  /** Stores events, to the disk. @throws SweepError `disk-full`, `cannot-write` */
  add(events: readonly RunEventBody[]): void;
  /** Takes the file away where nothing came of it. */
  drop(): void;
  close(): void;
}

/**
 * Claims the next `events/s0001.jsonl`, which succeeds for one process only, on network drives too.
 * @throws SweepError `cannot-write`, `disk-full`, `folder-gone`
 */
export function openRecord(folder: string): Record {
  const home = insideRun(folder, tasksFolder);
  const last = taskFilesIn(folder).submissions.at(-1);
  for (let number = last === undefined ? 1 : Number(/\d+/.exec(last)![0]) + 1; ; number++) {
    const file = join(home, `s${String(number).padStart(4, '0')}.jsonl`);
    try {
      const handle = openSync(file, 'wx');
      syncFolder(home);
      return recordIn(file, handle);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw storeError(error, file);
    }
  }
}

function recordIn(file: string, handle: number): Record {
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(handle);
    isOpen = false;
  };
  return {
    add(events) {
      try {
        writeSync(handle, events.map(event => formatLine({...event, at: Date.now()})).join(''));
        fsyncSync(handle);
      } catch (error) {
        throw storeError(error, file);
      }
    },
    drop() {
      close();
      discard(file);
    },
    close,
  };
}
