/** The interpreter's memory after its start and its imports, kept on disk: a process starts from it in a third of the time. */
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import {cacheFolder} from '../../files/cache-folder.ts';
import {temporaryOf} from '../../files/temporary.ts';
import {discard} from '../../files/write-whole.ts';
import {type Snapshot, startProcess} from './child.ts';
import {pythonSource} from './python-source.ts';

/** A snapshot fits one build of pyodide on one version of Node only. */
function nameOf(): string {
  const {version} = createRequire(import.meta.url)('pyodide/package.json') as {version: string};
  const {node, v8} = process.versions;
  const parts = [version, node, v8, process.arch, pythonSource];
  return `${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)}.snapshot`;
}

let made: Promise<Snapshot> | undefined;

/**
 * The snapshot, made where it is not there yet (2 s).
 * @throws SweepError `no-sandbox`
 */
export function pythonSnapshot(): Promise<Snapshot> {
  made ??= find().catch(error => {
    made = undefined;
    throw error;
  });
  return made;
}

async function find(): Promise<Snapshot> {
  const name = nameOf();
  const kept = join(cacheFolder(), 'python', name);
  if (existsSync(kept)) return kept;
  const bytes = await make();
  const own = temporaryOf(kept);
  try {
    mkdirSync(dirname(kept), {recursive: true});
    writeFileSync(own, bytes);
    renameSync(own, kept);
    return kept;
  } catch {
    // It costs the next run two seconds.
    discard(own);
    return bytes;
  }
}

function make(): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = startProcess('snapshot');
    const parts: Buffer[] = [];
    child.stdout!.on('data', (chunk: Buffer) => parts.push(chunk));
    const fail = (why: string) =>
      reject(
        new SweepError(
          'no-sandbox',
          `The Python sandbox of the tasks humaneval and mbpp does not start (${why}); they need Node 20.19 or later and the package pyodide.`,
        ),
      );
    child.on('error', error => fail(error.message));
    child.on('close', status => {
      if (status === 0 && parts.length > 0) resolve(Buffer.concat(parts));
      else fail(`status ${status}`);
    });
  });
}

/** Forgets a snapshot that no process starts from, so that it is made anew. */
export function dropSnapshot(snapshot: Snapshot): void {
  made = undefined;
  if (typeof snapshot === 'string') rmSync(snapshot, {force: true});
}
