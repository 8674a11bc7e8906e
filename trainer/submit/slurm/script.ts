/**
 * The scripts that Slurm is given: written to be read, kept in the run folder, and filed again by hand with `sbatch` where somebody
 * wants to.
 */

import {type JobOptions, secondsOf} from '../options.ts';
import {sbatchWord, shellWord, shellWords} from '../words.ts';
import type {TaskArray} from './array.ts';

/** What all scripts of a run have in common. */
export interface ScriptOf {
  /** Of the sweep. */
  name: string;
  /** The run folder, absolute. */
  folder: string;
  /** The command's own file, absolute; `node` is the one of the PATH once set-up lines are done. */
  program: string;
  options: JobOptions;
}

/** Seconds before a task's end at which it is told to write its checkpoint. */
const warning = 120;

/** A job that looks after others needs no more than this. */
const small = {cpus: 1, mem: '2G', time: '0-00:30:00'};

/** The script of an array: an element is a task. */
export function arrayScript(of: ScriptOf, {elements, offset, tasks}: TaskArray): string {
  const {options, folder} = of;
  const limit = options.arrayLimit === undefined ? '' : `%${options.arrayLimit}`;
  return joined([
    ...heading(
      of,
      '',
      `${tasks.length === 1 ? 'its element is a task' : `each of its ${tasks.length} elements is a task`} of the run in`,
    ),
    directive('array', `${elements}${limit}`),
    ...shared('logs/%A_%a.log'),
    directive('signal', `B:USR1@${warningOf(options.time)}`),
    ...resources(options),
    '',
    "# Slurm sends USR1 when the task's time is nearly up: the trainer then writes a checkpoint and ends with status 75.",
    '# TERM (scancel, preemption) goes to all processes of the job by itself; this shell only waits for them.',
    'trap \'out_of_time=1 again=1; [ -z "$trainer" ] || kill -TERM "$trainer"\' USR1',
    "trap 'again=1' TERM",
    '',
    ...setUpLines(of),
    '# Element 1 is task t0001 of the run, unless the array was shifted to stay below the index that this Slurm takes.',
    `task=$(printf 't%04d' "$((SLURM_ARRAY_TASK_ID + ${offset}))")`,
    'element="$SLURM_ARRAY_JOB_ID"_"$SLURM_ARRAY_TASK_ID"',
    'echo "$(date): task $task, job $element on $(hostname), start $((SLURM_RESTART_COUNT + 1))"',
    '',
    `node "$program" run --task "$task" ${shellWord(folder)} &`,
    'trainer=$!',
    '[ -z "$out_of_time" ] || kill -TERM "$trainer"',
    'again=1',
    'while [ -n "$again" ]; do again=; wait "$trainer"; status=$?; done',
    '',
    "# Only a task whose time was up is put back into the queue here, as the same element. All else that is left is the relay's.",
    'if [ "$status" = 75 ] && [ -n "$out_of_time" ] && [ ! -e stop ]; then',
    '  scontrol requeue "$element"',
    'fi',
    'exit "$status"',
  ]);
}

/** The script of the job that reads rows and factorises weights into the cache, before the tasks need them. */
export function prepareScript(of: ScriptOf): string {
  return joined([
    ...heading(of, '-prepare', 'reads rows and factorises weights, once for all tasks of the run in'),
    ...shared('logs/%j_prepare.log'),
    ...resources(of.options),
    '',
    ...setUpLines(of),
    `exec node "$program" prepare ${shellWord(of.folder)}`,
  ]);
}

/** The script of the job that looks after what is left; `words`: the options that its own submissions are to have. */
export function relayScript(of: ScriptOf, words: readonly string[]): string {
  const {partition, account, qos, sbatch, time} = of.options;
  const mine = time !== undefined && secondsOf(time) < secondsOf(small.time) ? time : small.time;
  const given = {...(partition && {partition}), ...(account && {account}), ...(qos && {qos})};
  return joined([
    ...heading(of, '-relay', 'merges when nothing is left, and files again what is left, of the run in'),
    ...shared('logs/%j_relay.log'),
    ...resources({...given, cpus: small.cpus, mem: small.mem, time: mine, setup: [], sbatch}),
    '',
    ...setUpLines(of),
    `exec node "$program" relay ${shellWords([...words, of.folder])}`,
  ]);
}

function heading({name, folder}: ScriptOf, suffix: string, does: string): string[] {
  return [
    '#!/bin/bash',
    `# Written by lora-sweep submit: ${does}`,
    `#   ${folder}`,
    directive('job-name', `lora-sweep-${name}${suffix}`),
    directive('chdir', folder),
  ];
}

function shared(log: string): string[] {
  return [directive('output', log), directive('open-mode', 'append'), '#SBATCH --requeue'];
}

function resources({partition, account, qos, time, gpus, cpus, mem, constraint, sbatch}: JobOptions): string[] {
  const options: [string, string | number | undefined][] = [
    ['partition', partition],
    ['account', account],
    ['qos', qos],
    ['time', time],
    ['gres', gpus === undefined ? undefined : `gpu:${gpus}`],
    ['cpus-per-task', cpus],
    ['mem', mem],
    ['constraint', constraint],
  ];
  return [
    ...options.flatMap(([option, value]) => (value === undefined ? [] : directive(option, String(value)))),
    ...sbatch.map(furtherDirective),
  ];
}

/** Set-up lines of the user, and a `node` that is there after them. */
export function setUpLines({options, program}: ScriptOf): string[] {
  return [
    ...(options.setup.length > 0 ? ['# The lines of --setup and of the profile.', ...options.setup, ''] : []),
    `program=${shellWord(program)}`,
    'command -v node >/dev/null || { echo "lora-sweep: no node on the PATH of $(hostname); load it with a --setup line." >&2; exit 127; }',
  ];
}

const directive = (option: string, value: string): string => `#SBATCH --${option}=${sbatchWord(value)}`;

/** `--name` or `--name=value`, as the user gave it. */
function furtherDirective(option: string): string {
  const equals = option.indexOf('=');
  return equals < 0 ? `#SBATCH ${option}` : directive(option.slice(2, equals), option.slice(equals + 1));
}

/** Seconds before the end, at most half of a short time. */
function warningOf(time: string | undefined): number {
  return time === undefined ? warning : Math.min(warning, Math.floor(secondsOf(time) / 2));
}

const joined = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
