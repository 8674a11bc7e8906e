/** A run on a cluster, seen from beside: its files and its processes. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {RunEvent} from '../../core/run/events.ts';

/** An attempt that is in the middle of its training. */
export interface Victim {
  task: string;
  job: string;
  host: string;
}

/** Finds tasks to disturb, each of them once. */
export function victims(out: string): {
  training(isHere?: (host: string) => boolean): Promise<Victim>;
  disturbed: ReadonlySet<string>;
} {
  const disturbed = new Set<string>();
  const isTraining = (task: string, attempt: number) => {
    const text = textOf(out, `${task}.a${attempt}.jsonl`);
    return text.includes('"event":"step"') && !text.includes('"event":"task-ended"');
  };
  return {
    disturbed,
    /** One that was not disturbed before, on such a node. @throws Error where the run is over before */
    async training(isHere = () => true) {
      for (;;) {
        const found = eventsOf(out).findLast(
          event =>
            event.event === 'task-started' &&
            !disturbed.has(event.task) &&
            isHere(event.host) &&
            isTraining(event.task, event.attempt),
        );
        if (found?.event === 'task-started') {
          disturbed.add(found.task);
          return {task: found.task, job: found.job!, host: found.host};
        }
        if (existsSync(join(out, 'report.html'))) throw new Error('The run was over before it was disturbed.');
        await sleep(100);
      }
    },
  };
}

export const filesOf = (out: string): string[] => {
  const home = join(out, 'events');
  return existsSync(home) ? readdirSync(home).filter(name => name.endsWith('.jsonl')) : [];
};
const textOf = (out: string, name: string): string => readFileSync(join(out, 'events', name), 'utf8');

/** Of all files beside events.jsonl; a line that is being written is left out. */
export function eventsOf(out: string): RunEvent[] {
  return filesOf(out).flatMap(name =>
    textOf(out, name)
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as RunEvent),
  );
}

/** Processes of the command that work on a run, of which task. */
export function trainersOf(out: string, program: string): {pid: number; words: string[]}[] {
  return readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words[1] === program && words.includes(out) ? [{pid: Number(pid), words}] : [];
    } catch {
      return [];
    }
  });
}

/** Sends a signal to the trainers of a task. */
export function signalTrainers(task: string, signal: NodeJS.Signals, of: {out: string; program: string}): void {
  for (const {pid, words} of trainersOf(of.out, of.program)) if (words.includes(task)) process.kill(pid, signal);
}

/**
 * Holds the trainer of a task still until something has happened to it, so that it is not through before. `until` is asked with its
 * process.
 */
export async function held(
  task: string,
  of: {out: string; program: string},
  until: (pid: number) => boolean,
): Promise<void> {
  const own = trainersOf(of.out, of.program).filter(({words}) => words.includes(task));
  for (const {pid} of own) process.kill(pid, 'SIGSTOP');
  while (!own.every(({pid}) => !existsSync(`/proc/${pid}`) || until(pid))) await sleep(100);
  for (const {pid} of own) if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT');
}

/** Whether TERM waits for a process that is held (proc(5): a mask of signals, the first at bit 0). */
export function hasTerm(pid: number): boolean {
  const mask = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) >> 14n) % 2n === 1n;
}
