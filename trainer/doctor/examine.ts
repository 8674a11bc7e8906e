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
/** Of that process, in seconds of its own (own-time.ts). */
const seconds = 60;

export const tryEngine = (name: TriedEngine): Promise<Measured | {fault: string}> => answerTo<Measured>(name);
export const askAuto = (): Promise<Auto[] | {fault: string}> => answerTo<Auto[]>('auto');

function answerTo<T>(what: string): Promise<T | {fault: string}> {
  const env = {...process.env, ...nativeEnvironment(allocatedCores())};
  const options = {env, maxBuffer: 1 << 26};
  return new Promise(resolve => {
    const child = execFile(process.execPath, [fileURLToPath(examining), what], options, (error, out, errors) => {
      const answer = error === null ? parsed<T>(out) : null;
      resolve(answer ?? {fault: faultOf(error, errors)});
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
export function faultOf(error: {signal?: NodeJS.Signals | undefined | null} | null, errors: string): string {
  const signal = error?.signal;
  if (signal === 'SIGKILL') return `it was ended: it did not answer within ${seconds} s, or memory ran out`;
  if (signal === 'SIGILL') return 'it uses instructions that this processor does not have';
  if (signal) return `it crashed (${signal})`;
  const said = errors.split('\n').find(line => /^\w*Error\b.*:/.test(line));
  return said?.replace(/^\w*Error[^:]*: /, '').slice(0, 300) ?? 'it gave no answer';
}
