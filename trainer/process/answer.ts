/** Asks a program of Node in a process of its own, which may crash or hang: this one never does. */
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {endAfter} from './own-time.ts';

export interface Question {
  program: URL;
  words: readonly string[];
  /** It is ended after so many seconds of its own (own-time.ts). */
  seconds: number;
  /** Beside this process's own environment. */
  environment?: Record<string, string>;
  /** Ends it. */
  signal?: AbortSignal;
}

/** The last line that a program prints, as JSON; or why there is none. */
export function answerOf<T>({program, words, seconds, environment, signal}: Question): Promise<T | {fault: string}> {
  const env = {...process.env, ...environment};
  const options = {env, maxBuffer: 1 << 26, killSignal: 'SIGKILL', ...(signal && {signal})} as const;
  return new Promise(resolve => {
    const child = execFile(process.execPath, [fileURLToPath(program), ...words], options, (error, out, errors) => {
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
