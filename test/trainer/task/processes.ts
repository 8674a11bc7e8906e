/** Processes as the system sees them. */
import {execFileSync, spawnSync} from 'node:child_process';

/** Those that a process has started, by their ids, whose command lines hold a text. */
export function childrenOf(parent: number, text = ''): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], {encoding: 'utf8'});
  const rows = table.split('\n').map(line => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line));
  return rows.flatMap(row => (row && Number(row[2]) === parent && row[3]!.includes(text) ? [Number(row[1])] : []));
}

/** One that has ended may still be listed, until somebody asks how it ended: in a container perhaps nobody does. */
export const lives = (id: number): boolean => {
  const {stdout} = spawnSync('ps', ['-o', 'stat=', '-p', `${id}`], {encoding: 'utf8'});
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
};
