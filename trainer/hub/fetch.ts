/** `lora-sweep fetch`: a model from the hub into the local cache, the only thing in this program that downloads. */
import {existsSync, statfsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {formatMemory} from '../../core/run/format.ts';
import {type HubModel, hubCache, linkIntoSnapshot, modelCache, parseHubModel, writeRef} from './cache.ts';
import {type HubClient, type HubFile, openHub, refusal} from './client.ts';
import {bytesThere, type DownloadOptions, downloadBlob, unreachable} from './download.ts';

export interface FetchOptions {
  /** A file beside the usual ones, e.g. a .gguf; instead of the safetensors. */
  file?: string;
  signal: AbortSignal;
  /** Hears of every file in turn; bytes are of all files together. */
  onProgress(progress: FetchProgress): void;
  pauses?: DownloadOptions['pauses'];
}

export interface FetchProgress {
  file: string;
  bytes: number;
  total: number;
}

export interface Fetched {
  /** The snapshot's folder. */
  folder: string;
  /** The commit. */
  revision: string;
  files: string[];
}

/**
 * Fetches what training and generation read: configuration, tokenizer and weights.
 * @param text `org/name` or `org/name@revision`
 * @throws SweepError `usage`, `offline`, `hub-refused`, `hub-unreachable`, `bad-download`, `bad-model` (no weights that
 *   can be read), `disk-full`, `cannot-write`, `stopped`
 */
export async function fetchModel(text: string, {file, signal, onProgress, pauses}: FetchOptions): Promise<Fetched> {
  const asked = parseHubModel(text);
  if (!asked)
    throw new SweepError('usage', `${JSON.stringify(text)} is no hub id; write ORG/NAME or ORG/NAME@REVISION.`);
  const hub = openHub(signal);
  const {sha, files} = await listed(hub, asked);
  const model: HubModel = {...asked, revision: sha};
  const chosen = chooseFiles(files, asked, file);
  checkRoom(chosen, model);
  const total = chosen.reduce((sum, {bytes}) => sum + bytes, 0);
  const folder = join(modelCache(model), 'snapshots', sha);
  let before = 0;
  for (const one of chosen) {
    const onBytes = (bytes: number) => onProgress({file: one.path, bytes: before + bytes, total});
    const blob = await downloadBlob(hub, model, one, {signal, onBytes, ...(pauses ? {pauses} : {})});
    linkIntoSnapshot(blob, join(folder, one.path));
    before += one.bytes;
  }
  writeRef(asked, sha);
  return {folder, revision: sha, files: chosen.map(({path}) => path)};
}

async function listed(hub: HubClient, model: HubModel): ReturnType<HubClient['list']> {
  try {
    return await hub.list(model);
  } catch (error) {
    throw refusal(error, model, hub.endpoint) ?? unreachable(hub, error);
  }
}

const settings =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|chat_template)\.json$|^[\w.-]+\.jinja$/;
const weights = /^model(-\d+-of-\d+)?\.safetensors$|^model\.safetensors\.index\.json$/;

/** Configuration and tokenizer first, so that a wrong model is noticed early. */
function chooseFiles(files: HubFile[], {id}: HubModel, wanted?: string): HubFile[] {
  const small = files.filter(({path}) => settings.test(path));
  if (wanted !== undefined) {
    const own = files.find(({path}) => path === wanted);
    if (own) return [...small.filter(({path}) => path !== wanted), own];
    throw new SweepError('usage', `${id} has no file ${wanted}; it has ${names(files)}.`);
  }
  const large = files.filter(({path}) => weights.test(path));
  if (large.some(({path}) => path.endsWith('.safetensors'))) return [...small, ...large];
  const quantised = files.filter(({path}) => path.endsWith('.gguf'));
  if (quantised.length === 1) return [...small, ...quantised];
  const what =
    quantised.length > 1
      ? `has no safetensors but ${quantised.length} GGUF files; choose one with --file: ${names(quantised)}`
      : `has neither safetensors nor GGUF weights; it has ${names(files)}`;
  throw new SweepError('bad-model', `${id} ${what}.`, {model: id});
}

function names(files: HubFile[]): string {
  const shown = files.slice(0, 12).map(({path}) => path);
  return [...shown, ...(files.length > shown.length ? [`${files.length - shown.length} more`] : [])].join(', ');
}

function checkRoom(files: HubFile[], model: HubModel): void {
  const total = files.reduce((sum, {bytes}) => sum + bytes, 0);
  let free: number;
  try {
    const {bavail, bsize} = statfsSync(firstExisting(hubCache()));
    free = bavail * bsize;
  } catch {
    return;
  }
  const have = files.reduce((sum, file) => sum + bytesThere(file, model), 0);
  if (total - have <= free) return;
  throw new SweepError(
    'disk-full',
    `${model.id} needs ${formatMemory(total - have)}, but ${hubCache()} has room for ${formatMemory(free)}; make room, or set HF_HOME to a larger disk.`,
  );
}

/** The folder itself, or the nearest one above it that is there. */
function firstExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : firstExisting(dirname(folder));
}
