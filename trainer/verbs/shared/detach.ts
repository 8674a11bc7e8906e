/** `run --detach`: a run that outlives the terminal it was started from. */
import {type ChildProcess, spawn} from 'node:child_process';
import {statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {writeSeedWish} from '../../../core/search/comparing/more-seeds.ts';
import {refuseErrors} from '../../inspect/check.ts';
import {statusInWords, statusOf} from '../../results/status.ts';
import {sweepOf} from '../../run/sweep-file.ts';
import {eventsName} from '../../store/names.ts';
import {runFolderOf} from '../../store/run.ts';
import {print, remark, stopReading} from './terminal.ts';
import type {RunOptions} from './train.ts';

const lookMilliseconds = 100;

/**
 * Starts the run as a process of its own session and returns once it has begun; what keeps it from beginning is said here.
 * @throws SweepError as `run`
 */
export async function detach(
  file: string,
  {out, only, resume, rerun, fresh, moreSeeds = [], json}: RunOptions,
): Promise<void> {
  await refuseErrors(file, only);
  const folder = resolve(runFolderOf(file, sweepOf(file).name, out));
  const before = markOf(join(folder, eventsName));
  const filters = only.flatMap(filter => ['--only', filter]);
  const more = moreSeeds.flatMap(wish => ['--more-seeds', writeSeedWish(wish)]);
  const words = [
    'run',
    resolve(file),
    '--out',
    folder,
    ...filters,
    ...(resume ? ['--resume'] : []),
    ...(rerun ? ['--rerun'] : []),
    ...(fresh ? ['--fresh'] : []),
    ...more,
  ];
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...words], {
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  remark('Reading model and data …');
  const ended = await begun(child, () => {
    const now = markOf(join(folder, eventsName));
    return now.bytes > (now.file === before.file ? before.bytes : 0);
  });
  if (ended === 0) return print([statusInWords(await statusOf(folder))]);
  if (ended !== undefined) {
    process.exitCode = ended;
    return;
  }
  await print(
    json
      ? [JSON.stringify({folder, pid: child.pid})]
      : [
          `The run goes on in ${folder} (process ${child.pid}), also when this terminal is closed.`,
          `  lora-sweep attach ${folder}   follows it`,
          `  lora-sweep status ${folder}   says how it stands`,
          `  lora-sweep cancel ${folder}   stops it`,
        ],
    json ? 'json' : 'text',
  );
}

/** Waits until the run has stored its start and lets go of it; its status, and what it had to say, where it ended before. */
async function begun(child: ChildProcess, hasBegun: () => boolean): Promise<number | undefined> {
  const signal = stopReading();
  signal.addEventListener('abort', () => child.kill('SIGTERM'), {once: true});
  let status: number | undefined;
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.once('close', code => {
    status = code ?? 1;
  });
  while (status === undefined && !(hasBegun() && !signal.aborted)) await sleep(lookMilliseconds);
  if (status !== undefined) {
    for (const line of said.trimEnd().split('\n')) if (line !== '') remark(line);
    return status;
  }
  child.stderr!.destroy();
  child.unref();
  return undefined;
}

/** Which file it is, and how long. */
function markOf(path: string): {file: number; bytes: number} {
  const {ino: file, size: bytes} = statSync(path, {throwIfNoEntry: false}) ?? {ino: 0, size: 0};
  return {file, bytes};
}
