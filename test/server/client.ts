/** A real language client over stdio, for tests: the protocol's own library on the other end of the built program. */
import {type ChildProcess, spawn} from 'node:child_process';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {
  createProtocolConnection,
  type Diagnostic,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  InitializedNotification,
  InitializeRequest,
  type InitializeResult,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';

const program = fileURLToPath(new URL('../../dist/trainer/cli.js', import.meta.url));

export interface Client {
  connection: ProtocolConnection;
  initialized: InitializeResult;
  process: ChildProcess;
  /** What the server said outside of the protocol. */
  errors(): string;
  open(uri: string, text: string): void;
  /** Replaces the whole text. */
  change(uri: string, version: number, text: string): void;
  closeDocument(uri: string): void;
  /** The next diagnostics of a document that satisfy the condition (those already there count). */
  diagnostics(uri: string, when: (found: Diagnostic[], version: number | undefined) => boolean): Promise<Diagnostic[]>;
  /** Says goodbye; resolves with the server's exit status. */
  close(): Promise<number | null>;
}

/** Starts `lora-sweep lsp` with `folder` as its workspace. */
export async function startClient(folder: string, env: NodeJS.ProcessEnv = process.env): Promise<Client> {
  const child = spawn(process.execPath, [program, 'lsp', '--stdio'], {stdio: ['pipe', 'pipe', 'pipe'], env});
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const exited = new Promise<number | null>(resolve => child.on('exit', resolve));
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const diagnostics = diagnosticsOf(connection);
  connection.listen();
  const uri = pathToFileURL(folder).href;
  const initialized = await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: uri,
    workspaceFolders: [{uri, name: 'workspace'}],
    capabilities: {},
  });
  await connection.sendNotification(InitializedNotification.type, {});
  return {
    connection,
    initialized,
    process: child,
    errors: () => said,
    open(of, text) {
      const textDocument = {uri: of, languageId: 'lora-sweep', version: 1, text};
      void connection.sendNotification(DidOpenTextDocumentNotification.type, {textDocument});
    },
    change(of, version, text) {
      const textDocument = {uri: of, version};
      void connection.sendNotification(DidChangeTextDocumentNotification.type, {
        textDocument,
        contentChanges: [{text}],
      });
    },
    closeDocument(of) {
      void connection.sendNotification(DidCloseTextDocumentNotification.type, {textDocument: {uri: of}});
    },
    diagnostics,
    async close() {
      await connection.sendRequest(ShutdownRequest.type);
      await connection.sendNotification(ExitNotification.type);
      return exited;
    },
  };
}

/** Keeps the last diagnostics of each document, and tells who waits for some. */
function diagnosticsOf(connection: ProtocolConnection): Client['diagnostics'] {
  const latest = new Map<string, PublishDiagnosticsParams>();
  const listeners = new Set<() => void>();
  connection.onNotification(PublishDiagnosticsNotification.type, params => {
    latest.set(params.uri, params);
    for (const listener of listeners) listener();
  });
  return (uri, when) =>
    new Promise(resolve => {
      const look = () => {
        const found = latest.get(uri);
        if (!found || !when(found.diagnostics, found.version)) return;
        listeners.delete(look);
        resolve(found.diagnostics);
      };
      listeners.add(look);
      look();
    });
}
