/** The processes in which the workbench's server runs extensions, as Linux tells them. */
import {readdirSync, readFileSync} from 'node:fs';

/** Ends every extension host that descends from this process, without a word. @throws Error where there is none */
export function killExtensionHosts(): void {
  const parents = new Map<number, number>();
  const hosts: number[] = [];
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    try {
      // `pid (name) state parent …`; the name may have spaces and brackets.
      const [, parent] = /^.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      parents.set(pid, Number(parent));
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=extensionHost')) hosts.push(pid);
    } catch {
      // It ended while it was looked at.
    }
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === process.pid || isOurs(parents.get(pid)));
  const own = hosts.filter(isOurs);
  if (own.length === 0) throw new Error('No extension host is running.');
  for (const pid of own) process.kill(pid, 'SIGKILL');
}
