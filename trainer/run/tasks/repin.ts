/**
 * A plan settled anew where the tasks will run: the machine that it was made on, a login node say, may have no GPU, less memory,
 * another processor.
 */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {formatLine} from '../../../core/run/line.ts';
import {temporaryOf} from '../../files/temporary.ts';
import {discard, writeWhole} from '../../files/write-whole.ts';
import {readManifest, writeManifest} from '../../store/manifest.ts';
import {eventsName, manifestName} from '../../store/names.ts';
import {readPlan} from '../../store/tasks/plan-file.ts';
import {taskFilesIn} from '../../store/tasks/task-files.ts';
import {type PartSource, planRun} from './part.ts';

/**
 * Settles engine, precision and the rest as this machine would have them, unless a task has begun. A sentence where that changed
 * something. @throws SweepError as `planRun`
 */
export async function repin(source: PartSource, signal: AbortSignal): Promise<string | null> {
  const {folder} = source;
  const plan = await readPlan(folder);
  if (plan === null || taskFilesIn(folder).attempts.size > 0) return null;
  const temporary = temporaryOf(join(folder, 'plan'));
  try {
    mkdirSync(temporary);
    const {plan: here} = await planRun({...source, folder: temporary}, {cut: {}, only: [], signal});
    const {engine, reason, setUp, steps, costs, pinned} = here.event;
    if (isDeepStrictEqual(pinned, plan.event.pinned)) return null;
    const {setUp: _, ...before} = plan.event;
    const event = {...before, engine, reason, ...(setUp && {setUp}), steps, ...(costs && {costs}), pinned};
    const file = join(folder, manifestName);
    const {rerun} = readManifest(file) ?? {};
    const manifest = readManifest(join(temporary, manifestName))!;
    writeManifest(file, {...manifest, ...(rerun && {rerun})});
    writeWhole(join(folder, eventsName), formatLine(event));
    return `The tasks run as this machine has it: ${reason}.`;
  } finally {
    discard(temporary);
  }
}
