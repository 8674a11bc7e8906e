/** Asks the process that tries an engine, which may crash or hang: this one never does. */
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {nativeEnvironment} from '../engine/tensorflow/binding.ts';
import {allocatedCores} from '../process/allocation.ts';
import {endAfter} from '../process/own-time.ts';
import type {Auto, Measured, TriedEngine} from './machine.ts';

/** This file's neighbour, as source or as built. */
const examining = new URL(
  import.meta.url.endsWith('.ts') ? './examine-process.ts' : './examine-process.js',
  import.meta.url,
);
/** Of that process, in seconds of its own (own-time.ts). What `auto` takes waits for processes that have such limits themselves. */
const [mostTrying, mostChoosing] = [60, 600];

export const tryEngine = (name: TriedEngine): Promise<Measured | {fault: string}> =>
  answerOf(examining, name, mostTrying);
export const askAuto = (): Promise<Auto[] | {fault: string}> => answerOf(examining, 'auto', mostChoosing);

/** The last line that a program of Node prints, as JSON; or why there is none. It is ended after so many seconds of its own. */
export function answerOf<T>(program: URL, what: string, seconds: number): Promise<T | {fault: string}> {
  const env = {...process.env, ...nativeEnvironment(allocatedCores())};
  const options = {env, maxBuffer: 1 << 26};
  return new Promise(resolve => {
    const child = execFile(process.execPath, [fileURLToPath(program), what], options, (error, out, errors) => {
      // What crashes when it ends, as some drivers do, has answered.
      resolve(parsed<T>(out) ?? {fault: faultOf(error?.signal, errors)});
    });
    void endAfter(seconds, child);
  });
}

function parsed<T>(out: string): T | null {
  try {
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T;
  } catch {
    return null;
  }
}

/** Why a process gave no answer, as part of a sentence. */
function faultOf(signal: NodeJS.Signals | null | undefined, errors: string): string {
  if (signal === 'SIGKILL') return 'it was ended, since it did not answer or took all memory';
  if (signal === 'SIGILL') return 'it uses instructions that this processor does not have';
  if (signal) return `it crashed (${signal})`;
  const said = errors.split('\n').find(line => /^\w*Error\b.*:/.test(line));
  return said?.replace(/^\w*Error[^:]*: /, '').slice(0, 300) ?? 'it gave no answer';
}
