/** What `profiles --json` and `submit --json` print. */
import {count} from '../format.ts';
import type {Task} from './tasks.ts';

/** Options of a user's cluster under a name. */
export interface Profile {
  name: string;
  /** As words of a command line, e.g. `--partition=gpu`. */
  options: string[];
}

/** The user's own, and the file that they stand in. */
export interface Profiles {
  file: string;
  profiles: Profile[];
}

/** What was handed over, or with `--dry-run` would be. */
export interface Submission {
  /** Of the run. */
  folder: string;
  /** 0 where nothing was. */
  round: number;
  tasks: Task[];
  jobs: {job: string; kind: 'prepare' | 'tasks' | 'relay'; tasks: string[]}[];
  /** Their texts with `--dry-run` only. */
  scripts: {name: string; text?: string}[];
  /** What was done, in sentences. */
  said: string[];
}

/** The scripts where their texts are there, the tasks that are in them, what was done and what to type next. */
export function* submissionInWords({folder, tasks, scripts, jobs, said}: Submission): Generator<string> {
  for (const {name, text} of scripts) {
    if (text === undefined) continue;
    yield `# ${folder}/${name}`;
    yield text;
  }
  if (scripts.some(({text}) => text !== undefined))
    for (const {task, cell, trials} of tasks) yield `${task}  ${cell}  ${count(trials.length, 'trial')}`;
  yield* said;
  for (const {job, kind, tasks: own} of jobs)
    yield `  ${kind.padEnd(8)} job ${job}${own.length > 0 ? `: ${own.length === 1 ? own[0] : `${own[0]} … ${own.at(-1)}`}` : ''}`;
}
