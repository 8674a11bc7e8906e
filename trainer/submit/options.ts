/** What `submit` may be told of the jobs, on its command line or by a profile. */
import {SweepError} from '../../core/error.ts';
import {refuseUnfit} from './words.ts';

/** What the scheduler is to give each task, and how tasks are handed over. Absent: the cluster's own defaults. */
export interface JobOptions {
  partition?: string;
  account?: string;
  qos?: string;
  /** As Slurm writes durations, e.g. `1-00:00:00`. */
  time?: string;
  /** Graphics processors of a task, `1` or `a100:1`. */
  gpus?: string;
  /** Processor cores of a task. */
  cpus?: number;
  /** Memory of a task, e.g. `32G`. */
  mem?: string;
  constraint?: string;
  /** Tasks at a time. */
  arrayLimit?: number;
  /** Lines of shell that stand before the trainer, e.g. `module load nodejs`. */
  setup: readonly string[];
  /** Further options of sbatch, e.g. `--exclusive`. */
  sbatch: readonly string[];
}

/** The options that are one value, with their names on the command line. */
export const optionNames = {
  partition: 'partition',
  account: 'account',
  qos: 'qos',
  time: 'time',
  gpus: 'gpus',
  cpus: 'cpus',
  mem: 'mem',
  constraint: 'constraint',
  arrayLimit: 'array-limit',
} as const satisfies Partial<Record<keyof JobOptions, string>>;

export type OptionKey = keyof typeof optionNames;
export const optionKeys = Object.keys(optionNames) as OptionKey[];

/** Kubernetes' and Slurm's larger sites stay below. */
const mostAtOnce = 1_000_000;

/** Options of sbatch that the script needs for itself, and what to write instead. */
const own: Readonly<Record<string, string>> = {
  array: '--array-limit says how many tasks run at a time',
  chdir: 'jobs run in the run folder',
  dependency: 'the relay depends on the tasks',
  error: 'logs are written to logs/ in the run folder',
  output: 'logs are written to logs/ in the run folder',
  input: 'tasks read nothing',
  'open-mode': 'logs are appended to',
  'no-requeue': 'tasks that were stopped are started again',
  'kill-on-invalid-dep': 'the relay depends on the tasks',
  parsable: 'submit reads what sbatch answers',
  quiet: 'submit reads what sbatch answers',
  signal: 'it is what tells a task to write its checkpoint',
  'test-only': '--dry-run shows what would be filed',
  wait: 'submit returns at once',
  wrap: 'the script is written by submit',
};

/** @throws SweepError `usage` for the first value that no job could have */
export function checkOptions(options: JobOptions): JobOptions {
  for (const key of optionKeys) {
    const value = options[key];
    if (value === undefined) continue;
    const name = `--${optionNames[key]}`;
    if (String(value).trim() === '')
      throw new SweepError('usage', `${name} is empty; give it a value, or leave it out.`);
    refuseUnfit(String(value), name);
  }
  const {time, gpus, mem, cpus, arrayLimit} = options;
  if (time !== undefined) secondsOf(time);
  if (gpus !== undefined && !/^([\w.-]+:)?\d{1,4}$/.test(gpus))
    throw new SweepError('usage', `--gpus ${gpus}: write how many, e.g. 1, or which and how many, e.g. a100:1.`);
  if (mem !== undefined && !/^\d{1,9}[KMGT]?B?$/i.test(mem))
    throw new SweepError('usage', `--mem ${mem}: write a size, e.g. 32G.`);
  for (const [name, number] of [
    ['--cpus', cpus],
    ['--array-limit', arrayLimit],
  ] as const)
    if (number !== undefined && !(Number.isInteger(number) && number >= 1 && number <= mostAtOnce))
      throw new SweepError('usage', `${name} ${number}: write a whole number from 1.`);
  for (const line of options.setup) checkSetup(line);
  for (const option of options.sbatch) checkSbatch(option);
  return options;
}

/** Set-up lines are the user's own shell; only a second line inside of one is no line. */
function checkSetup(line: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\n\u000b-\u001f\u007f]/.test(line))
    throw new SweepError('usage', `--setup ${JSON.stringify(line)} holds a line break; give each line on its own.`);
}

function checkSbatch(option: string): void {
  const [, name] = /^--([a-z][a-z0-9-]*)(=.*)?$/s.exec(option) ?? [];
  refuseUnfit(option, '--sbatch');
  if (name === undefined)
    throw new SweepError(
      'usage',
      `--sbatch ${option}: write one long option of sbatch, e.g. --sbatch --exclusive or --sbatch --nice=100.`,
    );
  const why = own[name];
  if (why !== undefined) throw new SweepError('usage', `--sbatch ${option} cannot be given: ${why}.`);
}

/**
 * Seconds of a duration as Slurm writes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes,
 * days-hours:minutes:seconds (sbatch(1), --time).
 * @throws SweepError `usage`
 */
export function secondsOf(time: string): number {
  const [, days, first, second, third] = /^(?:(\d{1,5})-)?(\d{1,9})(?::(\d{1,4}))?(?::(\d{1,4}))?$/.exec(time) ?? [];
  if (first === undefined)
    throw new SweepError('usage', `--time ${time}: write days-hours:minutes:seconds, e.g. 0-12:00:00.`);
  const [a, b, c] = [first, second ?? '0', third ?? '0'].map(Number) as [number, number, number];
  const seconds =
    days !== undefined
      ? Number(days) * 86_400 + a * 3600 + b * 60 + c
      : third !== undefined
        ? a * 3600 + b * 60 + c
        : a * 60 + b;
  if (seconds === 0)
    throw new SweepError('usage', `--time ${time}: a task needs time; leave it out for the partition's own limit.`);
  return seconds;
}

/** The options as words of a command line, from which `submit` reads the same again. */
export function optionWords(options: JobOptions): string[] {
  const lines = (name: string, words: readonly string[]) => words.map(word => `--${name}=${word}`);
  return [...valueWords(options), ...lines('setup', options.setup), ...lines('sbatch', options.sbatch)];
}

/** Of them those that are one value: neither shell nor options that could mean anything. */
export function valueWords(options: JobOptions): string[] {
  return optionKeys.flatMap(key => {
    const value = options[key];
    return value === undefined ? [] : [`--${optionNames[key]}=${value}`];
  });
}

/** The options that `valueWords` wrote; what it did not write is passed over. */
export function readValueWords(words: readonly string[]): JobOptions {
  const options: JobOptions = {setup: [], sbatch: []};
  for (const word of words) {
    const [, name, value] = /^--([a-z-]+)=(.*)$/s.exec(word) ?? [];
    const key = optionKeys.find(one => optionNames[one] === name);
    if (key === undefined || value === undefined) continue;
    Object.assign(options, {[key]: key === 'cpus' || key === 'arrayLimit' ? Number(value) : value});
  }
  return options;
}
