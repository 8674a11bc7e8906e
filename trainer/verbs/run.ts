/** `run`: the trials of a sweep file, trained and evaluated. */
import type {Command} from 'commander';
import {SweepError} from '../../core/error.ts';
import {collect, collectSeeds} from './shared/arguments.ts';
import {type RunOptions, train} from './shared/train.ts';

interface RunWords extends RunOptions {
  detach?: true;
  shard?: string;
  task?: string;
}

export function runVerb(program: Command): void {
  program
    .command('run')
    .description('train and evaluate the trials of a sweep file')
    .argument('<file>', 'sweep file (*.sweep.yaml); with --task the folder of a run')
    .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
    .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
    .option('--resume', 'go on with a run: finished trials are not trained again')
    .option(
      '--more-seeds <[method=]n>',
      'with --resume, when all is done: n more seeds at the best rate of each method without a word, or of this one; may be repeated',
      collectSeeds,
      [],
    )
    .option('--json', 'print each event as it is stored; with --detach the folder and the process')
    .option('--detach', 'leave it running when this terminal is closed; attach, status and cancel talk to it')
    .option('--shard <i/n>', 'part I of N, on any machine that sees the run folder; auto: as the scheduler numbers it')
    .option('--task <id>', 'one task of a run that is planned (t0007); auto: as the scheduler numbers it')
    .action(work);
}

async function work(file: string, {detach: isDetached, ...options}: RunWords): Promise<void> {
  const {shard, task, out} = options;
  if (shard === undefined && task === undefined) {
    if (isDetached) return (await import('./shared/detach.ts')).detach(file, options);
    await train(file, options, {verb: 'run'});
    return;
  }
  const adds = (options.moreSeeds ?? []).length > 0;
  refuseTogether({shard, task, isDetached, adds, out: task === undefined ? undefined : out});
  const {trainPart} = await import('./shared/part.ts');
  await trainPart(file, options);
}

/** A part is started by a scheduler or by hand; its folder is the run's. @throws SweepError `usage` */
function refuseTogether({shard, task, isDetached, adds, out}: Record<string, string | boolean | undefined>): void {
  const refused =
    shard !== undefined && task !== undefined
      ? '--shard and --task: a start works on one or the other; leave one of them out.'
      : isDetached
        ? '--detach: a part of a run is put into the background by whoever starts it; leave --detach out.'
        : adds
          ? '--more-seeds: it adds to a run that one process trained; of parts, raise verdict.seeds before they are planned.'
          : out !== undefined
            ? '--out: with --task the folder stands in the place of the file; leave --out out.'
            : undefined;
  if (refused !== undefined) throw new SweepError('usage', refused);
}
