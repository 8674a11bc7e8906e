/** A real HTTP server that takes repositories as the hub does: made, asked which files are large, given those by LFS and the rest in a commit. */
import {createHash} from 'node:crypto';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {onLoopback} from './on-loopback.ts';

export interface WritingHub {
  endpoint: string;
  /** Repositories by ORG/NAME. */
  repositories: Map<string, {isPrivate: boolean; files: Map<string, Buffer>; commits: string[]}>;
  requests: {method: string; path: string; authorization: string | undefined}[];
  close(): Promise<void>;
}

/** `large`: names that go by LFS. A request of the API without this token is refused. */
export async function openWritingHub({
  token,
  large,
}: {
  token: string;
  large: (name: string) => boolean;
}): Promise<WritingHub> {
  const blobs = new Map<string, Buffer>();
  const hub: WritingHub = {endpoint: '', repositories: new Map(), requests: [], close: async () => undefined};
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const {pathname} = new URL(request.url ?? '/', 'http://hub');
    const {authorization} = request.headers;
    hub.requests.push({method: request.method ?? '', path: pathname, authorization});
    const [, oid] = /^\/storage\/([0-9a-f]{64})$/.exec(pathname) ?? [];
    if (oid !== undefined) {
      // As with S3, the address itself is the permission; bytes that are not what was announced are refused.
      const isWhole = createHash('sha256').update(body).digest('hex') === oid;
      if (isWhole) blobs.set(oid, body);
      return json(response, {}, isWhole ? 200 : 400);
    }
    if (authorization !== `Bearer ${token}`) return json(response, {error: 'Invalid credentials'}, 401);
    return json(response, ...answer(hub, {blobs, large}, pathname, body));
  });
  return Object.assign(hub, await onLoopback(server));
}

interface Held {
  blobs: Map<string, Buffer>;
  large: (name: string) => boolean;
}

/** What the API says, and with which status. */
function answer(hub: WritingHub, {blobs, large}: Held, path: string, body: Buffer): [value: unknown, status?: number] {
  if (path === '/api/repos/create') {
    const {name, organization, visibility} = JSON.parse(String(body)) as Record<string, string>;
    const fresh = {isPrivate: visibility === 'private', files: new Map(), commits: []};
    hub.repositories.set(`${organization}/${name}`, fresh);
    return [{url: `${hub.endpoint}/${organization}/${name}`, id: '1'}];
  }
  const form = /^\/(?:api\/models\/)?([^/]+\/[^/]+?)(?:\.git)?\/((?:revision|preupload|commit|info)\/.*)$/;
  const [, id = '', rest = ''] = form.exec(path) ?? [];
  const own = hub.repositories.get(id);
  if (!own) return [{error: 'Repository not found'}, 404];
  if (rest === 'revision/HEAD') return [{_id: '1', id, private: own.isPrivate, lastModified: '2025-01-01T00:00:00Z'}];
  if (rest === 'preupload/main') {
    const {files} = JSON.parse(String(body)) as {files: {path: string}[]};
    return [{files: files.map(({path: name}) => ({path: name, uploadMode: large(name) ? 'lfs' : 'regular'}))}];
  }
  if (rest === 'info/lfs/objects/batch') {
    const {objects} = JSON.parse(String(body)) as {objects: {oid: string; size: number}[]};
    const upload = (oid: string) => ({upload: {href: `${hub.endpoint}/storage/${oid}`}});
    return [{transfer: 'basic', objects: objects.map(one => ({...one, actions: upload(one.oid)}))}];
  }
  if (rest !== 'commit/main') return [{error: 'unknown'}, 404];
  for (const line of String(body).split('\n').filter(Boolean)) {
    const {key, value} = JSON.parse(line) as {key: string; value: Record<string, string>};
    if (key === 'header') own.commits.push(value['summary']!);
    if (key === 'file') own.files.set(value['path']!, Buffer.from(value['content']!, 'base64'));
    if (key === 'lfsFile') own.files.set(value['path']!, blobs.get(value['oid']!)!);
  }
  return [{success: true, commitOid: 'c'.repeat(40), commitUrl: `${hub.endpoint}/${id}/commit/c`, hookOutput: ''}];
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, {'content-type': 'application/json'});
  response.end(JSON.stringify(value));
}
