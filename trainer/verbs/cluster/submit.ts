/** `submit`: the tasks of a sweep, handed to a scheduler. */
import {type Command, InvalidArgumentError, Option} from 'commander';
import {type Submission, submissionInWords} from '../../../core/run/tasks/submission.ts';
import type {Outcome, Target} from '../../submit/submit.ts';
import {collect, positiveInteger} from '../shared/arguments.ts';
import {type JobFlags, jobOptionsOf, withJobOptions} from '../shared/job-options.ts';
import {print, remark, stopReading} from '../shared/terminal.ts';

interface SubmitFlags extends JobFlags {
  to: Target;
  profile?: string;
  out?: string;
  only: string[];
  perTask: number | 'auto';
  relay: boolean;
  prepare: boolean;
  dryRun?: true;
  json?: true;
}

export function submitVerb(program: Command): void {
  const command = program
    .command('submit')
    .description(
      'hand the tasks of a sweep to Slurm, or write what another scheduler needs; of a submitted run, what is left',
    )
    .argument('<file|dir>', 'sweep file (*.sweep.yaml), or the folder of a submitted run')
    .addOption(
      new Option('--to <scheduler>', 'who starts the tasks')
        .choices(['slurm', 'kubernetes', 'script'])
        .default('slurm'),
    )
    .option(
      '--profile <name>',
      'options from profiles.yaml in your configuration folder (default: its profile "default")',
    )
    .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
    .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
    .option(
      '--per-task <n>',
      'trials of a task, at most (default: auto, all rates and seeds of a method)',
      perTask,
      'auto',
    );
  withJobOptions(command)
    .option('--no-relay', 'file no job that looks after what is left when the tasks have ended')
    .option('--no-prepare', 'file no job that reads rows and factorises weights before the tasks')
    .option('--dry-run', 'show the scripts and the tasks, and touch nothing')
    .option('--json', 'what was filed, or would be, as JSON')
    .action(async (target: string, flags: SubmitFlags) => {
      const {submit} = await import('../../submit/submit.ts');
      const outcome = await submit(target, {
        ...{to: flags.to, only: flags.only, perTask: flags.perTask, dryRun: flags.dryRun === true},
        ...(flags.out !== undefined && {out: flags.out}),
        ...(flags.profile !== undefined && {profile: flags.profile}),
        given: jobOptionsOf(flags),
        retryFailed: flags.retryFailed,
        relay: flags.relay,
        prepare: flags.prepare,
        signal: stopReading(),
        note: remark,
      });
      const shown = asJson(outcome);
      await print(flags.json ? [JSON.stringify(shown)] : submissionInWords(shown), flags.json ? 'json' : 'text');
    });
}

function perTask(text: string): number | 'auto' {
  if (text === 'auto') return text;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError('Write a whole number from 1, or auto.');
  }
}

function asJson({folder, round, tasks, scripts, jobs, said, dryRun}: Outcome): Submission {
  return {
    ...{folder, round, tasks: tasks.map(({task, cell, trials}) => ({task, cell, trials})), jobs},
    scripts: scripts.map(({name, text}) => (dryRun ? {name, text} : {name})),
    said,
  };
}
