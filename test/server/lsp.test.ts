import {execFile} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {gzipSync} from 'node:zlib';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {
  CodeActionRequest,
  CodeLensRequest,
  type CompletionItem,
  CompletionRequest,
  DidChangeWatchedFilesNotification,
  DocumentFormattingRequest,
  DocumentLinkRequest,
  DocumentSymbolRequest,
  ExecuteCommandRequest,
  FileChangeType,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
} from 'vscode-languageserver/node';
import {methods} from '../../core/method/methods.ts';
import {type Client, startClient} from './client.ts';
import {marked} from './marked.ts';

const fixtures = fileURLToPath(new URL('../fixtures/sweeps/', import.meta.url));
const program = fileURLToPath(new URL('../../dist/trainer/cli.js', import.meta.url));
const demo = fileURLToPath(new URL('../../demo/', import.meta.url));

let folder: string;
let client: Client;
let env: NodeJS.ProcessEnv;
let opened = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-lsp-'));
  cpSync(join(demo, 'base'), join(folder, 'base'), {recursive: true});
  cpSync(join(demo, 'desc-train.jsonl'), join(folder, 'train.jsonl'));
  cpSync(join(demo, 'desc-test.jsonl'), join(folder, 'test.jsonl'));
  cpSync(fixtures, folder, {recursive: true});
  const hub = join(folder, 'hub');
  mkdirSync(join(hub, 'models--org--tiny', 'refs'), {recursive: true});
  env = {...process.env, LORA_SWEEP_CACHE: join(folder, 'cache'), HF_HUB_CACHE: hub};
  client = await startClient(folder, env);
});
afterAll(async () => {
  expect(await client.close()).toBe(0);
  expect(client.errors()).toBe('');
  rmSync(folder, {recursive: true, force: true});
});

const sweep = `model: base
data: {train: train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora, pissa]
learning_rate: {from: 2e-4, to: 2e-2, per_decade: 4}
seeds: [1, 2, 3]
training: {steps: 5}
evaluate: {task: exact-match, data: test.jsonl, max_new_tokens: 10}
`;

/** Opens a text under a name of its own; where it has a cursor mark, that is the position. */
function open(source: string): {uri: string; position: {line: number; character: number}; textDocument: {uri: string}} {
  const {text, position} = source.includes('▮') ? marked(source) : {text: source, position: {line: 0, character: 0}};
  const uri = pathToFileURL(join(folder, `open-${++opened}.sweep.yaml`)).href;
  client.open(uri, text);
  return {uri, position, textDocument: {uri}};
}

async function completed(source: string): Promise<CompletionItem[]> {
  const {textDocument, position} = open(source);
  const found = await client.connection.sendRequest(CompletionRequest.type, {textDocument, position});
  return Array.isArray(found) ? found : (found?.items ?? []);
}

const labels = async (source: string) => (await completed(source)).map(({label}) => label);

/** The text after taking an item. */
async function taken(source: string, label: string): Promise<string> {
  const item = (await completed(source)).find(found => found.label === label);
  const edit = item?.textEdit;
  if (!edit || !('range' in edit)) return `no ${label}`;
  const {text} = marked(source);
  const lines = text.split('\n');
  const {start, end} = edit.range;
  const line = lines[start.line]!;
  lines[start.line] = line.slice(0, start.character) + edit.newText + line.slice(end.character);
  return lines.join('\n');
}

describe('completion', () => {
  it('offers the keys of the mapping around the cursor that are not there yet, required ones first', async () => {
    const top = await completed('model: base\n▮');
    expect(top.map(({label}) => label)).not.toContain('model');
    expect(top.toSorted((a, b) => ((a.sortText ?? '') < (b.sortText ?? '') ? -1 : 1))[0]?.label).toBe('data');
    expect(await labels('data:\n  tr▮')).toContain('train');
    expect(await labels('data: {train: a.jsonl, ▮}')).not.toContain('train');
    expect(await labels('training:\n  warm▮')).toContain('warmup_ratio');
    expect(await labels('evaluate:\n  - ▮')).toContain('task');
    expect(await labels('methods:\n  pissa:\n    ▮')).toContain('iterations');
  });

  it('inserts what YAML needs', async () => {
    expect(await taken('mo▮', 'model')).toBe('model: ');
    expect(await taken('tra▮', 'training')).toBe('training:\n  ');
    expect(await taken('mo▮: base', 'model')).toBe('model: base');
    expect(await taken('methods: [lora, pi▮]', 'pissa')).toBe('methods: [lora, pissa]');
  });

  it('offers words, methods not listed yet, and whole values', async () => {
    const others = Object.keys(methods).filter(name => name !== 'lora');
    expect(await labels('methods: [lora, ▮]')).toEqual(others);
    expect(await labels('methods:\n  - lora\n  - ▮')).toEqual(others);
    expect(await labels('training: {schedule: ▮}')).toEqual(['cosine', 'linear', 'constant']);
    expect(await labels('alpha: ▮')).toContain('rank*sqrt(rank)');
    expect(await labels('data: {shuffle: ▮}')).toEqual(['true', 'false']);
    expect((await labels('methods: [pissa]\nlearning_rate: ▮'))[0]).toMatch(/^\{from: \S+, to: \S+, per_decade: 4\}$/);
  });

  it('offers what lies on this machine: models, data files, columns, targets', async () => {
    expect(await labels('model: ▮')).toEqual(expect.arrayContaining(['base', 'org/tiny']));
    expect(await labels('data: {train: ▮}')).toEqual(expect.arrayContaining(['train.jsonl', 'test.jsonl']));
    expect(await labels('data:\n  train: train.jsonl\n  columns: {prompt: ▮}')).toEqual(['prompt', 'answer']);
    expect(await labels('model: base\ntargets: [q_proj, ▮]')).toEqual(expect.arrayContaining(['v_proj', 'down_proj']));
  });
});

describe('an open document', () => {
  it('has its problems as it is typed, and none when they are mended', async () => {
    const {uri} = open(sweep.replace('methods', 'method'));
    const codes = (found: {code?: unknown}[]) => found.map(({code}) => code);
    const first = await client.diagnostics(uri, found => found.length > 0);
    expect(codes(first)).toEqual(['unknown-key']);
    client.change(uri, 2, sweep);
    expect(await client.diagnostics(uri, (_, version) => version === 2)).toEqual([]);
    client.closeDocument(uri);
    expect(await client.diagnostics(uri, (_, version) => version === undefined)).toEqual([]);
  });

  it('has the problems of what it names: model, columns, targets, rank', async () => {
    const broken = async (text: string) => {
      const {uri} = open(text);
      const found = await client.diagnostics(uri, problems => problems.some(({severity}) => severity === 1));
      return found.map(({code}) => code);
    };
    expect(await broken(sweep.replace('model: base', 'model: bases'))).toEqual(['model/missing']);
    expect(await broken(sweep.replace('train.jsonl', 'nowhere.jsonl'))).toContain('data/missing-file');
    expect(await broken(sweep.replace('completion: answer', 'completion: answr'))).toContain('data/missing-column');
    expect(await broken(`${sweep}targets: [q_prj]\n`)).toContain('model/unknown-target');
    expect(await broken(`${sweep}rank: 400\n`)).toContain('model/rank-too-large');
  });

  it('has fixes for a misspelt column and target, and for a rank', async () => {
    const {uri, textDocument} = open(`${sweep.replace('completion: answer', 'completion: answr')}rank: 8\n`);
    await client.diagnostics(uri, found => found.some(({code}) => code === 'data/missing-column'));
    const whole = {start: {line: 0, character: 0}, end: {line: 99, character: 0}};
    const actions = await client.connection.sendRequest(CodeActionRequest.type, {
      textDocument,
      range: whole,
      context: {diagnostics: []},
    });
    expect(actions?.map(({title}) => title)).toContain('Change to answer');
  });

  it('answers every other request', async () => {
    const {textDocument, uri, position} = open(sweep.replace('pissa', 'pis▮sa'));
    await client.diagnostics(uri, () => true);
    const ask = client.connection;
    const hover = async () => {
      const found = await ask.sendRequest(HoverRequest.type, {textDocument, position});
      return JSON.stringify(found?.contents);
    };
    // How many numbers are trained is known once the model was looked at.
    await expect.poll(hover).toContain('numbers at rank 8');
    const lenses = async () =>
      (await ask.sendRequest(CodeLensRequest.type, {textDocument}))?.map(l => l.command?.title);
    await expect.poll(lenses).toEqual([expect.stringMatching(/^Run 54 trials .*GB$/), 'Submit…', 'Probe curvature']);
    const links = await ask.sendRequest(DocumentLinkRequest.type, {textDocument});
    expect(links?.map(({target}) => target?.slice(target.lastIndexOf('/') + 1))).toEqual([
      'config.json',
      'train.jsonl',
      'test.jsonl',
    ]);
    expect(await ask.sendRequest(DocumentSymbolRequest.type, {textDocument})).toHaveLength(7);
    expect(await ask.sendRequest(FoldingRangeRequest.type, {textDocument})).toEqual([]);
    const range = {start: {line: 0, character: 0}, end: {line: 9, character: 0}};
    const hints = await ask.sendRequest(InlayHintRequest.type, {textDocument, range});
    expect(hints?.map(({label}) => label)).toEqual(['= 54 trials', '9 rates']);
    const options = {tabSize: 2, insertSpaces: true};
    expect(await ask.sendRequest(DocumentFormattingRequest.type, {textDocument, options})).toEqual([]);
  });

  it('knows nothing of a document that is closed', async () => {
    const {textDocument, uri} = open(sweep);
    client.closeDocument(uri);
    expect(
      await client.connection.sendRequest(HoverRequest.type, {textDocument, position: {line: 0, character: 1}}),
    ).toBeNull();
    expect(await client.connection.sendRequest(DocumentSymbolRequest.type, {textDocument})).toEqual([]);
  });
});

describe('the command and the editor', () => {
  it('read the columns of the same kinds of data files', async () => {
    const columns = (file: string): Promise<unknown> =>
      client.connection.sendRequest(ExecuteCommandRequest.type, {
        command: 'loraSweep.server.columns',
        arguments: [file],
      });
    const parquet = fileURLToPath(new URL('../fixtures/parquet/snappy.parquet', import.meta.url));
    expect(await columns(parquet)).toEqual(expect.arrayContaining(['query', 'response']));
    writeFileSync(join(folder, 'rows.jsonl.gz'), gzipSync('{"question": "1 + 1", "answer": "2"}\n'));
    expect(await columns(join(folder, 'rows.jsonl.gz'))).toEqual(['question', 'answer']);
    expect(await columns(join(folder, 'lost.jsonl'))).toEqual([]);
  });

  it('show the same problems of every fixture, and the workspace check finds them all', async () => {
    const result: unknown = await client.connection.sendRequest(ExecuteCommandRequest.type, {
      command: 'loraSweep.server.checkWorkspace',
      arguments: [],
    });
    const names = readdirSync(fixtures).filter(name => name.endsWith('.sweep.yaml'));
    expect(names.length).toBeGreaterThan(8);
    let withErrors = 0;
    for (const name of names) {
      const file = join(folder, name);
      const shown = await client.diagnostics(pathToFileURL(file).href, () => true);
      const run = promisify(execFile)(process.execPath, [program, 'check', file, '--json'], {env});
      const {stdout} = await run.catch((error: {stdout: string}) => error);
      const printed = JSON.parse(stdout) as {code: string; severity: string; message: string; range: object}[];
      const severities = ['', 'error', 'warning', 'information'];
      const asPrinted = shown.map(({code, severity, message, range}) => ({
        code,
        severity: severities[severity ?? 0],
        message,
        range,
      }));
      expect(
        printed.map(({code, severity, message, range}) => ({code, severity, message, range})),
        name,
      ).toEqual(asPrinted);
      if (printed.some(({severity}) => severity === 'error')) withErrors++;
      writeFileSync(file, readFileSync(file));
    }
    expect(result).toEqual({files: names.length, withErrors});
  });
});

describe('files that are not open', () => {
  it('have their problems taken back when they are mended or gone, once all were checked', async () => {
    const [wrong, gone] = ['wrong', 'gone'].map(name => join(folder, `${name}.sweep.yaml`));
    for (const file of [wrong!, gone!]) writeFileSync(file, sweep.replace('lora,', 'lroa,'));
    const [uri, other] = [wrong!, gone!].map(file => pathToFileURL(file).href);
    const changed = (type: FileChangeType) => (one: string) =>
      client.connection.sendNotification(DidChangeWatchedFilesNotification.type, {changes: [{uri: one, type}]});
    await client.connection.sendRequest(ExecuteCommandRequest.type, {command: 'loraSweep.server.checkWorkspace'});
    for (const one of [uri!, other!]) expect(await client.diagnostics(one, found => found.length > 0)).not.toEqual([]);
    writeFileSync(wrong!, sweep);
    await changed(FileChangeType.Changed)(uri!);
    expect(await client.diagnostics(uri!, found => found.every(({severity}) => severity !== 1))).toBeDefined();
    rmSync(gone!);
    await changed(FileChangeType.Deleted)(other!);
    expect(await client.diagnostics(other!, found => found.length === 0)).toEqual([]);
  });
});
