/** A task that nothing comes of is ended by an attempt of its own, which whoever still works on it finds to be the later one. */
import {writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import type {RunEventBody} from '../../core/run/events.ts';
import type {RunState} from '../../core/run/fold.ts';
import {formatLine} from '../../core/run/line.ts';
import {storeError} from '../files/write-whole.ts';
import {attemptFile, claim} from '../store/tasks/task-files.ts';

/** Stores that a task failed, and why. @throws SweepError `cannot-write`, `disk-full`, `folder-gone` */
export function giveUp(folder: string, {engine, pinned}: RunState, task: string, message: string): void {
  const mine = claim(folder, task);
  const events: RunEventBody[] = [
    {event: 'task-started', ...mine, host: hostname(), engine: pinned?.engine ?? engine, workers: 0, selected: []},
    {event: 'task-ended', ...mine, state: 'failed', seconds: 0, message},
  ];
  const file = attemptFile(folder, mine);
  try {
    writeFileSync(file, events.map(event => formatLine({...event, at: Date.now()})).join(''), {flag: 'a', flush: true});
  } catch (error) {
    throw storeError(error, file);
  }
}
