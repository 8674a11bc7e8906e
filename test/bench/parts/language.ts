/**
 * How fast the language server answers on a sweep file of 1,000 lines, over the wire, beside yaml-language-server with the
 * JSON schema of the same table. Both servers are up and take turns, edit by edit.
 */
import {spawn} from 'node:child_process';
import {access, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {
  CompletionRequest,
  createProtocolConnection,
  DidChangeConfigurationNotification,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import {sweepSchema} from '../../../core/sweep/table/schema.ts';
import {goneWrong} from '../gone-wrong.ts';
import type {Part} from '../pages/part.ts';
import {cache, output} from '../peers/python.ts';

const peerVersion = '2.0.0';
const root = join(import.meta.dirname, '../../..');

/** A sweep file of 1,000 lines: settings, many evaluations, comments. */
function longSweep(): string[] {
  const lines = [
    'model: base',
    'data:',
    '  train: desc-train.jsonl',
    '  columns: {prompt: prompt, completion: answer}',
    '  format: completion',
    'methods: [lora, pissa, milora, init-ab, dora]',
    'rank: [8, 128]',
    'learning_rate: {from: 1e-5, to: 1e-2, per_decade: 4}',
    'seeds: [1, 2, 3]',
    'training:',
    '  epochs: 1',
    '  warmup_ratio: 0.03',
    'evaluate:',
  ];
  for (let set = 0; lines.length < 1000; set++)
    lines.push(`  # held-out set ${set}`, '  - task: exact-match', '    data: desc-test.jsonl', '    limit: 100');
  return lines.slice(0, 1000);
}

interface Server {
  name: string;
  connection: ProtocolConnection;
  published: Map<number, () => void>;
  times: Record<'diagnostics' | 'completion' | 'hover', number[]>;
  close(): Promise<void>;
}

const uri = pathToFileURL(join(root, 'demo', 'long.sweep.yaml')).href;

async function start(name: string, command: string[], settings?: object): Promise<Server> {
  const child = spawn(process.execPath, command, {stdio: ['pipe', 'pipe', 'ignore']});
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const published = new Map<number, () => void>();
  connection.onNotification(PublishDiagnosticsNotification.type, ({version}) => {
    // A server that names no version answers the last edit.
    for (const [of, resolve] of published) if (version === undefined || version === of) resolve();
  });
  connection.onRequest('workspace/configuration', ({items}: {items: {section?: string}[]}) =>
    items.map(({section}) => (section === 'yaml' ? (settings ?? {}) : {})),
  );
  connection.onRequest('client/registerCapability', () => null);
  connection.listen();
  const textDocument = {
    publishDiagnostics: {versionSupport: true},
    completion: {},
    hover: {contentFormat: ['markdown' as const]},
  };
  await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    capabilities: {
      workspace: {configuration: true, didChangeConfiguration: {dynamicRegistration: false}},
      textDocument,
    },
  });
  await connection.sendNotification(InitializedNotification.type, {});
  if (settings)
    await connection.sendNotification(DidChangeConfigurationNotification.type, {settings: {yaml: settings}});
  return {
    name,
    connection,
    published,
    times: {diagnostics: [], completion: [], hover: []},
    async close() {
      await connection.sendRequest(ShutdownRequest.type);
      await connection.sendNotification(ExitNotification.type);
    },
  };
}

const peerFolder = join(cache, 'language');
const peerFile = join(peerFolder, 'node_modules/yaml-language-server/bin/yaml-language-server');
const schemaFile = join(cache, 'sweep.schema.json');

async function installPeer(say: (line: string) => void): Promise<void> {
  await mkdir(peerFolder, {recursive: true});
  await writeFile(schemaFile, JSON.stringify(sweepSchema()));
  const there = await access(peerFile).then(
    () => true,
    () => false,
  );
  if (there) return;
  say(`installing yaml-language-server ${peerVersion}`);
  await output('npm', ['install', '--no-save', '--prefix', peerFolder, `yaml-language-server@${peerVersion}`]);
}

const wait = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Edits the file in all servers, the same way, and asks each one question after every edit. */
async function ask(servers: Server[], edits: number, warmUp: number): Promise<void> {
  const lines = longSweep();
  let version = 1;
  for (const {connection} of servers)
    await connection.sendNotification(DidOpenTextDocumentNotification.type, {
      textDocument: {uri, languageId: 'yaml', version, text: lines.join('\n')},
    });
  await wait(2000);
  for (let number = 0; number < edits + warmUp; number++) {
    version++;
    const line = 16 + 4 * ((version * 37) % 240);
    const before = lines[line]!.length;
    const text = `    limit: ${100 + (version % 900)}`;
    lines[line] = text;
    for (const {connection, published, times} of servers) {
      const keep = (kind: keyof typeof times, start: number) => {
        if (number >= warmUp) times[kind].push(performance.now() - start);
      };
      const start = performance.now();
      const diagnosed = new Promise<void>(resolve => published.set(version, resolve));
      await connection.sendNotification(DidChangeTextDocumentNotification.type, {
        textDocument: {uri, version},
        contentChanges: [{range: {start: {line, character: 0}, end: {line, character: before}}, text}],
      });
      // One kind of question after each edit, so that none profits from what another has worked out.
      const kind = (['diagnostics', 'completion', 'hover'] as const)[number % 3]!;
      const asked = {textDocument: {uri}, position: {line, character: 6}};
      if (kind === 'completion') await connection.sendRequest(CompletionRequest.type, asked);
      if (kind === 'hover') await connection.sendRequest(HoverRequest.type, asked);
      if (kind !== 'diagnostics') keep(kind, start);
      await Promise.race([diagnosed, wait(1000)]);
      if (kind === 'diagnostics') keep(kind, start);
      published.delete(version);
    }
  }
}

const quantile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;

export const language: Part = {
  summary: 'answers of the language server against yaml-language-server',
  leftOut: 'edits',
  async measure({quick, say}) {
    await installPeer(say);
    const settings = {
      validate: true,
      hover: true,
      completion: true,
      schemas: {[pathToFileURL(schemaFile).href]: ['*.sweep.yaml']},
    };
    const servers = [
      await start('LoRA Sweep', [join(root, 'dist/trainer/cli.js'), 'lsp', '--stdio']),
      await start('yaml-language-server with the JSON schema', [peerFile, '--stdio'], settings),
    ];
    const [edits, warmUp] = quick ? [45, 15] : [400, 30];
    await ask(servers, edits, warmUp);
    await Promise.all(servers.map(server => server.close()));
    return [
      {
        title: 'The language server beside yaml-language-server',
        introduction: `A sweep file of 1,000 lines, ${edits} edits of a number, one question after each, over standard input and output. yaml-language-server ${peerVersion} has the JSON schema of the same table; it waits for a pause in typing before it validates.`,
        table: [
          ['server', 'answer', 'median, ms', 'p95, ms', 'largest, ms'],
          ...servers.flatMap(({name, times}) =>
            Object.entries(times).map(([kind, values]) => [
              name,
              kind,
              ...[0.5, 0.95, 1].map(share => quantile(values, share).toFixed(1)),
            ]),
          ),
        ],
        sentences: [],
      },
      await goneWrong(quick ? 500 : 10_000),
    ];
  },
};
