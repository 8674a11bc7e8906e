/** What was handed to a scheduler, read alone: without what tasks have come to. */
import {join} from 'node:path';
import type {Submitted} from '../../../core/run/events.ts';
import {tasksFolder} from '../../../core/run/tasks/names.ts';
import {readEvents} from '../events.ts';
import {taskFilesIn} from './task-files.ts';

/** In their order. */
export async function submissionsIn(folder: string): Promise<Submitted[]> {
  const found: Submitted[] = [];
  for (const name of taskFilesIn(folder).submissions)
    await readEvents(join(folder, tasksFolder, name), event => {
      if (event.event === 'submitted') found.push(event);
    });
  return found;
}
