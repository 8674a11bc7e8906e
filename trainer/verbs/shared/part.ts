/** What `run --shard` and `run --task` do: some tasks of a run, beside other processes on any machine. */
import {resolve} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import {printable, printableJson} from '../../../core/printable.ts';
import type {RunEvent} from '../../../core/run/events.ts';
import {formatLine} from '../../../core/run/line.ts';
import type {SeedWish} from '../../../core/search/comparing/more-seeds.ts';
import {goesOnBy} from '../../process/go-on.ts';
import type {Wanted} from '../../run/tasks/choose-tasks.ts';
import type {PartSource} from '../../run/tasks/part.ts';
import {shellWords} from '../../submit/words.ts';
import {faultOfOutput, print, remark, stopWork} from './terminal.ts';

export interface PartWords {
  shard?: string;
  task?: string;
  out?: string;
  only: string[];
  moreSeeds?: SeedWish[];
  json?: true;
}

/** As sysexits.h calls a failure that is worth another attempt (EX_TEMPFAIL). */
const startAgain = 75;

/** @param target the sweep file, or with `--task` the run folder */
export async function trainPart(target: string, words: PartWords): Promise<void> {
  const {only, moreSeeds = [], json} = words;
  // Before anything is loaded: a scheduler may take its time away at any moment.
  const signal = stopWork({onlyCtrlCIsImpatient: true});
  const [{runPart}, {readFolder}, {reportProgress}, {textSummary}] = await Promise.all([
    import('../../run/tasks/part.ts'),
    import('../../store/tasks/read-folder.ts'),
    import('../../run/progress.ts'),
    import('../../results/summary.ts'),
  ]);
  const again = commandOf(target, words);
  goesOnBy(again);
  const {wanted, source} = await askedFor(target, words);
  const terminal = process.stderr.isTTY && !json ? process.stderr : null;
  const report = reportProgress(null, terminal, line => process.stdout.write(`${printable(line)}\n`));
  const told = (event: RunEvent): void => (json ? undefined : report.event(event));
  const onStored = (event: RunEvent): void => void (json && process.stdout.write(printableJson(formatLine(event))));
  let end: Awaited<ReturnType<typeof runPart>>;
  try {
    const hearing = {onEvent: told, onPreparing: told, onStored, onRemark: remark};
    end = await runPart(source, {wanted, only, moreSeeds, signal, ...hearing});
  } finally {
    report.stop();
  }
  const fault = faultOfOutput();
  // Words that more was asked for rest on the whole run, not on what this start heard of it.
  const state = moreSeeds.length > 0 ? (await readFolder(source.folder)).state : report.state;
  if (!json && state.trials.length > 0 && fault === undefined) await print(['', ...textSummary(state)]);
  process.exitCode = {finished: 0, failed: 1, stopped: startAgain}[end];
  if (fault !== undefined) throw new SweepError('cannot-write', fault);
  if (end === 'stopped') remark(`This part was stopped; what is trained is kept, and \`${again}\` goes on.`);
}

/** As it was typed, from any folder. */
function commandOf(target: string, {shard, task, out, only}: PartWords): string {
  const which = task === undefined ? ['--shard', shard!] : ['--task', task];
  const filters = only.flatMap(filter => ['--only', filter]);
  const folder = out === undefined ? [] : ['--out', resolve(out)];
  return `lora-sweep ${shellWords(['run', resolve(target), ...which, ...folder, ...filters])}`;
}

/** @throws SweepError `usage`, `no-index`, and what keeps the sweep from being run */
async function askedFor(
  target: string,
  {shard, task, out, only}: PartWords,
): Promise<{wanted: Wanted; source: PartSource}> {
  const [{shardWanted, taskWanted}, {sourceOfFile, sourceOfRun}, {refuseErrors}] = await Promise.all([
    import('../../run/tasks/choose-tasks.ts'),
    import('../../run/tasks/part.ts'),
    import('../../inspect/check.ts'),
  ]);
  if (task !== undefined) return {wanted: taskWanted(task), source: sourceOfRun(target)};
  const wanted = shardWanted(shard!);
  await refuseErrors(target, only);
  return {wanted, source: sourceOfFile(target, out)};
}
