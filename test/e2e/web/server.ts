/**
 * The workbench without anything behind it, as vscode.dev is: a server of files alone. Everything of the workbench runs in the browser,
 * extensions in a worker; they come from another origin than the page, as there.
 */
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {mkdir, readdir, readFile, stat} from 'node:fs/promises';
import {createServer, type Server as HttpServer, type ServerResponse} from 'node:http';
import {dirname, extname, join, relative} from 'node:path';
import type {Installation} from '../install.ts';
import {quietSettings, type Server} from '../server.ts';

export interface WebStart {
  /** For its own files alone. */
  folder: string;
  /** Folders of extensions. */
  extensions: readonly string[];
  /** What windows have under vscode-vfs:, a folder of this machine. */
  files: string;
  /** A folder, whose `files.calls` says which paths were asked for. */
  calls: string;
}

const types: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
};

export async function startWebServer({server}: Installation, start: WebStart): Promise<Server> {
  const {folder, extensions, files, calls} = start;
  const vscode = join(dirname(server), '../../lib/vscode');
  const program = await withoutServer(join(vscode, programPath));
  const home = join(folder, 'home');
  for (const made of [home, calls]) await mkdir(made, {recursive: true});
  const noted = createWriteStream(join(calls, 'files.calls'));
  const answer = async (path: string, port: number): Promise<Answer> => {
    const [, kind = '', ...rest] = path.split('/');
    if (kind === '') return {type: '.html', content: page(extensions.length, port)};
    if (path === `/workbench/${programPath}`) return {type: '.js', content: program};
    if (kind === 'stat') return {type: '.json', content: JSON.stringify(await look(join(files, ...rest)))};
    const roots = new Map([['workbench', vscode], ['file', files], ...extensions.map(extensionRoot)]);
    const file = join(roots.get(kind) ?? join(home, 'nothing'), ...rest);
    return {type: extname(file), content: await readFile(file)};
  };
  const listener = createServer(async ({url = '/'}, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    noted.write(`${path}\n`);
    await answer(path, portOf(listener)).then(
      found => send(response, found),
      () => response.writeHead(404, crossOrigin).end(),
    );
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const stop = async () => {
    noted.end();
    listener.closeAllConnections();
    listener.close();
    await once(listener, 'close');
  };
  const addressOf = (seen: string) => `vscode-vfs://tests/${relative(files, seen)}`;
  return {authority: `127.0.0.1:${portOf(listener)}`, logs: folder, home, addressOf, stop};
}

interface Answer {
  /** As the ending of a file's name. */
  type: string;
  content: string | Buffer;
}

const extensionName = (place: number): string => `extension-${place}`;
const extensionRoot = (folder: string, place: number): [string, string] => [extensionName(place), folder];

function portOf(listener: HttpServer): number {
  const address = listener.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const programPath = 'out/vs/code/browser/workbench/workbench.js';

/** What code-server changes in the workbench so that it always has a server behind it, and what stands there without. */
const changes = [
  [',remoteAuthority:location.host}', '}'],
  [/\(this\.userDataPath\)(\.with\(\{scheme:\w+\.)vscodeRemote\}/, "('/')$1vscodeUserData}"],
] as const;

/** The workbench's program as it is where nothing is behind it. */
async function withoutServer(file: string): Promise<string> {
  let program = await readFile(file, 'utf8');
  for (const [from, to] of changes) {
    if (program.split(from).length < 2) throw new Error(`This workbench has another way to its server than ${from}.`);
    program = program.replace(from, to);
  }
  return program;
}

const crossOrigin = {'Access-Control-Allow-Origin': '*'};

function send(response: ServerResponse, {type, content}: Answer): void {
  const found = types[type] ?? 'application/octet-stream';
  response.writeHead(200, {...crossOrigin, 'Content-Type': found, 'Cache-Control': 'no-store'}).end(content);
}

interface Look {
  isFolder: boolean;
  size: number;
  entries: {name: string; isFolder: boolean}[];
}

async function look(file: string): Promise<Look> {
  const found = await stat(file);
  const entries = found.isDirectory() ? await readdir(file, {withFileTypes: true}) : [];
  return {
    isFolder: found.isDirectory(),
    size: found.size,
    entries: entries.map(entry => ({name: entry.name, isFolder: entry.isDirectory()})),
  };
}

/** As code-server's own, without a server to connect to. */
function page(extensions: number, port: number): string {
  const authority = `localhost:${port}`;
  const configuration = {
    ...{isEnabledFileDownloads: false, isEnabledFileUploads: false, isEnabledCoderGettingStarted: false},
    configurationDefaults: quietSettings,
    additionalBuiltinExtensions: Array.from({length: extensions}, (_, place) => ({
      scheme: 'http',
      authority,
      path: `/${extensionName(place)}`,
    })),
  };
  const settings = JSON.stringify(configuration).replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta id="vscode-workbench-web-configuration" data-settings="${settings}">
<meta id="vscode-workbench-auth-session" data-settings="">
<link rel="stylesheet" href="/workbench/out/vs/code/browser/workbench/workbench.css">
</head>
<body aria-label=""></body>
<script>globalThis._VSCODE_FILE_ROOT = new URL('/workbench/out/', location).toString();</script>
<script type="module" src="/workbench/out/nls.messages.js"></script>
<script type="module" src="/workbench/out/vs/code/browser/workbench/workbench.js"></script>
</html>
`;
}
