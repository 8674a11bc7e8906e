/** How much this process has taken of the memory that it may take, addresses (`ulimit -v`, RLIMIT_AS) included. */
import {readFileSync} from 'node:fs';
import {allocatedMemory} from './allocation.ts';

/** Bytes of addresses that the process may still map; Infinity where they are not limited. */
export function freeAddresses(): number {
  const most = addressLimit();
  return most === Infinity ? Infinity : Math.max(0, most - statusOf('VmSize'));
}

/** How much of what the process may take it has taken, from 0 to 1: pages that nothing but itself can give back, or addresses. */
export function memoryTaken(): number {
  const own = statusOf('RssAnon') + statusOf('RssShmem');
  return Math.max(own / allocatedMemory(), statusOf('VmSize') / addressLimit());
}

/** As Linux tells it; elsewhere no such limit is known. */
function addressLimit(): number {
  const [, soft] = /^Max address space\s+(\d+)/m.exec(readProc('limits')) ?? [];
  return soft === undefined ? Infinity : Number(soft);
}

/** Bytes; 0 where the system does not tell. */
function statusOf(name: string): number {
  const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readProc('status')) ?? [];
  return 1024 * Number(kilobytes ?? 0);
}

function readProc(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'utf8');
  } catch {
    return '';
  }
}
