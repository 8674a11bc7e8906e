/** What an editor asks → the features, over any connection. Only this file knows the protocol. */
import {
  CodeLensRefreshRequest,
  type Connection,
  DidChangeWatchedFilesNotification,
  type DocumentUri,
  ErrorCodes,
  ResponseError,
  type ServerCapabilities,
  TextDocumentSyncKind,
  TextDocuments,
  type WorkspaceFolder,
} from 'vscode-languageserver/node';
import {TextDocument} from 'vscode-languageserver-textdocument';
import {runsFolder} from '../core/sweep/folder.ts';
import type {Inspector} from '../core/sweep/inspection.ts';
import {fileEndings} from '../core/sweep/table/field.ts';
import {definition, references, rename, renamed} from './anchors.ts';
import {codeActions} from './code-actions.ts';
import {codeLenses} from './code-lenses.ts';
import {completion} from './completion.ts';
import {diagnostics} from './diagnostics.ts';
import type {SweepDocument} from './document.ts';
import {foldingRanges} from './folding.ts';
import {formatting} from './formatting.ts';
import {hover} from './hover.ts';
import {inlayHints} from './inlay-hints.ts';
import {links} from './links.ts';
import {symbols} from './symbols.ts';
import {Watch} from './watch.ts';
import {ClosedFiles} from './workspace.ts';

const checkWorkspace = 'loraSweep.server.checkWorkspace';
/** Of a data file, given by its absolute path. */
const columns = 'loraSweep.server.columns';
/** Models that a sweep file in the folder of this path could name. */
const models = 'loraSweep.server.models';

const capabilities: ServerCapabilities = {
  textDocumentSync: {openClose: true, change: TextDocumentSyncKind.Incremental, save: true},
  completionProvider: {triggerCharacters: [':', ' ', '[', '{', ',', '/', '-']},
  hoverProvider: true,
  documentSymbolProvider: true,
  foldingRangeProvider: true,
  documentLinkProvider: {},
  definitionProvider: true,
  referencesProvider: true,
  renameProvider: {prepareProvider: true},
  documentFormattingProvider: true,
  inlayHintProvider: true,
  codeLensProvider: {},
  codeActionProvider: {codeActionKinds: ['quickfix']},
  executeCommandProvider: {commands: [checkWorkspace, columns, models]},
  workspace: {workspaceFolders: {supported: true, changeNotifications: true}},
};

/** What the editor said of itself. */
interface Editor {
  folders: WorkspaceFolder[];
  followsFolders: boolean;
  /** It tells of changed files when it is asked to. */
  watchesFiles: boolean;
  /** It has a command that fetches models. */
  fetches: boolean;
  /** What it asks for again when told to. */
  refreshes: {lenses: boolean; hints: boolean};
}

/** Serves one editor until it says goodbye. `runs`: it has commands that train, which stand above each file. */
export function serveOver(connection: Connection, inspector: Inspector, {runs}: {runs: boolean}): void {
  const texts = new TextDocuments(TextDocument);
  const editor: Editor = {
    folders: [],
    followsFolders: false,
    watchesFiles: false,
    fetches: false,
    refreshes: {lenses: false, hints: false},
  };
  let again: ReturnType<typeof setTimeout> | undefined;
  connection.onShutdown(() => clearTimeout(again));
  const watch = new Watch(inspector, {
    publish: document =>
      void connection.sendDiagnostics({
        uri: document.uri,
        version: document.version,
        diagnostics: diagnostics(document),
      }),
    refresh() {
      refresh(connection, editor);
      clearTimeout(again);
      again = setTimeout(refresh, againMilliseconds, connection, editor);
    },
    said() {
      if (editor.refreshes.lenses) void connection.sendRequest(CodeLensRefreshRequest.type);
    },
    failed: error => connection.console.error(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  greet(connection, editor, runs);
  const closed = new ClosedFiles(inspector, watch, file => void connection.sendDiagnostics(file));
  follow(connection, texts, watch, closed);
  answer(connection, watch, inspector, editor);
  connection.onExecuteCommand(async ({command, arguments: [file] = []}) => {
    if (command === columns && typeof file === 'string') return inspector.columns(file, '.');
    if (command === models && typeof file === 'string') return inspector.candidates('model', '', file);
    if (command !== checkWorkspace) return null;
    return closed.checkFolders(editor.folders);
  });
  texts.listen(connection);
  connection.listen();
}

/** An editor that asks for its lenses at this very moment drops a wish to ask anew: it is repeated once, so many milliseconds later. */
const againMilliseconds = 2000;

function refresh(connection: Connection, {refreshes}: Editor): void {
  if (refreshes.lenses) void connection.sendRequest(CodeLensRefreshRequest.type);
  if (refreshes.hints) connection.languages.inlayHint.refresh();
}

/** Everything that is read around a sweep file, and sweep files themselves: also those that are not open have problems. */
const watchedFiles = [
  '**/*.sweep.{yaml,yml}',
  `**/*{${fileEndings.join(',')}}`,
  '**/*.{safetensors,gguf,jinja,js,mjs,cjs}',
];

/** Learns what the editor can do, and follows its workspace's folders. */
function greet(connection: Connection, editor: Editor, runs: boolean): void {
  connection.onInitialize(({capabilities: {workspace}, workspaceFolders, rootUri, initializationOptions}) => {
    editor.fetches = initializationOptions?.fetches === true;
    editor.folders = workspaceFolders ?? (rootUri ? [{uri: rootUri, name: ''}] : []);
    editor.followsFolders = workspace?.workspaceFolders ?? false;
    editor.watchesFiles = workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false;
    editor.refreshes = {
      lenses: workspace?.codeLens?.refreshSupport ?? false,
      hints: workspace?.inlayHint?.refreshSupport ?? false,
    };
    const {codeLensProvider, ...others} = capabilities;
    return {serverInfo: {name: 'lora-sweep'}, capabilities: {...others, ...(runs && {codeLensProvider})}};
  });
  connection.onInitialized(() => {
    const watchers = watchedFiles.map(globPattern => ({globPattern}));
    if (editor.watchesFiles) void connection.client.register(DidChangeWatchedFilesNotification.type, {watchers});
    if (!editor.followsFolders) return;
    connection.workspace.onDidChangeWorkspaceFolders(({added, removed}) => {
      const gone = new Set(removed.map(({uri}) => uri));
      editor.folders = [...editor.folders.filter(({uri}) => !gone.has(uri)), ...added];
    });
  });
}

/** Texts, files and runs as they change. */
function follow(connection: Connection, texts: TextDocuments<TextDocument>, watch: Watch, closed: ClosedFiles): void {
  texts.onDidChangeContent(({document}) => watch.changed(document.uri, document.version, document.getText()));
  texts.onDidSave(({document}) => watch.look(document.uri));
  texts.onDidClose(({document}) => {
    watch.closed(document.uri);
    void connection.sendDiagnostics({uri: document.uri, diagnostics: []});
    // What was asked for of all files is shown of closed ones, too.
    void closed.changed([document.uri]);
  });
  connection.onNotification('loraSweep/runChanged', ({folder}: {folder: string}) => watch.runChanged(folder));
  connection.onNotification('loraSweep/runSaid', ({folder, said}: {folder: string; said: string}) =>
    watch.runSaid(folder, said),
  );
  connection.onNotification('loraSweep/modelFetched', () => watch.lookAtAll());
  connection.onDidChangeWatchedFiles(({changes}) => {
    // Runs write all the time; the client tells when there is something to see.
    const told = changes.filter(({uri}) => !uri.includes(`/${runsFolder}/`));
    if (told.length === 0) return;
    watch.lookAtAll();
    void closed.changed(told.map(({uri}) => uri));
  });
}

/** The features, each asked for an open document. */
function answer(connection: Connection, watch: Watch, inspector: Inspector, editor: Editor): void {
  /** The answer for an open document; the empty one for a document that is not (or no longer) open. */
  const on = <T>(uri: DocumentUri, empty: T, feature: (document: SweepDocument) => T): T => {
    const document = watch.document(uri);
    return document ? feature(document) : empty;
  };
  connection.onHover(({textDocument: {uri}, position}) => on(uri, null, document => hover(document, position)));
  connection.onCompletion(({textDocument: {uri}, position}) =>
    on(uri, Promise.resolve([]), document => completion(document, position, inspector)),
  );
  connection.onDocumentSymbol(({textDocument: {uri}}) => on(uri, [], symbols));
  connection.onFoldingRanges(({textDocument: {uri}}) => on(uri, [], foldingRanges));
  connection.onDocumentLinks(({textDocument: {uri}}) => on(uri, [], links));
  connection.onCodeLens(({textDocument: {uri}}) =>
    on(uri, [], document => codeLenses(document, {fetches: editor.fetches, said: watch.saidOf(document)})),
  );
  connection.onCodeAction(({textDocument: {uri}, range}) =>
    on(uri, [], document => codeActions(document, range, editor.fetches)),
  );
  connection.onDefinition(({textDocument: {uri}, position}) =>
    on(uri, null, document => definition(document, position)),
  );
  connection.onReferences(({textDocument: {uri}, position, context}) =>
    on(uri, [], document => references(document, position, context.includeDeclaration)),
  );
  connection.onPrepareRename(({textDocument: {uri}, position}) =>
    on(uri, null, document => renamed(document, position)),
  );
  connection.onRenameRequest(({textDocument: {uri}, position, newName}) => {
    try {
      return on(uri, null, document => ({changes: {[uri]: rename(document, position, newName)}}));
    } catch (error) {
      return new ResponseError(ErrorCodes.InvalidParams, error instanceof Error ? error.message : String(error));
    }
  });
  connection.onDocumentFormatting(({textDocument: {uri}, options}) =>
    on(uri, [], document => formatting(document, options)),
  );
  connection.languages.inlayHint.on(({textDocument: {uri}, range}) =>
    on(uri, [], document => inlayHints(document, range)),
  );
}
