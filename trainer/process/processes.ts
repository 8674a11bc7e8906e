/** Processes of this machine as the system tells of them. */
import {readFileSync} from 'node:fs';

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

/** Linux's `/proc/PID/stat` from field 3 on (proc(5)); undefined on other systems. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets, so counting starts behind its last bracket.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
