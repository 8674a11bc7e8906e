/** One file from the hub into the cache: resumed where an earlier attempt ended, and taken only with the right hash. */
import {createHash, type Hash} from 'node:crypto';
import {closeSync, createReadStream, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {SweepError} from '../../core/error.ts';
import {storeError} from '../files/write-whole.ts';
import {type HubModel, modelCache} from './cache.ts';
import {type HubClient, type HubFile, refusal} from './client.ts';

export interface DownloadOptions {
  signal: AbortSignal;
  /** Bytes of the file that are there now. */
  onBytes(bytes: number): void;
  /** Milliseconds before each further attempt while nothing comes. */
  pauses?: readonly number[];
}

const defaultPauses = [500, 1000, 2000, 4000, 8000];

/**
 * The path of the file's blob, fetched unless it is there.
 * @throws SweepError `hub-refused`, `hub-unreachable` (after several attempts; what came is kept), `bad-download` (the
 *   bytes are not the ones the hub promised), `disk-full`, `cannot-write`
 */
export async function downloadBlob(
  hub: HubClient,
  model: HubModel,
  file: HubFile,
  {signal, onBytes, pauses = defaultPauses}: DownloadOptions,
): Promise<string> {
  const blob = join(modelCache(model), 'blobs', file.blob);
  if (statSync(blob, {throwIfNoEntry: false})?.size === file.bytes) {
    onBytes(file.bytes);
    return blob;
  }
  const partial = `${blob}.incomplete`;
  try {
    mkdirSync(dirname(blob), {recursive: true});
    closeSync(openSync(partial, 'a'));
    let restarted = false;
    for (let idle = 0; idle <= pauses.length; ) {
      const start = sizeOf(partial);
      let trouble: unknown = new Error('the connection ends too early');
      try {
        if (start < file.bytes)
          await append(partial, await hub.read(model, file, start), file.bytes, {signal, onBytes});
      } catch (error) {
        trouble = error;
      }
      if (signal.aborted) throw new SweepError('stopped', 'Stopped; what came is kept, and the same command goes on.');
      const size = sizeOf(partial);
      if (size === file.bytes && (await hashOf(partial, file)) === file.blob) {
        renameSync(partial, blob);
        return blob;
      }
      if (size >= file.bytes) {
        rmSync(partial);
        // What an earlier attempt left may be of something else: once more from the start.
        if (start === 0 || restarted) throw badDownload(hub, file);
        restarted = true;
        continue;
      }
      const final =
        refusal(trouble, model, hub.endpoint) ?? (isSystemError(trouble) ? storeError(trouble, partial) : null);
      if (final) throw final;
      idle = size > start ? 0 : idle + 1;
      if (idle > pauses.length) throw unreachable(hub, trouble);
      await pause(pauses[idle - 1] ?? 0, undefined, {signal}).catch(() => undefined);
    }
  } catch (error) {
    throw isSystemError(error) ? storeError(error, partial) : error;
  }
  throw unreachable(hub, null);
}

/** Bytes of a file that need not be fetched again. */
export function bytesThere(file: HubFile, model: HubModel): number {
  const blob = join(modelCache(model), 'blobs', file.blob);
  return Math.max(sizeOf(blob), sizeOf(`${blob}.incomplete`));
}

/** After the last byte the end of the stream has to follow; one that stays open is left. */
const endMilliseconds = 2000;

/** Adds what comes to the end of the partial file, up to the promised size and one byte more, which tells of too many. */
async function append(
  partial: string,
  stream: ReadableStream<Uint8Array>,
  promised: number,
  {signal, onBytes}: Pick<DownloadOptions, 'signal' | 'onBytes'>,
): Promise<void> {
  const descriptor = openSync(partial, 'a');
  const reader = stream.getReader();
  const ended = () => pause(endMilliseconds, {done: true, value: undefined} as const, {ref: false});
  try {
    let size = sizeOf(partial);
    while (!signal.aborted && size <= promised) {
      const next = reader.read();
      const {done, value} = size === promised ? await Promise.race([next, ended()]) : await next;
      if (done) return;
      const chunk = value.subarray(0, promised + 1 - size);
      for (let written = 0; written < chunk.length; ) written += writeSync(descriptor, chunk, written);
      size += chunk.length;
      onBytes(Math.min(size, promised));
    }
  } finally {
    closeSync(descriptor);
    // Whatever else would come is not wanted; that it breaks off is no news.
    reader.cancel().catch(() => undefined);
  }
}

async function hashOf(path: string, {hash, bytes}: HubFile): Promise<string> {
  const digest: Hash = createHash(hash === 'sha256' ? 'sha256' : 'sha1');
  if (hash === 'git-sha1') digest.update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(path, {highWaterMark: 1 << 20})) digest.update(chunk as Buffer);
  return digest.digest('hex');
}

function sizeOf(path: string): number {
  return statSync(path, {throwIfNoEntry: false})?.size ?? 0;
}

function isSystemError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'syscall' in error &&
    !('address' in error) &&
    ('path' in error || error.syscall === 'write')
  );
}

function badDownload(hub: HubClient, {path, bytes}: HubFile): SweepError {
  return new SweepError(
    'bad-download',
    `${path} from ${hub.endpoint} is not the file that the hub describes (${bytes} bytes, by their hash); try again later, or another HF_ENDPOINT.`,
    {file: path},
  );
}

/** Reasons are named without addresses, which may carry signatures. */
export function unreachable(hub: Pick<HubClient, 'endpoint'>, error: unknown): SweepError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
  const why = code ?? (cause instanceof Error ? cause.message.replaceAll(/https?:\S+/g, '…') : 'no answer');
  return new SweepError(
    'hub-unreachable',
    `The hub at ${hub.endpoint} cannot be reached or breaks off (${why}); what came is kept, and the same command goes on.`,
    {endpoint: hub.endpoint},
  );
}
