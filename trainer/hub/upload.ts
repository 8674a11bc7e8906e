/** A folder as a model repository on the hub: made where there is none, all files in one commit. The only thing that is ever sent to it. */
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {createRepo, HubApiError, modelInfo, uploadFiles} from '@huggingface/hub';
import {SweepError} from '../../core/error.ts';
import {allowedEndpoint, readToken} from './client.ts';
import {isLoopback} from './loopback.ts';

export interface Upload {
  /** ORG/NAME. */
  id: string;
  /** Its files are sent; folders in it are none of them. */
  folder: string;
  /** A new repository is seen by its owners only. */
  isPrivate: boolean;
  title: string;
  signal: AbortSignal;
}

const form = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** @throws SweepError `usage` where a text is no ORG/NAME */
export function repositoryName(text: string): string {
  if (form.test(text) && !text.includes('--') && !text.includes('..') && text.length <= 96) return text;
  throw new SweepError(
    'usage',
    `${text} is no repository of the hub; write it as ORG/NAME, such as my-team/my-adapter.`,
  );
}

/** Names and bytes of what an upload of the folder sends. */
export function filesToSend(folder: string): {name: string; bytes: number}[] {
  return readdirSync(folder, {withFileTypes: true})
    .filter(entry => entry.isFile())
    .map(({name}) => ({name, bytes: statSync(join(folder, name)).size}))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Sends the files with the token of HF_TOKEN or of `hf auth login`.
 * @returns where it is now, and the commit
 * @throws SweepError `offline`, `usage`, `no-token`, `hub-refused`
 */
export async function uploadFolder({
  id,
  folder,
  isPrivate,
  title,
  signal,
}: Upload): Promise<{url: string; commit: string}> {
  const hubUrl = allowedEndpoint('sent');
  const accessToken = readToken();
  if (accessToken === null)
    throw new SweepError(
      'no-token',
      'There is no token to write to the hub with: set HF_TOKEN, or log in with `hf auth login`.',
    );
  const {protocol, hostname, origin} = new URL(hubUrl);
  if (protocol === 'http:' && !isLoopback(hostname))
    throw new SweepError('usage', `${origin} would be sent a token unencrypted; give HF_ENDPOINT an https address.`);
  const heard: typeof fetch = (input, init) => fetch(input, {...init, signal: init?.signal ?? signal});
  const access = {hubUrl, accessToken, fetch: heard};
  try {
    const known = await existing(id, access);
    if (known && isPrivate && !known.private)
      throw new SweepError(
        'hub-refused',
        `${id} is there and is public; make it private on the hub, or choose another name.`,
        {model: id},
      );
    if (!known)
      await createRepo({...access, repo: {type: 'model', name: id}, visibility: isPrivate ? 'private' : 'public'});
    const files = filesToSend(folder).map(({name, bytes}) => ({
      path: name,
      content: contentOf(join(folder, name), bytes),
    }));
    // Plain LFS is understood by every mirror.
    const sent = await uploadFiles({
      ...access,
      repo: {type: 'model', name: id},
      files,
      commitTitle: title,
      abortSignal: signal,
      useXet: false,
    });
    return {url: `${hubUrl}/${id}`, commit: sent?.commit.oid ?? ''};
  } catch (error) {
    throw sentence(error, id, hubUrl);
  }
}

/** Large files are read while they are sent. */
const mostInMemory = 1 << 20;

function contentOf(file: string, bytes: number): Blob | URL {
  return bytes > mostInMemory ? pathToFileURL(file) : new Blob([new Uint8Array(readFileSync(file))]);
}

/** Null where there is no such repository, or none that this token may see. */
async function existing(
  id: string,
  access: {hubUrl: string; accessToken: string; fetch: typeof fetch},
): Promise<{private: boolean} | null> {
  try {
    return await modelInfo({...access, name: id});
  } catch (error) {
    if (error instanceof HubApiError && [401, 403, 404].includes(error.statusCode)) return null;
    throw error;
  }
}

function sentence(error: unknown, id: string, endpoint: string): unknown {
  if (error instanceof SweepError) return error;
  if (!(error instanceof HubApiError)) {
    const why =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    return new SweepError('hub-refused', `${id} was not sent to the hub at ${endpoint}: ${why}.`, {model: id});
  }
  const {statusCode, message} = error;
  const why = [401, 403].includes(statusCode)
    ? 'the token may not write there; use one with write access to it'
    : `it answers ${statusCode}: ${message.replace(/\.$/, '')}`;
  return new SweepError('hub-refused', `The hub at ${endpoint} does not take ${id}: ${why}.`, {
    model: id,
    status: statusCode,
  });
}
