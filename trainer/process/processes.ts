/** Processes of this machine as the system tells of them. */
import {randomUUID} from 'node:crypto';
import {readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {cpuUsage} from 'node:process';

/** Whether there is such a process that can still do something: one that has ended and was not collected yet cannot. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const state = fieldsOf(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

/** Clock ticks from the start of the machine to that of a process (Linux); null where that is not known. */
export function processStart(pid: number): string | null {
  return fieldsOf(pid)?.[19] ?? null;
}

/**
 * The running system and its space of process numbers (Linux): containers share the former, not the latter. Elsewhere a number that
 * was drawn for the machine. Null where there is neither.
 */
export function systemMark(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return process.platform === 'linux' ? null : drawnMark(tmpdir());
  }
}

/** Kept in a folder that no other machine has. */
export function drawnMark(folder: string): string | null {
  const file = join(folder, 'lora-sweep-machine');
  try {
    writeFileSync(file, randomUUID(), {flag: 'wx'});
  } catch {
    // It is there, or cannot be: what can be read tells.
  }
  try {
    const mark = readFileSync(file, 'utf8');
    return /^[\da-f-]{36}$/.test(mark) ? mark : null;
  } catch {
    return null;
  }
}

/** Where the system does not tell when a process started. */
const noStart = '0';

/** This process among all of all machines; null where the system has no such words. */
export function ownMark(): string | null {
  const system = systemMark();
  return system === null ? null : `${system} ${process.pid} ${processStart(process.pid) ?? noStart}`;
}

/** Whether the process of a mark can still do something; null where it cannot be seen from here. */
export function isMarkAlive(mark: string): boolean | null {
  const [, system, pid, start] = /^(.*) (\d+) (\d+)$/.exec(mark) ?? [];
  if (system === undefined || system !== systemMark()) return null;
  return isAlive(Number(pid)) && (processStart(Number(pid)) ?? noStart) === start;
}

/** Linux counts so many of its clock ticks a second on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** What a process took of the processors so far. */
export interface ProcessorTime {
  milliseconds: number;
  /** Whether it could go on: it runs, or waits for a processor. */
  runnable: boolean;
}

/** How long a process was at work (Linux); undefined where the system does not tell, and for one that is gone. */
export function processorTime(pid: number | undefined): ProcessorTime | undefined {
  const fields = pid === undefined ? undefined : fieldsOf(pid);
  if (fields === undefined) return undefined;
  return {milliseconds: (1000 / ticksPerSecond) * ticksOf(fields), runnable: fields[0] === 'R'};
}

/** Seconds of processor time of this thread so far; of its whole process where neither Node nor the system tells. */
export function threadSeconds(): number {
  const fields = 'threadCpuUsage' in process ? undefined : fieldsOf('thread-self');
  if (fields !== undefined) return ticksOf(fields) / ticksPerSecond;
  const {user, system} = 'threadCpuUsage' in process ? process.threadCpuUsage() : cpuUsage();
  return (user + system) / 1e6;
}

/** User and system time are fields 14 and 15. */
const ticksOf = (fields: string[]): number => Number(fields[11]) + Number(fields[12]);

/** Linux's `/proc/PID/stat` from field 3 on (proc(5)); undefined on other systems. */
function fieldsOf(pid: number | 'thread-self'): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets, so counting starts behind its last bracket.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
