/** The formats that come from strangers: sound files of each, and the reader that the program has for it. */
import {cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {Follower} from '../../client/run/follow.ts';
import {samplesText} from '../../client/samples/samples-text.ts';
import {emptyRun, foldAll} from '../../core/run/fold.ts';
import {formatLine} from '../../core/run/line.ts';
import {formatSnapshot, readSnapshot} from '../../core/run/snapshot.ts';
import {difference} from '../../core/run/update.ts';
import {readSweep} from '../../core/sweep/read.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {readAdapter} from '../../trainer/adapter/read-adapter.ts';
import {encodeChat} from '../../trainer/data/chat.ts';
import {columnsOf, readRows} from '../../trainer/data/read/rows.ts';
import {openGguf} from '../../trainer/model/gguf.ts';
import {readConfig} from '../../trainer/model/read-config.ts';
import {recordLines} from '../../trainer/results/record-lines.ts';
import {reportPage} from '../../trainer/results/report.ts';
import {rowKinds} from '../../trainer/results/rows.ts';
import {formats as showFormats, showRun} from '../../trainer/results/show.ts';
import {markdownSummary, textSummary} from '../../trainer/results/summary.ts';
import {verifyRun} from '../../trainer/results/verify.ts';
import {readManifest} from '../../trainer/store/manifest.ts';
import {openChatTemplate} from '../../trainer/text/chat-template.ts';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {readHeader, readTensor} from '../../trainer/weights/safetensors.ts';
import {toyEvents} from '../core/run/toy-run.ts';
import {realTexts} from '../core/sweep/mutations.ts';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));
const demo = fileURLToPath(new URL('../../demo/', import.meta.url));
const read = (...path: string[]) => readFileSync(join(...path));

export interface FuzzFormat {
  name: string;
  sources: Buffer[];
  /** Reads a file as the program does; throws what the program would. */
  reader(folder: string): (bytes: Buffer) => unknown;
}

/** A reader of a file of this name in the folder. */
const ofFile =
  (name: string, work: (file: string, folder: string) => unknown, before: (folder: string) => void = () => {}) =>
  (folder: string) => {
    before(folder);
    const file = join(folder, name);
    return async (bytes: Buffer) => {
      writeFileSync(file, bytes);
      await work(file, folder);
    };
  };

async function rowsOf(file: string): Promise<void> {
  await columnsOf(file, 20);
  let count = 0;
  for await (const {values} of readRows([file], 2000)) count += JSON.stringify(values).length;
  if (count < 0) throw new Error('no length is below nought');
}

const jsonRows = () => {
  const lines = read(demo, 'desc-train.jsonl').toString().split('\n').slice(0, 12);
  const chat = JSON.stringify({messages: [{role: 'user', content: 'Hi'}], input_ids: [1, 2, 3], labels: [-100, 2, 3]});
  return [Buffer.from(`${lines.join('\n')}\n`), Buffer.from(`${chat}\n${chat}\n`)];
};
const jsonList = () => [
  Buffer.from(
    JSON.stringify(
      [
        {a: 'x', b: [1, {c: null}]},
        {a: 'y "\\', b: 2},
      ],
      null,
      1,
    ),
  ),
];

const tokenizers = () =>
  ['bytelevel', 'spm', 'metaspace', 'gemma'].map(name => read(fixtures, 'goldens/tokenizers', name, 'tokenizer.json'));

const templates = () =>
  [
    ...['chatml', 'llama3', 'mistral', 'thinking'].map(
      name => JSON.parse(read(fixtures, 'chat', name, 'tokenizer_config.json').toString())['chat_template'] as string,
    ),
    read(fixtures, 'chat/gemma/chat_template.jinja').toString(),
  ].map(text => Buffer.from(text));

const conversation = [
  {role: 'user', content: 'Hello'},
  {role: 'assistant', content: 'Hi there'},
];

function events(): Buffer {
  const all = toyEvents(200);
  const kept = [...all.slice(0, 60), ...all.filter(({event}) => event !== 'step').slice(0, 60), ...all.slice(-4)];
  const others = [
    {event: 'curvature', at: 5, method: 'lora', rank: 8, batchSize: 4, seed: 1, step: 0, layer: 0, module: 'q_proj'},
    {event: 'aggregate', at: 6, method: 'pissa', rank: 8, batchSize: 4, learningRate: 1e-3, task: 'x', metric: 'loss'},
  ].map(
    one =>
      `${JSON.stringify({...one, lambdaMax: 3, lambdaMin: -1, iterations: 9, residual: 0.1, mean: 1, std: 0.1, seeds: 3})}\n`,
  );
  return Buffer.from(kept.map(formatLine).join('') + others.join(''));
}

const bundle = {script: '', style: ''};

async function everythingOfRun(_: string, folder: string): Promise<void> {
  for (const kind of rowKinds)
    for (const format of showFormats) for (const line of (await showRun(folder, kind, format)).lines) void line.length;
  await verifyRun(folder).catch(refusal);
  const follower = new Follower(folder);
  await follower.read();
  pagesOf(follower.state(false));
}

function pagesOf(state: typeof emptyRun): void {
  textSummary(state);
  markdownSummary(state);
  reportPage(state, bundle);
  difference(emptyRun, state);
}

/** What the program refuses is no fault. */
export function refusal(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'SweepError') throw error;
}

const manifest = {
  name: 'a',
  versions: {'lora-sweep': '0.3.0'},
  engine: 'compiled',
  machine: {platform: 'linux', architecture: 'x64', processor: 'p', cores: 2, memoryBytes: 1e9},
  model: {path: 'base', hash: 'ab', folder: '/nowhere', revision: null, files: {'config.json': 'cd'}},
  data: [{path: 'a.jsonl', hash: 'ef', file: '/nowhere/a.jsonl'}],
  settings: {model: 'ab'},
  seeds: [1, 2],
  curvature: null,
  rerun: {folder: '/nowhere', command: 'lora-sweep run a.sweep.yaml'},
  starts: [{at: '2026-01-01T00:00:00Z', sweepFile: 'a.sweep.yaml', sweepHash: 'ab', engine: 'compiled', versions: {}}],
};

const adapter = (file: string) => read(fixtures, 'families/llama-biased/adapter', file);
const withConfig = (folder: string) =>
  writeFileSync(join(folder, 'adapter_config.json'), adapter('adapter_config.json'));
const withTensors = (folder: string) =>
  writeFileSync(join(folder, 'adapter_model.safetensors'), adapter('adapter_model.safetensors'));

function withTokenizer(folder: string): void {
  cpSync(join(fixtures, 'chat/chatml/tokenizer.json'), join(folder, 'tokenizer.json'), {dereference: true});
}

export const formats: FuzzFormat[] = [
  {
    name: 'sweep file',
    sources: realTexts().map(text => Buffer.from(text)),
    reader: () => bytes => {
      const {sweep} = readSweep(bytes.toString('utf8'));
      if (sweep) expandTrials(sweep);
    },
  },
  {name: 'jsonl', sources: jsonRows(), reader: ofFile('a.jsonl', rowsOf)},
  {name: 'json', sources: jsonList(), reader: ofFile('a.json', rowsOf)},
  {name: 'gzip', sources: jsonRows().map(bytes => gzipSync(bytes)), reader: ofFile('a.jsonl.gz', rowsOf)},
  {
    name: 'parquet',
    sources: readdirSync(join(fixtures, 'parquet'))
      .filter(name => name.endsWith('.parquet'))
      .map(name => read(fixtures, 'parquet', name)),
    reader: ofFile('a.parquet', rowsOf),
  },
  {
    name: 'safetensors',
    sources: [
      adapter('adapter_model.safetensors'),
      read(fixtures, 'families/qwen2/model.safetensors').subarray(0, 6000),
    ],
    reader: ofFile('model.safetensors', file => {
      for (const tensor of readHeader(file).tensors.values()) if (tensor.length < 1e6) readTensor(tensor);
    }),
  },
  {
    name: 'gguf',
    sources: ['llama', 'qwen2', 'phi3', 'gemma3'].map(name => read(fixtures, 'gguf', `${name}.gguf`)),
    reader: ofFile('a.gguf', openGguf),
  },
  {
    name: 'tokenizer.json',
    sources: tokenizers(),
    reader: ofFile('tokenizer.json', (_, folder) => {
      const tokenizer = openTokenizer(folder);
      const ids = tokenizer.encode('Hello, <s> wörld\n 12 \u{1f600}', {special: true});
      tokenizer.decode(ids, {skipSpecial: true});
      tokenizer.ends(ids, 'Hello');
    }),
  },
  {
    name: 'config.json',
    sources: ['llama3', 'qwen2', 'phi3-longrope', 'gemma3-multimodal', 'smollm3'].map(name =>
      read(fixtures, 'families', name, 'config.json'),
    ),
    reader: ofFile('config.json', (_, folder) => readConfig(folder)),
  },
  {
    name: 'chat template',
    sources: templates(),
    reader: ofFile(
      'chat_template.jinja',
      (_, folder) => {
        const row = {values: {}, file: 'a.jsonl', line: 1};
        encodeChat({messages: conversation}, row, {template: openChatTemplate(folder), tokenizer: openOnce(folder)});
      },
      withTokenizer,
    ),
  },
  {
    name: 'adapter_config.json',
    sources: [
      adapter('adapter_config.json'),
      Buffer.from(
        JSON.stringify({...JSON.parse(adapter('adapter_config.json').toString()), rank_pattern: {'layers.0.*proj': 4}}),
      ),
    ],
    reader: ofFile('adapter_config.json', (_, folder) => readAdapter(folder), withTensors),
  },
  {
    name: 'adapter tensors',
    sources: [adapter('adapter_model.safetensors')],
    reader: ofFile('adapter_model.safetensors', (_, folder) => readAdapter(folder), withConfig),
  },
  {
    name: 'events.jsonl',
    sources: [events()],
    reader: ofFile('events.jsonl', everythingOfRun, folder => {
      writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    }),
  },
  {
    name: 'manifest.json',
    sources: [Buffer.from(JSON.stringify(manifest, null, 2))],
    reader: ofFile('manifest.json', async (file, folder) => {
      const known = readManifest(file);
      if (known) recordLines(known);
      writeFileSync(join(folder, 'events.jsonl'), '');
      await verifyRun(folder);
    }),
  },
  {
    name: 'fold.json',
    sources: [Buffer.from(formatSnapshot({state: foldAll(emptyRun, toyEvents(200)), bytes: 10, tail: 'x'}))],
    reader: () => bytes => {
      const snapshot = readSnapshot(bytes.toString('utf8'));
      if (snapshot) pagesOf(snapshot.state);
    },
  },
  {
    name: 'samples',
    sources: [
      Buffer.from(
        `${JSON.stringify({row: 1, sample: 1, output: 'x', expected: 'y', extracted: null, verdict: false})}\n`.repeat(
          4,
        ),
      ),
    ],
    reader: ofFile('lora-5-0.jsonl', async (file, folder) => {
      samplesText(file, readFileSync(file, 'utf8'));
      mkdirSync(join(folder, 'samples'), {recursive: true});
      cpSync(file, join(folder, 'samples', 'lora-5-0.jsonl'));
      const trial = {id: 'lora', method: 'lora', rank: 4, alpha: 4, batchSize: 1, learningRate: 1, seed: 1};
      const start = {event: 'run-started', at: 1, name: 'a', trials: [trial], engine: 'x', reason: '', workers: 1};
      writeFileSync(join(folder, 'events.jsonl'), `${JSON.stringify({...start, resumed: false, steps: {}})}\n`);
      for (const line of (await showRun(folder, 'samples', 'table')).lines) void line.length;
    }),
  },
];

const opened = new Map<string, ReturnType<typeof openTokenizer>>();

function openOnce(folder: string): ReturnType<typeof openTokenizer> {
  const tokenizer = opened.get(folder) ?? openTokenizer(folder);
  opened.set(folder, tokenizer);
  return tokenizer;
}

/** A folder for one format's files, cleared away by `done`. */
export function fuzzFolder(): {folder: string; done(): void} {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-fuzz-'));
  return {folder, done: () => rmSync(folder, {recursive: true, force: true})};
}
