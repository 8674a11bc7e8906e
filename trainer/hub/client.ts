/** What the hub is asked: which commit a revision is, which files it has, and their bytes from a position on. */
import {join} from 'node:path';
import {HubApiError, type ListFileEntry, listFiles, modelInfo} from '@huggingface/hub';
import {SweepError} from '../../core/error.ts';
import {readText} from '../files/door.ts';
import {type HubModel, hubHome} from './cache.ts';

export interface HubFile {
  path: string;
  bytes: number;
  /** Name of its blob in the cache: the hash that its bytes must have. */
  blob: string;
  /** SHA-256 of the bytes (large files), or git's SHA-1 of an object with them. */
  hash: 'sha256' | 'git-sha1';
}

export interface HubClient {
  endpoint: string;
  /** The commit of the revision, and the files of its root folder. */
  list(model: HubModel): Promise<{sha: string; files: HubFile[]}>;
  /** The bytes of a file from `start` on. The stream fails when the connection does. */
  read(model: HubModel, file: HubFile, start: number): Promise<ReadableStream<Uint8Array>>;
}

/** Nothing heard for this long: the connection is given up. */
const silenceMilliseconds = 30_000;

/**
 * The hub at HF_ENDPOINT, or huggingface.co, asked with the token of HF_TOKEN or of `hf auth login` where there is one.
 * @throws SweepError `offline` where HF_HUB_OFFLINE forbids to ask
 */
export function openHub(signal: AbortSignal): HubClient {
  const endpoint = allowedEndpoint();
  const ask = asking(new URL(endpoint).origin, signal);
  const options = {hubUrl: endpoint, fetch: bounded(ask)};

  return {
    endpoint,
    async list(model) {
      const {sha} = await modelInfo({...options, name: model.id, revision: model.revision, additionalFields: ['sha']});
      if (!/^[0-9a-f]{40}$/.test(sha)) throw new Error('the hub names no commit');
      const files: HubFile[] = [];
      let entries = 0;
      for await (const entry of listFiles({...options, repo: model.id, revision: sha})) {
        if (++entries > mostFiles) throw new Error(`the hub lists more than ${mostFiles} files`);
        if (entry.type === 'file') files.push(fileOf(entry));
      }
      return {sha, files};
    },
    async read(model, {path}, start) {
      // The library's own download cannot go on from a position, and loses the reason of a failure. Plain HTTP ranges
      // work with every mirror.
      const address = `${endpoint}/${model.id}/resolve/${encodeURIComponent(model.revision)}/${encodeURI(path)}`;
      const response = await ask(address, start === 0 ? {} : {headers: {Range: `bytes=${start}-`}});
      if (!response.ok || response.body === null)
        throw new HubApiError(`${endpoint}/${model.id}`, response.status, undefined, `answered ${response.status}`);
      if (start > 0 && response.status !== 206) throw new Error('the hub does not go on from a position');
      return watched(response.body, signal);
    },
  };
}

/** Where the hub is; refused where it may not be asked. */
export function allowedEndpoint(done: 'fetched' | 'sent' = 'fetched'): string {
  const {HF_ENDPOINT, HF_HUB_OFFLINE} = process.env;
  if (HF_HUB_OFFLINE && !/^(0|false|no|off)$/i.test(HF_HUB_OFFLINE))
    throw new SweepError('offline', `Nothing is ${done} while HF_HUB_OFFLINE is ${HF_HUB_OFFLINE}; unset it first.`);
  const endpoint = (HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint))
    throw new SweepError(
      'usage',
      `HF_ENDPOINT is ${JSON.stringify(endpoint)}; an address like https://huggingface.co belongs there.`,
    );
  return endpoint;
}

/** Requests with the token. It goes to the hub itself and nowhere else; redirected requests lose it by fetch's own rules. */
function asking(origin: string, signal: AbortSignal): typeof fetch {
  const token = readToken();
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const url = new URL(input instanceof Request ? input.url : input);
    if (token !== null && url.origin === origin) headers.set('Authorization', `Bearer ${token}`);
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error('no answer')), silenceMilliseconds);
    try {
      return await fetch(url, {...init, headers, signal: AbortSignal.any([signal, silence.signal])});
    } finally {
      clearTimeout(timer);
    }
  };
}

/** An entry of the hub's list, refused where its names or sizes could not be a file's. */
function fileOf({path, size, oid, lfs}: ListFileEntry): HubFile {
  if (path.split('/').some(part => /^\.*$/.test(part)) || path.includes('\\'))
    throw new Error(`the hub names the file ${JSON.stringify(path)}`);
  const blob = lfs?.oid ?? oid ?? '';
  // A blob's name becomes a file name: it is nothing but the hash that it should be.
  const bytes = lfs?.size ?? size;
  if (!(lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(blob) || !Number.isSafeInteger(bytes) || bytes < 0)
    throw new Error(`the hub describes ${path} without hash or size`);
  return {path, bytes, blob, hash: lfs ? 'sha256' : 'git-sha1'};
}

/** Of a model's root folder. */
const mostFiles = 20_000;
/** Bytes of an answer that describes something. */
const mostAnswerBytes = 32 << 20;

/** Answers that end: a description of a model that goes on for ever would fill the memory. */
function bounded(ask: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await ask(input, init);
    if (response.body === null) return response;
    let bytes = 0;
    const body = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          bytes += chunk.length;
          if (bytes > mostAnswerBytes) controller.error(new Error('the hub sends more than it was asked for'));
          else controller.enqueue(chunk);
        },
      }),
    );
    return new Response(body, response);
  };
}

/** Fails when nothing comes for a while. */
function watched(stream: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('nothing came for 30 seconds')), silenceMilliseconds);
      });
      try {
        const {done, value} = await Promise.race([reader.read(), silence]);
        if (done || signal.aborted) controller.close();
        else controller.enqueue(value);
      } finally {
        clearTimeout(timer);
      }
    },
    cancel: reason => reader.cancel(reason),
  });
}

/** HF_TOKEN, or the file that `hf auth login` writes. */
export function readToken(): string | null {
  const {HF_TOKEN, HF_TOKEN_PATH} = process.env;
  if (HF_TOKEN?.trim()) return HF_TOKEN.trim();
  try {
    return readText(HF_TOKEN_PATH || join(hubHome(), 'token'), 1 << 16).trim() || null;
  } catch {
    return null;
  }
}

/** Whether there is a token; it is not told. */
export const hasToken = (): boolean => readToken() !== null;

/** What the hub or the way to it refused, as a sentence; null where asking again may help. */
export function refusal(error: unknown, model: HubModel, endpoint: string): SweepError | null {
  if (error instanceof SweepError) return error;
  if (!(error instanceof HubApiError)) return null;
  const at = `${model.id} at ${model.revision}`;
  const {statusCode} = error;
  if (statusCode === 401 || statusCode === 403)
    return new SweepError(
      'hub-refused',
      `The hub at ${endpoint} does not give ${at}: it does not exist, or it is gated or private; accept its terms there and set HF_TOKEN to a token that may read it.`,
      {model: model.id, status: statusCode},
    );
  if (statusCode === 404)
    return new SweepError(
      'hub-refused',
      `There is no ${at} on the hub at ${endpoint}; check the id and the revision.`,
      {
        model: model.id,
        status: statusCode,
      },
    );
  if (statusCode < 500 && statusCode !== 429 && statusCode !== 408)
    return new SweepError('hub-refused', `The hub at ${endpoint} answers ${statusCode} when asked for ${at}.`, {
      model: model.id,
      status: statusCode,
    });
  return null;
}
