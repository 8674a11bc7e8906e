/** The built language server of the browser, in a place that has nothing of Node's: what it says goes over a MessagePort. */
import {readFileSync} from 'node:fs';
import {createContext, runInContext} from 'node:vm';
import {MessageChannel as NodeChannel, type MessagePort as NodePort} from 'node:worker_threads';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  CompletionRequest,
  createProtocolConnection,
  type DataCallback,
  type Diagnostic,
  DidOpenTextDocumentNotification,
  type Disposable,
  DocumentFormattingRequest,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  type InitializeResult,
  type Message,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
} from 'vscode-languageserver/node';

const built = (name: string) => readFileSync(new URL(`../../../dist/browser/${name}`, import.meta.url), 'utf8');

class PortReader extends AbstractMessageReader {
  readonly #port: NodePort;

  constructor(port: NodePort) {
    super();
    this.#port = port;
  }

  listen(hear: DataCallback): Disposable {
    this.#port.on('message', hear);
    return {dispose: () => void this.#port.off('message', hear)};
  }
}

class PortWriter extends AbstractMessageWriter {
  readonly #port: NodePort;

  constructor(port: NodePort) {
    super();
    this.#port = port;
  }

  async write(message: Message): Promise<void> {
    this.#port.postMessage(message);
  }

  end(): void {}
}

let channel: NodeChannel;
let connection: ProtocolConnection;
let initialized: InitializeResult;
/** Problems by document, and who waits for them. */
let problems: Map<string, Diagnostic[]>;
let told: () => void;

beforeEach(async () => {
  channel = new NodeChannel();
  // What a worker has by the standard, and nothing else.
  const standard = {setTimeout, clearTimeout, queueMicrotask, performance, TextEncoder, TextDecoder, URL, console};
  const context = createContext({...standard, self: channel.port1});
  expect(runInContext('typeof process + typeof require + typeof Buffer', context)).toBe('undefinedundefinedundefined');
  runInContext(built('server.js'), context);
  connection = createProtocolConnection(new PortReader(channel.port2), new PortWriter(channel.port2));
  problems = new Map();
  told = () => {};
  connection.onNotification(PublishDiagnosticsNotification.type, ({uri, diagnostics}) => {
    problems.set(uri, diagnostics);
    told();
  });
  connection.listen();
  const folders = [{uri: 'vscode-vfs://github/somebody/something', name: 'something'}];
  initialized = await connection.sendRequest(InitializeRequest.type, {
    ...{processId: null, rootUri: folders[0]!.uri, workspaceFolders: folders, capabilities: {}},
  });
  await connection.sendNotification(InitializedNotification.type, {});
});

afterEach(() => {
  connection.dispose();
  channel.port1.close();
  channel.port2.close();
});

async function opened(uri: string, text: string): Promise<Diagnostic[]> {
  const isTold = new Promise<void>(resolve => {
    told = () => problems.has(uri) && resolve();
  });
  const textDocument = {uri, languageId: 'lora-sweep', version: 1, text};
  await connection.sendNotification(DidOpenTextDocumentNotification.type, {textDocument});
  await isTold;
  return problems.get(uri)!;
}

const whole = `model: org/name
data: {train: rows.jsonl, format: completion}
methods: [lora, dora]
learning_rate: {from: 1e-5, to: 1e-2, per_decade: 4}
seeds: [1, 2, 3]
`;

for (const uri of [
  'vscode-vfs://github/somebody/something/a.sweep.yaml',
  'file:///a.sweep.yaml',
  'untitled:Untitled-1',
])
  it(`has no problem with a file that is right, without looking for its model and data: ${uri}`, async () => {
    expect(await opened(uri, whole)).toEqual([]);
  });

it('validates, completes, explains and formats', async () => {
  const uri = 'vscode-vfs://github/somebody/something/b.sweep.yaml';
  const found = await opened(uri, whole.replace('learning_rate', 'learning_rte').replace('dora', 'dra'));
  const messages = found.map(({message}) => message).join('\n');
  expect(messages).toMatch(/learning_rate/);
  expect(messages).toMatch(/dora/);
  expect(found.some(({codeDescription}) => codeDescription)).toBe(false);
  const textDocument = {uri};
  const items = await connection.sendRequest(CompletionRequest.type, {
    textDocument,
    position: {line: 2, character: 10},
  });
  expect((Array.isArray(items) ? items : items?.items)?.map(({label}) => label)).toEqual(
    expect.arrayContaining(['pissa', 'vera']),
  );
  const hover = await connection.sendRequest(HoverRequest.type, {textDocument, position: {line: 2, character: 12}});
  expect(JSON.stringify(hover)).toContain('LoRA');
  const options = {tabSize: 2, insertSpaces: true};
  expect(await connection.sendRequest(DocumentFormattingRequest.type, {textDocument, options})).toBeInstanceOf(Array);
});

it('offers nothing that trains', () => {
  expect(initialized.capabilities.codeLensProvider).toBeUndefined();
  expect(initialized.capabilities.hoverProvider).toBe(true);
});

it('client and server ask for no module but the editor', () => {
  for (const name of ['server.js', 'extension.js'])
    expect(
      [...built(name).matchAll(/\brequire\(("[^"]*")\)/g)]
        .map(([, module]) => module)
        .filter(one => one !== '"vscode"'),
    ).toEqual([]);
});
