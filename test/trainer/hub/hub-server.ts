/** A real HTTP server that speaks the hub's routes, and can be told to misbehave. */
import {createHash} from 'node:crypto';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {onLoopback} from './on-loopback.ts';

export interface HubServer {
  endpoint: string;
  /** Every request so far: method, path and headers. */
  requests: {method: string; path: string; range: string | undefined; authorization: string | undefined}[];
  /** The commit that `main` is. */
  sha: string;
  /** What happens to the next downloads, one entry each; normal when it is used up. */
  faults: Fault[];
  close(): Promise<void>;
}

export type Fault =
  | 'none'
  /** Send so many bytes and cut the connection. */
  | {cutAfter: number}
  /** Ends properly, but too early: the length is stated wrongly. */
  | {endAfter: number}
  /** Goes on beyond the end. */
  | {append: string}
  /** Sends the file and goes on for ever, or keeps the connection open without a word. */
  | 'endless'
  | 'open'
  /** Sends the whole file although a range was asked for. */
  | 'ignore-range'
  | {status: number}
  /** Other bytes of the right length. */
  | 'other-bytes';

export interface HubOptions {
  files: Record<string, Buffer>;
  /** Required to see anything. */
  token?: string;
  /** Files this large are described by their SHA-256, others by git's hash. */
  largeFrom?: number;
  /** Added to the size of large files as it is listed. */
  lie?: number;
}

const sha1 = (bytes: Buffer) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export async function openHubServer(id: string, options: HubOptions): Promise<HubServer> {
  const {files, token, largeFrom = 1000, lie = 0} = options;
  const sha = createHash('sha1').update(Object.keys(files).join()).digest('hex');
  const hub: HubServer = {endpoint: '', requests: [], sha, faults: [], close: async () => undefined};

  const json = (response: ServerResponse, value: unknown, status = 200) => {
    response.writeHead(status, {'content-type': 'application/json'});
    response.end(JSON.stringify(value));
  };
  const send = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => {
    const fault = hub.faults.shift();
    const [, from] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    const start = fault === 'ignore-range' || from === undefined ? 0 : Number(from);
    const content = fault === 'other-bytes' ? Buffer.alloc(bytes.length, 7) : bytes;
    const body = content.subarray(start);
    if (typeof fault === 'object' && 'status' in fault) return json(response, {error: 'told to'}, fault.status);
    const range = start > 0 ? {'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`} : {};
    if (typeof fault === 'object' && 'endAfter' in fault) {
      response.writeHead(start > 0 ? 206 : 200, range);
      return response.end(body.subarray(0, fault.endAfter));
    }
    if (typeof fault === 'object' && 'append' in fault) {
      response.writeHead(start > 0 ? 206 : 200, range);
      return response.end(Buffer.concat([body, Buffer.from(fault.append)]));
    }
    if (fault === 'endless' || fault === 'open') {
      response.writeHead(start > 0 ? 206 : 200, range);
      response.write(body);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(1 << 16), () => setImmediate(more));
      };
      if (fault === 'endless') more();
      return;
    }
    response.writeHead(start > 0 ? 206 : 200, {...range, 'content-length': body.length});
    if (typeof fault === 'object')
      return response.write(body.subarray(0, fault.cutAfter), () => request.socket.destroy());
    return response.end(body);
  };

  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url ?? '/', 'http://hub');
    const {range, authorization} = request.headers;
    hub.requests.push({method: request.method ?? '', path: pathname, range, authorization});
    if (token !== undefined && authorization !== `Bearer ${token}`) return json(response, {error: 'gated'}, 401);
    const revision = [sha, 'main', 'v1'];
    const known = (name: string | undefined) => revision.includes(decodeURIComponent(name ?? ''));
    const [, info] = new RegExp(`^/api/models/${id}/revision/(.+)$`).exec(pathname) ?? [];
    if (known(info)) return json(response, {_id: '1', id, sha, lastModified: '2025-01-01T00:00:00Z'});
    const [, tree] = new RegExp(`^/api/models/${id}/tree/([^/]+)$`).exec(pathname) ?? [];
    if (known(tree))
      return json(
        response,
        Object.entries(files).map(([path, bytes]) => ({
          type: 'file',
          path,
          size: bytes.length + (bytes.length < largeFrom ? 0 : lie),
          oid: sha1(bytes),
          ...(bytes.length >= largeFrom ? {lfs: {oid: sha256(bytes), size: bytes.length + lie, pointerSize: 130}} : {}),
        })),
      );
    const [, at, path] = new RegExp(`^/${id}/resolve/([^/]+)/(.+)$`).exec(pathname) ?? [];
    const bytes = path === undefined ? undefined : files[decodeURIComponent(path)];
    if (known(at) && bytes) return send(request, response, bytes);
    return json(response, {error: 'Repository not found'}, 404);
  });
  return Object.assign(hub, await onLoopback(server));
}
