/**
 * What runs in a process of its own: CPython compiled to WebAssembly (pyodide), started from a snapshot of its memory, with
 * everything taken away that a program could reach the machine by. Four walls, each enough by itself for what it covers:
 * Python sees an in-memory file system and no JavaScript; JavaScript can make no code from text; Node's permission model
 * refuses files, processes, threads and native code; and what could open a connection is taken apart here.
 * Arguments: role, pyodide's folder, snapshot file (or nothing: then the snapshot comes through the fourth descriptor). Lines on standard input are answered by lines on standard output.
 */
import {Buffer} from 'node:buffer';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import net from 'node:net';
import {pathToFileURL} from 'node:url';
import type {PyodideAPI} from 'pyodide';
import {pythonSource} from './python-source.ts';

const [role, folder, snapshotFile] = process.argv.slice(2) as [string, string, string];
/** Bytes that a program's files may take in all: they lie outside the interpreter's own memory. */
const mostFileBytes = 64e6;

// What is sent to a whole group of processes is not for this one: whoever started it ends it. It may read its own folder only,
// which signals.ts does not lie in.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => {});

const refuse = (): never => {
  throw new Error('not permitted in the sandbox');
};

/** Taken away whatever the permission model covers in this version of Node. */
function closeNetwork(): void {
  net.Socket.prototype.connect = refuse;
  net.Server.prototype.listen = refuse;
  dgram.Socket.prototype.bind = refuse;
  dgram.Socket.prototype.connect = refuse;
  dgram.Socket.prototype.send = refuse;
  for (const [name, value] of Object.entries(dns)) {
    if (typeof value === 'function' && /^(lookup|resolve|reverse|set)/.test(name)) Object.assign(dns, {[name]: refuse});
  }
  for (const name of Object.keys(dns.promises)) {
    if (/^(lookup|resolve|reverse|set)/.test(name)) Object.assign(dns.promises, {[name]: refuse});
  }
  syncBuiltinESMExports();
}

/** What a program could find and use if it ever reached JavaScript. */
const globals = [
  ...['process', 'require', 'module', 'fetch', 'WebSocket', 'EventSource', 'Worker', 'BroadcastChannel', 'navigator'],
  ...['localStorage', 'sessionStorage', 'Buffer', 'eval', 'SharedArrayBuffer'],
];

interface Internals {
  _module: {
    FS: {
      ErrnoError: new (errno: number) => Error;
      filesystems: {
        MEMFS: {expandFileStorage(node: {usedBytes: number; contents?: ArrayLike<number>}, size: number): void};
      };
    };
  };
}

/** Files are in memory; growing ones stop at a bound (ENOSPC). */
function boundFiles(python: PyodideAPI): void {
  const {FS} = (python as unknown as Internals)._module;
  const memory = FS.filesystems.MEMFS;
  const expand = memory.expandFileStorage;
  let grown = 0;
  memory.expandFileStorage = (node, size) => {
    const more = size - (node.contents?.length ?? 0);
    grown += Math.max(0, more);
    if (grown > mostFileBytes) throw new FS.ErrnoError(51);
    expand(node, size);
  };
}

/** Names by which Python reaches JavaScript. */
const bridges = `
import sys
for name in [name for name in sys.modules if name.split(".")[0] in ("js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core")]:
    sys.modules[name] = None
for name in ("js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core", "ctypes", "_ctypes", "pyodide.code", "pyodide.http", "pyodide.ffi"):
    sys.modules[name] = None
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__.split(".")[0] not in ("_pyodide", "pyodide")]
`;

async function open(snapshot?: Uint8Array): Promise<PyodideAPI> {
  // The permission model refuses process.binding; emscripten asks it for file constants only.
  Object.assign(process, {binding: () => ({fs: fs.constants})});
  const {loadPyodide} = (await import(pathToFileURL(`${folder}/pyodide.mjs`).href)) as typeof import('pyodide');
  return loadPyodide({
    indexURL: `${folder}/`,
    jsglobals: {setTimeout, clearTimeout, queueMicrotask},
    env: {HOME: '/home/program'},
    enableRunUntilComplete: false,
    stdin: () => null,
    stdout: () => {},
    stderr: () => {},
    ...(snapshot ? {_loadSnapshot: snapshot} : {_makeSnapshot: true}),
  });
}

const input = {bytes: Buffer.alloc(0), chunk: Buffer.alloc(1 << 16)};

/** The next line of standard input; undefined at its end. Waits: there is nothing else to do meanwhile. */
function readLine(): string | undefined {
  const parts: Buffer[] = [];
  for (;;) {
    const end = input.bytes.indexOf(10);
    if (end >= 0) {
      parts.push(input.bytes.subarray(0, end));
      input.bytes = input.bytes.subarray(end + 1);
      return Buffer.concat(parts).toString('utf8');
    }
    parts.push(input.bytes);
    const read = readSome();
    if (read === 0) return undefined;
    input.bytes = Buffer.from(input.chunk.subarray(0, read));
  }
}

function readSome(): number {
  for (;;) {
    try {
      return fs.readSync(0, input.chunk);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const {from} = Buffer;
const say = (kind: string, text: string): void => write(from(`${kind}${text}\n`, 'utf8'));

if (role === 'snapshot') {
  const python = await open();
  python.runPython(pythonSource);
  write((python as unknown as {makeMemorySnapshot(): Uint8Array}).makeMemorySnapshot());
} else {
  closeNetwork();
  const python = await open(fs.readFileSync(snapshotFile === '' ? 3 : snapshotFile));
  boundFiles(python);
  // Output is dropped as it comes, not gathered into lines.
  const drop = {write: (bytes: Uint8Array) => bytes.length};
  python.setStdout(drop);
  python.setStderr(drop);
  const ask = (text: string): string => {
    say('?', text);
    return readLine() ?? refuse();
  };
  const make = python.globals.get(role === 'judge' ? '_Judge' : '_Candidate');
  const answer = (role === 'judge' ? make(ask) : make()).answer as (text: string) => string;
  python.runPython(bridges);
  for (const name of globals) Reflect.deleteProperty(globalThis, name);
  say('!', 'ready');
  for (let line = readLine(); line !== undefined; line = readLine()) say('=', answer(line));
}
