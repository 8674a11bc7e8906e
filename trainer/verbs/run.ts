/** `run`: the trials of a sweep file, trained and evaluated. */
import type {Command} from 'commander';
import {SweepError} from '../../core/error.ts';
import {askedOf} from '../../core/sweep/only.ts';
import {collect, collectSeeds} from './shared/arguments.ts';
import {type RunOptions, train} from './shared/train.ts';

interface RunWords extends RunOptions {
  detach?: true;
  shard?: string;
  task?: string;
  gpus?: string;
}

export function runVerb(program: Command): void {
  program
    .command('run')
    .description('train and evaluate the trials of a sweep file')
    .argument('<file>', 'sweep file (*.sweep.yaml); with --task the folder of a run')
    .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
    .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
    .option('--resume', 'go on with a run: finished trials are not trained again')
    .option('--fresh', 'begin anew: a run that is there is kept beside it under its date, and every trial is trained')
    .option(
      '--rerun',
      'train the trials of --only again from their start, also finished ones; what they gave before stays in events.jsonl',
    )
    .option(
      '--more-seeds <[method=]n>',
      'with --resume, when all is done: n more seeds at the best rate of each method without a word, or of this one; may be repeated',
      collectSeeds,
      [],
    )
    .option(
      '--no-reuse',
      'train trials also that a run beside this one has finished under the same settings, model and data',
    )
    .option('--json', 'print each event as it is stored; with --detach the folder and the process')
    .option('--detach', 'leave it running when this terminal is closed; attach, status and cancel talk to it')
    .option('--shard <i/n>', 'part I of N, on any machine that sees the run folder; auto: as the scheduler numbers it')
    .option('--task <id>', 'one task of a run that is planned (t0007); auto: as the scheduler numbers it')
    .option(
      '--gpus <n|all>',
      'over so many GPUs of this machine, a process each, followed as one run (engine tfjs-node-gpu)',
    )
    .action(work);
}

/** The part that has all tasks of a run. */
const wholePart = '1/1';

async function isOfTasks(file: string, {out, resume, only}: RunWords): Promise<boolean> {
  if (!resume || only.length > 0) return false;
  const [{sourceOfFile}, {isPlanned}] = await Promise.all([
    import('../run/tasks/part.ts'),
    import('../store/tasks/plan-file.ts'),
  ]);
  return isPlanned(sourceOfFile(file, out).folder);
}

async function work(file: string, {detach: isDetached, ...options}: RunWords): Promise<void> {
  const {shard, task, out} = options;
  refuseBeginning(options);
  if (options.gpus !== undefined) return onGpus(file, {...options, gpus: options.gpus, isDetached});
  const adds = (options.moreSeeds ?? []).length > 0;
  if (shard === undefined && task === undefined) {
    // All tasks of a planned run have ended by then, and its words are those of all of them: one part adds to it.
    if (adds && !isDetached && (await isOfTasks(file, options))) return work(file, {...options, shard: wholePart});
    if (isDetached) return (await import('./shared/detach.ts')).detach(file, options);
    await train(file, options, {verb: 'run'});
    return;
  }
  const isSome = adds && shard !== wholePart;
  refuseTogether({shard, task, isDetached, isSome, out: task === undefined ? undefined : out});
  const {trainPart} = await import('./shared/part.ts');
  await trainPart(file, options);
}

/** @throws SweepError `usage` */
async function onGpus(
  file: string,
  {isDetached, ...words}: RunWords & {gpus: string; isDetached: true | undefined},
): Promise<void> {
  const {shard, task, rerun, resume, fresh, json, moreSeeds = []} = words;
  const others = {
    '--shard': shard,
    '--task': task,
    '--rerun': rerun,
    '--more-seeds': moreSeeds[0],
    '--resume': resume,
    '--fresh': fresh,
    '--json': json,
    '--detach': isDetached,
  };
  const given = Object.entries(others).find(([, value]) => value !== undefined);
  if (given)
    throw new SweepError(
      'usage',
      `--gpus and ${given[0]}: a run over several GPUs goes on by itself and is followed by attach; leave ${given[0]} out.`,
    );
  return (await import('./shared/on-gpus.ts')).trainOnGpus(file, words);
}

/** @throws SweepError `usage` */
function refuseBeginning({rerun, fresh, resume, moreSeeds = [], only, shard, task}: RunWords): void {
  const others = {'--resume': resume, '--rerun': rerun, '--more-seeds': moreSeeds[0], '--shard': shard, '--task': task};
  const [other] = fresh ? (Object.entries(others).find(([, value]) => value !== undefined) ?? []) : [];
  const state = fresh && askedOf('state', only).length > 0;
  const refused = other
    ? `--fresh and ${other}: the one begins anew, the other goes on with what is there; leave one of them out.`
    : state
      ? '--fresh and --only state=…: a new run has no trial in a state; leave one of them out.'
      : rerun && (shard !== undefined || task !== undefined)
        ? '--rerun: a part of a run does what the run has left; leave --rerun out.'
        : rerun && only.length === 0
          ? '--rerun needs --only, which says what is trained again, e.g. --only state=diverged; to train everything again, write --fresh instead.'
          : undefined;
  if (refused !== undefined) throw new SweepError('usage', refused);
}

/** A part is started by a scheduler or by hand; its folder is the run's. @throws SweepError `usage` */
function refuseTogether({shard, task, isDetached, isSome, out}: Record<string, string | boolean | undefined>): void {
  const refused =
    shard !== undefined && task !== undefined
      ? '--shard and --task: a start works on one or the other; leave one of them out.'
      : isDetached
        ? '--detach: a part of a run is put into the background by whoever starts it; leave --detach out.'
        : isSome
          ? '--more-seeds: it goes by the words on all tasks, once they have ended; ask for it with --shard 1/1.'
          : out !== undefined
            ? '--out: with --task the folder stands in the place of the file; leave --out out.'
            : undefined;
  if (refused !== undefined) throw new SweepError('usage', refused);
}
