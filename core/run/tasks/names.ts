/** Names of the files that tasks of a run write, beside its `events.jsonl`. */

/** Folder of the tasks' events in a run folder. */
export const tasksFolder = 'events';

/** One start of a task. */
export interface Attempt {
  /** `t0007`, or a longer number. */
  task: string;
  /** From 1. */
  attempt: number;
}

/** `t0007.a2.jsonl` */
export function attemptName({task, attempt}: Attempt): string {
  return `${task}.a${attempt}.jsonl`;
}

const shape = /^(t\d{4,})\.a([1-9]\d{0,8})\.jsonl$/;

/** Null for any other file's name. */
export function readAttemptName(name: string): Attempt | null {
  const [, task, attempt] = shape.exec(name) ?? [];
  return task === undefined ? null : {task, attempt: Number(attempt)};
}

/** The attempts among the names of files, those of a task side by side in their order, tasks in that of their names. */
export function attemptsIn(names: Iterable<string>): Attempt[] {
  const found = [...names].flatMap(name => readAttemptName(name) ?? []);
  return found.sort((a, b) => compareTasks(a.task, b.task) || a.attempt - b.attempt);
}

/** `t9999` before `t10000`. */
export function compareTasks(a: string, b: string): number {
  return Number(a.slice(1)) - Number(b.slice(1));
}

/** `s0001.jsonl`: what submitting, relaying and cancelling did. */
export function isSubmissionName(name: string): boolean {
  return /^s\d{4,}\.jsonl$/.test(name);
}
