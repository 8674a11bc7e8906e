/** Addresses that do not leave this machine: nobody else hears what is said to them without encryption. */
import {isIP} from 'node:net';

/** @param host of a URL */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}
