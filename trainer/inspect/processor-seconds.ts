/** How long a process has been at work. */
import {readFileSync} from 'node:fs';

/** Linux counts so many of its ticks a second on every machine that Node runs on. */
const ticks = 100;

/** Processor time of a process in seconds; undefined where the system does not tell. */
export function processorSeconds(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets; user and system time are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticks;
  } catch {
    return undefined;
  }
}
