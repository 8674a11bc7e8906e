/** Options of the commands that hand tasks to a scheduler. */
import {type Command, InvalidArgumentError} from 'commander';
import type {JobOptions} from '../../submit/options.ts';
import {collectWords, positiveInteger} from './arguments.ts';

/** As commander reads them. */
export interface JobFlags extends Omit<JobOptions, 'setup' | 'sbatch'> {
  setup: string[];
  sbatch: string[];
  retryFailed: number;
}

export function withJobOptions(command: Command): Command {
  return command
    .option('--array-limit <n>', 'tasks at a time', positiveInteger)
    .option('--partition <name>', 'Slurm: partition')
    .option('--account <name>', 'Slurm: account')
    .option('--qos <name>', 'Slurm: quality of service')
    .option('--time <d-hh:mm:ss>', 'time of a task; one that needs more is put into the queue again')
    .option('--gpus <n>', 'graphics processors of a task, e.g. 1 or a100:1')
    .option('--cpus <n>', 'processor cores of a task', positiveInteger)
    .option('--mem <size>', 'memory of a task, e.g. 32G')
    .option('--constraint <features>', 'Slurm: features of a node')
    .option('--setup <line...>', 'lines of shell before the trainer, e.g. "module load nodejs"', collectWords, [])
    .option('--sbatch <option...>', 'Slurm: further options, e.g. --exclusive; may be repeated', collectWords, [])
    .option('--retry-failed <n>', 'how often a task that failed by itself is tried again', numberFromZero, 0);
}

export function jobOptionsOf(flags: JobFlags): JobOptions {
  const {partition, account, qos, time, gpus, cpus, mem, constraint, arrayLimit, setup, sbatch} = flags;
  const given = Object.entries({partition, account, qos, time, gpus, cpus, mem, constraint, arrayLimit});
  return {...Object.fromEntries(given.filter(([, value]) => value !== undefined)), setup, sbatch};
}

function numberFromZero(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 0.');
  return Number(text);
}

/**
 * `--sbatch --exclusive --nice=5` means the same as `--sbatch --exclusive --sbatch --nice=5`: what a command does not know itself
 * behind `--sbatch` is for sbatch, too. @param own the command's options, e.g. `--time`
 */
export function repeatSbatch(words: readonly string[], own: ReadonlySet<string>): string[] {
  let amongOptions = false;
  return words.flatMap((word, k) => {
    const isValue = words[k - 1] === '--sbatch';
    const isFurther = amongOptions && !isValue && word.startsWith('--') && !own.has(word.split('=')[0]!);
    amongOptions = word === '--sbatch' || isValue || isFurther;
    return isFurther ? ['--sbatch', word] : [word];
  });
}
