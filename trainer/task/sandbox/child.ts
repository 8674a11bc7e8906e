/** One process of the sandbox as its parent sees it: lines in, lines out, and a kill that always works. */
import {type ChildProcess, spawn} from 'node:child_process';
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import type {Writable} from 'node:stream';
import {fileURLToPath} from 'node:url';
import {noTelemetry} from '../../process/no-telemetry.ts';
import {withoutDebugger} from '../../process/signals.ts';
import {watch} from '../watchdog.ts';

export type Role = 'candidate' | 'judge' | 'snapshot';

/** A line of a process: `?` it asks, `=` it answers, `!` it is ready. */
export interface Said {
  kind: string;
  text: string;
}

export interface Child {
  /** The system's; undefined where it could not be started. */
  id: number | undefined;
  /** The next line; undefined once the process is gone. */
  next(): Promise<Said | undefined>;
  say(line: string): void;
  /** Ends it at once, whatever it does. */
  kill(): void;
}

/** This file's neighbour, as source or as built. */
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './process.ts' : './sandbox.js', import.meta.url),
);

/** Where the interpreter lies. */
const pyodideFolder = (): string => dirname(createRequire(import.meta.url).resolve('pyodide/pyodide.mjs'));

/** Of the interpreter's own memory, in pages of 64 KiB: 512 MiB. */
const mostPages = 8192;

/** Of JavaScript around it. */
const mostHeapMegabytes = 256;

/** A line longer than this is no answer. */
const longestLine = 8e6;

/** Node's name for the permission model: it left the experimental stage in Node 23.5. */
function permissionFlag(): string {
  return process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
}

/** Starts a process that can read what it is made of, and nothing else of the machine. */
export function startProcess(role: Role, snapshot: Snapshot = ''): ChildProcess {
  const pyodide = pyodideFolder();
  const file = typeof snapshot === 'string' ? snapshot : '';
  const readable = [dirname(program), pyodide, ...(file ? [file] : [])];
  const flags = [
    permissionFlag(),
    ...withoutDebugger(),
    ...readable.map(path => `--allow-fs-read=${path}`),
    `--wasm-max-mem-pages=${mostPages}`,
    `--max-old-space-size=${mostHeapMegabytes}`,
    '--no-warnings',
    ...(role === 'snapshot' ? [] : ['--disallow-code-generation-from-strings', '--disable-proto=throw']),
  ];
  const child = spawn(process.execPath, [...flags, program, role, pyodide, file], {
    // Electron is Node only when it is told to be.
    env: {...noTelemetry, ELECTRON_RUN_AS_NODE: '1'},
    // A snapshot that is in no file comes through a pipe of its own.
    stdio: ['pipe', 'pipe', 'ignore', ...(file === '' && role !== 'snapshot' ? (['pipe'] as const) : [])],
    windowsHide: true,
  });
  // A program that never ends does not notice that nobody waits for it any more.
  watch(child);
  if (typeof snapshot !== 'string') {
    const pipe = child.stdio[3] as Writable;
    // A process that ends early is noticed by what it does not say.
    pipe.on('error', () => {});
    pipe.end(snapshot);
  }
  return child;
}

export function startChild(role: Role, snapshot: Snapshot): Child {
  const child = startProcess(role, snapshot);
  const lines: Said[] = [];
  let gone = false;
  let wake = (): void => {};
  let held: Buffer[] = [];
  let heldBytes = 0;
  const end = (): void => {
    gone = true;
    child.kill('SIGKILL');
    wake();
  };
  child.stdout!.on('data', (chunk: Buffer) => {
    let start = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...held, chunk.subarray(start, at)]).toString('utf8');
      lines.push({kind: line.slice(0, 1), text: line.slice(1)});
      [held, heldBytes, start] = [[], 0, at + 1];
    }
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > longestLine || lines.length > 1000) end();
    wake();
  });
  child.on('error', end);
  child.on('close', end);
  child.stdin!.on('error', end);
  return {
    id: child.pid,
    async next() {
      while (lines.length === 0) {
        if (gone) return undefined;
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
      return lines.shift();
    },
    say: line => void (gone || child.stdin!.write(`${line}\n`)),
    kill: end,
  };
}

/** A file, or the bytes themselves where the cache cannot be written. */
export type Snapshot = string | Buffer;
