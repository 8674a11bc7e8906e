/** Files made to do harm, each for the command: to wait for ever, to fill memory or disk, to command the terminal. */
import {execFileSync} from 'node:child_process';
import {closeSync, cpSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));
const demo = fileURLToPath(new URL('../../demo/', import.meta.url));

export interface Bomb {
  name: string;
  /** Puts it into a folder that has the demo's model (`base`), its rows (`a.jsonl`) and a sweep file of both (`a.sweep.yaml`). */
  lay(folder: string): void;
  /** What is run there; `check a.sweep.yaml` where nothing is said. */
  command?: string[];
  /** What has to be said. */
  says?: RegExp;
}

export const soundSweep = `model: base
data: {train: a.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora]
learning_rate: 1e-3
rank: 2
batch_size: 4
training: {steps: 2}
`;

/** A folder in which nothing is wrong yet. */
export function soundFolder(folder: string): void {
  mkdirSync(folder, {recursive: true});
  cpSync(join(demo, 'base'), join(folder, 'base'), {recursive: true});
  cpSync(join(demo, 'desc-test.jsonl'), join(folder, 'a.jsonl'));
  writeFileSync(join(folder, 'a.sweep.yaml'), soundSweep);
}

/** One after the other. */
const both =
  (...lay: ((folder: string) => void)[]) =>
  (folder: string): void => {
    for (const one of lay) one(folder);
  };

const write =
  (name: string, content: string | Buffer) =>
  (folder: string): void =>
    writeFileSync(join(folder, name), content);

const link =
  (name: string, target: string) =>
  (folder: string): void => {
    execFileSync('rm', ['-rf', join(folder, name)]);
    symlinkSync(target, join(folder, name));
  };

const pipe =
  (name: string) =>
  (folder: string): void => {
    execFileSync('rm', ['-rf', join(folder, name)]);
    execFileSync('mkfifo', [join(folder, name)]);
  };

/** A file of this many bytes, all nought, that takes no room. */
const sparse =
  (name: string, bytes: number) =>
  (folder: string): void => {
    const descriptor = openSync(join(folder, name), 'w');
    ftruncateSync(descriptor, bytes);
    closeSync(descriptor);
  };

const sweepOn =
  (train: string, ...lay: ((folder: string) => void)[]) =>
  (folder: string): void => {
    writeFileSync(join(folder, 'a.sweep.yaml'), soundSweep.replace('a.jsonl', train));
    for (const one of lay) one(folder);
  };

const json = (value: unknown) => JSON.stringify(value);
const parse = (file: string): Record<string, unknown> =>
  JSON.parse(execFileSync('cat', [file]).toString()) as Record<string, unknown>;

/** The demo's tokenizer with parts changed. */
const tokenizer =
  (change: Record<string, unknown>, config: Record<string, unknown> = {}) =>
  (folder: string): void => {
    const file = join(folder, 'base/tokenizer.json');
    writeFileSync(file, json({...parse(file), ...change}));
    const settings = join(folder, 'base/tokenizer_config.json');
    writeFileSync(settings, json({...parse(settings), ...config}));
  };

/** A sweep of conversations with this template. */
const template =
  (text: string) =>
  (folder: string): void => {
    writeFileSync(join(folder, 'base/chat_template.jinja'), text);
    writeFileSync(
      join(folder, 'a.sweep.yaml'),
      soundSweep.replace(/data: .*/, 'data: {train: c.jsonl, format: messages}'),
    );
    const messages = [
      {role: 'user', content: 'Hello there'},
      {role: 'assistant', content: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'},
    ];
    writeFileSync(join(folder, 'c.jsonl'), `${json({messages})}\n`.repeat(3));
  };

/** An adapter of the demo's model that a method starts from. */
const adapter =
  (change: Record<string, unknown>) =>
  (folder: string): void => {
    cpSync(join(fixtures, 'families/llama-biased/adapter'), join(folder, 'adapter'), {recursive: true});
    const file = join(folder, 'adapter/adapter_config.json');
    writeFileSync(file, json({...parse(file), ...change}));
    writeFileSync(
      join(folder, 'a.sweep.yaml'),
      soundSweep.replace('methods: [lora]', 'methods: {lora: {start_from: adapter}}'),
    );
  };

const safetensors = (header: string | Buffer, length?: bigint): Buffer => {
  const bytes = Buffer.from(header);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(bytes.length));
  return Buffer.concat([size, bytes]);
};

/** A GGUF header: magic, version, tensors, entries, and what follows. */
const gguf = (tensors: bigint, entries: bigint, rest: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(24);
  head.write('GGUF');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(tensors, 8);
  head.writeBigUInt64LE(entries, 16);
  return Buffer.concat([head, rest]);
};
const ggufModel =
  (bytes: Buffer) =>
  (folder: string): void => {
    writeFileSync(join(folder, 'm.gguf'), bytes);
    writeFileSync(join(folder, 'a.sweep.yaml'), soundSweep.replace('model: base', 'model: m.gguf'));
  };
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};

/** The numbers of a Parquet file's pages, as Thrift writes them. */
const varint = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
};
const whole = (value: number): number[] => varint(value * 2);

/** A Parquet file of one column of text whose one page says what is given. */
function parquet({
  unpacked,
  values,
  rows,
  codec = 0,
  data = [],
}: {
  unpacked: number;
  values: number;
  rows: number;
  codec?: number;
  data?: number[];
}): Buffer {
  const page = [
    ...[0x15, ...whole(0), 0x15, ...whole(unpacked), 0x15, ...whole(data.length)],
    ...[0x2c, 0x15, ...whole(values), 0x15, ...whole(0), 0x15, ...whole(3), 0x15, ...whole(3), 0, 0],
    ...data,
  ];
  const name = [...Buffer.from('prompt')];
  const text = (bytes: number[]) => [...varint(bytes.length), ...bytes];
  const schema = [
    ...[0x48, ...text([...Buffer.from('schema')]), 0x15, ...whole(1), 0],
    ...[0x15, ...whole(6), 0x25, ...whole(0), 0x18, ...text(name), 0x25, ...whole(0), 0],
  ];
  const meta = [
    ...[0x15, ...whole(6), 0x19, 0x15, ...whole(0), 0x19, 0x18, ...text(name), 0x15, ...whole(codec)],
    ...[0x16, ...whole(values), 0x16, ...whole(unpacked), 0x16, ...whole(page.length), 0x26, ...whole(4), 0],
  ];
  const group = [0x19, 0x1c, 0x26, ...whole(4), 0x1c, ...meta, 0, 0x16, ...whole(page.length), 0x16, ...whole(rows), 0];
  const footer = [0x15, ...whole(1), 0x19, 0x2c, ...schema, 0x16, ...whole(rows), 0x19, 0x1c, ...group, 0];
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from('PAR1'), Buffer.from(page), Buffer.from(footer), length, Buffer.from('PAR1')]);
}

/** A run folder with these events. */
const run =
  (events: string | Buffer, manifest = '{}') =>
  (folder: string): void => {
    mkdirSync(join(folder, 'r'), {recursive: true});
    writeFileSync(join(folder, 'r/events.jsonl'), events);
    writeFileSync(join(folder, 'r/manifest.json'), manifest);
  };
const trial = {id: 't', method: 'lora', rank: 2, alpha: 2, batchSize: 4, learningRate: 1e-3, seed: 1};
const started = {event: 'run-started', at: 1, name: 'a', trials: [trial], engine: 'e', reason: 'r', workers: 1};
const start = json({...started, resumed: false, steps: {4: 2}});
const show = (rows: string, format = 'table') => ['show', 'r', '--rows', rows, '--format', format];

const catastrophe = {type: 'Replace', pattern: {Regex: '(a+)+$'}, content: 'x'};
/** Rows on which it does not come to an end. */
const long = (folder: string) =>
  writeFileSync(join(folder, 'a.jsonl'), `${json({prompt: `${'a'.repeat(60)}!`, answer: 'b'})}\n`);
const doubling = {
  type: 'Sequence',
  normalizers: Array.from({length: 40}, () => ({type: 'Replace', pattern: {Regex: '(.)'}, content: 'aaaa'})),
};

const commands = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e';

const checked: Bomb[] = [
  // What is no file.
  {name: 'rows are a pipe', lay: sweepOn('p.jsonl', pipe('p.jsonl')), says: /is a pipe/},
  {name: 'packed rows are a pipe', lay: sweepOn('p.jsonl.gz', pipe('p.jsonl.gz')), says: /is a pipe/},
  {name: 'Parquet rows are a pipe', lay: sweepOn('p.parquet', pipe('p.parquet')), says: /is a pipe/},
  {name: 'rows are /dev/zero', lay: sweepOn('z.jsonl', link('z.jsonl', '/dev/zero')), says: /is a device/},
  {name: 'rows are the terminal', lay: sweepOn('t.json', link('t.json', '/dev/tty')), says: /t\.json/},
  {
    name: 'rows are a folder',
    lay: sweepOn('d.jsonl', folder => mkdirSync(join(folder, 'd.jsonl'))),
    says: /is a folder/,
  },
  {name: 'rows are a socket', lay: sweepOn('s.jsonl', socket('s.jsonl')), says: /is a socket/},
  {name: 'config.json is a pipe', lay: pipe('base/config.json'), says: /is a pipe/},
  {name: 'config.json is /dev/urandom', lay: link('base/config.json', '/dev/urandom'), says: /is a device/},
  {name: 'tokenizer.json is a pipe', lay: pipe('base/tokenizer.json'), says: /is a pipe/},
  {name: 'weights are a pipe', lay: pipe('base/model.safetensors'), says: /is a pipe/},
  {name: 'weights are /dev/zero', lay: link('base/model.safetensors', '/dev/zero'), says: /is a device/},
  {name: 'the sweep file is a pipe', lay: pipe('a.sweep.yaml'), says: /is a pipe/},
  {name: 'the sweep file is /dev/zero', lay: link('a.sweep.yaml', '/dev/zero'), says: /is a device/},
  {name: 'a link to itself', lay: sweepOn('l.jsonl', link('l.jsonl', 'l.jsonl')), says: /l\.jsonl/},
  // Sizes.
  {name: 'a config of 2 GB', lay: sparse('base/config.json', 2 ** 31), says: /more than 64 MB/},
  {name: 'a tokenizer of 20 GB', lay: sparse('base/tokenizer.json', 20 * 2 ** 30), says: /more than 64 MB/},
  {name: 'a sweep file of 5 GB', lay: sparse('a.sweep.yaml', 5 * 2 ** 30), says: /more than 64 MB/},
  {name: 'a row of 300 MB', lay: sweepOn('b.jsonl', sparse('b.jsonl', 300 << 20)), says: /more than 32 MB/},
  {name: 'a row of 10 GB in a list', lay: sweepOn('b.json', listOf(10)), says: /more than 32 MB|out of place/},
  {
    name: 'a row of twenty million lists',
    lay: sweepOn('b.jsonl', folder => write('b.jsonl', `{"prompt": [${'[],'.repeat(1e7)}[]]}`)(folder)),
    says: /more than 4,000,000 values/,
  },
  {
    name: 'a row nested a million deep',
    lay: sweepOn('b.jsonl', write('b.jsonl', `{"prompt": ${'['.repeat(1e6)}${']'.repeat(1e6)}}`)),
    says: /500 deep/,
  },
  {
    name: 'a config nested deep',
    lay: write('base/config.json', `${'{"a":'.repeat(2e5)}1${'}'.repeat(2e5)}`),
    says: /500 deep/,
  },
  {
    name: 'a config of fifteen million lists',
    lay: write('base/config.json', `{"a": [${'[],'.repeat(1.5e7)}[]]}`),
    says: /more than 4,000,000 values/,
  },
  // Archives.
  {
    name: 'a gzip bomb of nothing',
    lay: sweepOn(
      'g.jsonl.gz',
      packed(2000, () => Buffer.alloc(1 << 20)),
    ),
    says: /g\.jsonl\.gz/,
  },
  {
    name: 'a gzip bomb of blank lines',
    lay: sweepOn(
      'g.jsonl.gz',
      packed(2000, () => Buffer.alloc(1 << 20, '\n')),
    ),
    says: /more than 50 times its size/,
  },
  {
    name: 'a gzip bomb of rows',
    lay: sweepOn(
      'g.jsonl.gz',
      packed(300, () => Buffer.from('{"prompt": "a", "answer": "b"}\n'.repeat(30_000))),
    ),
  },
  {
    name: 'a page of 2 GB',
    lay: sweepOn('b.parquet', write('b.parquet', parquet({unpacked: 2 ** 31 - 1, values: 5, rows: 5, codec: 1}))),
    says: /whole Parquet file/,
  },
  {
    name: 'a page of two milliard values',
    lay: sweepOn(
      'b.parquet',
      write('b.parquet', parquet({unpacked: 8, values: 2 ** 31 - 1, rows: 5, data: [0, 0, 0, 0, 0, 0, 0, 0]})),
    ),
    says: /whole Parquet file/,
  },
  {
    name: 'a group of a thousand milliard rows',
    lay: sweepOn(
      'b.parquet',
      write('b.parquet', parquet({unpacked: 8, values: 5, rows: 1e12, data: [0, 0, 0, 0, 0, 0, 0, 0]})),
    ),
    says: /whole Parquet file/,
  },
  {name: 'a footer of 1 GB', lay: sweepOn('b.parquet', sparseParquet(2 ** 30)), says: /footer/},
  // Headers.
  {
    name: 'a header of 2^63 bytes',
    lay: write('base/model.safetensors', safetensors('{}', 2n ** 63n)),
    says: /the limit is/,
  },
  {
    name: 'a header of five million tensors',
    lay: write('base/model.safetensors', safetensors(`{${Array.from({length: 5e6}, (_, k) => `"${k}":{}`).join()}}`)),
    says: /more than 4,000,000 values/,
  },
  {
    name: 'a tensor of 2^52 numbers',
    lay: write(
      'base/model.safetensors',
      safetensors(json({a: {dtype: 'F32', shape: [2 ** 26, 2 ** 26], data_offsets: [0, 4]}})),
    ),
    says: /safetensors/,
  },
  {name: 'a GGUF file of 2^60 entries', lay: ggufModel(gguf(0n, 2n ** 60n)), says: /m\.gguf/},
  {name: 'a GGUF file of 2^60 tensors', lay: ggufModel(gguf(2n ** 60n, 0n)), says: /m\.gguf/},
  {name: 'a GGUF string of 2^62 bytes', lay: ggufModel(gguf(1n, 1n, u64(2n ** 62n))), says: /m\.gguf/},
  {
    name: 'an index of shards elsewhere',
    lay: folder => {
      execFileSync('rm', [join(folder, 'base/model.safetensors')]);
      write('base/model.safetensors.index.json', json({weight_map: {a: '../../../etc/passwd'}}))(folder);
    },
    says: /not a \.safetensors file of this folder/,
  },
  // Patterns and templates.
  {
    name: 'a normalizer without end',
    lay: both(long, tokenizer({normalizer: catastrophe})),
    says: /without a sign of life/,
  },
  {
    name: 'a normalizer without end on the end-of-text token',
    lay: tokenizer({normalizer: catastrophe}, {eos_token: `${'a'.repeat(60)}!`}),
  },
  {
    name: 'a pre-tokenizer without end',
    lay: both(
      long,
      tokenizer({
        pre_tokenizer: {type: 'Split', pattern: {Regex: '(a+)+$'}, behavior: 'Isolated', invert: false},
      }),
    ),
    says: /without a sign of life/,
  },
  {name: 'a normalizer that quadruples forty times', lay: tokenizer({normalizer: doubling})},
  {
    name: 'a template that counts to a milliard',
    lay: template('{% for i in range(1000000000) %}x{% endfor %}'),
    says: /a range of more than/,
  },
  {
    name: 'a template of loops in loops',
    lay: template(`${'{% for i in range(1000) %}'.repeat(6)}${'{% endfor %}'.repeat(6)}`),
  },
  {
    name: 'a template that doubles a text',
    lay: template(
      '{% set ns = namespace(s="ab") %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}',
    ),
  },
  {
    name: 'a template that doubles a list',
    lay: template(
      '{% set ns = namespace(s=[1, 2]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}',
    ),
  },
  {name: 'a template that calls itself', lay: template('{% macro f(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}')},
  {name: 'a template of brackets', lay: template(`{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`)},
  {name: 'a pattern of an adapter without end', lay: adapter({rank_pattern: {'(([a-z0-9_.]+)+)+!': 4}})},
  // Texts that command the terminal.
  {name: 'a column that clears the screen', lay: write('a.jsonl', `${json({[`p${commands}`]: 'x'})}\n`)},
  {name: 'a model family that clears the screen', lay: write('base/config.json', json({model_type: commands}))},
  {
    name: 'a run of names that clear the screen',
    lay: run(`${json({...JSON.parse(start), name: commands, trials: [{...trial, id: commands}]})}\n`),
    command: show('trials'),
  },
  {
    name: 'the same as JSON',
    lay: run(`${json({...JSON.parse(start), trials: [{...trial, id: commands}]})}\n`),
    command: show('trials', 'json'),
  },
  // Run folders.
  {
    name: 'an event of 100 MB',
    lay: run(`${start}\n{"event": "note", "at": 1, "message": "${'x'.repeat(100 << 20)}"}\n`),
    command: show('trials'),
    says: /unreadable/,
  },
  {
    name: 'events that are a pipe',
    lay: folder => {
      run(start)(folder);
      pipe('r/events.jsonl')(folder);
    },
    command: show('trials'),
    says: /is a pipe/,
  },
  {
    name: 'events of wrong types',
    lay: run(
      `${start}\n${json({event: 'step', at: 1, trials: 't', step: {}})}\n${json({event: 'note', at: 'x', message: 5})}\n[]\nnull\n5\n`,
    ),
    command: show('trials'),
    says: /unreadable/,
  },
  {
    name: 'steps of huge numbers',
    lay: run(
      `${start}\n${'{"event":"step","at":1e400,"trials":["t"],"step":1e308,"losses":[1e999],"rates":[1],"gradNorms":[1]}\n'.repeat(1000)}`,
    ),
    command: show('steps'),
    says: /unreadable/,
  },
  {
    name: 'an aggregate of 1e15 seeds',
    lay: run(
      `${start}\n${['lora', 'pissa'].map(method => json({event: 'aggregate', at: 1, method, rank: 2, batchSize: 4, learningRate: 1, task: 'x', metric: 'loss', mean: 1, std: 1, seeds: 1e15})).join('\n')}\n`,
    ),
    command: show('peaks'),
  },
  {
    name: 'keys of JavaScript objects',
    lay: run(
      `${start.replace('"id":"t"', '"id":"__proto__"')}\n{"event":"trial-started","at":2,"trial":"__proto__","steps":5,"__proto__":{"x":1}}\n`,
    ),
    command: show('trials'),
  },
  {
    name: 'a manifest of other things',
    lay: run(`${start}\n`, '{"settings": {}, "starts": [5, null], "model": 3, "data": {}}'),
    command: ['verify', 'r'],
    says: /not a manifest/,
  },
  {
    name: 'a manifest that names a device',
    lay: run(`${start}\n`, manifestOf('/dev/zero')),
    command: ['verify', 'r'],
    says: /is a device/,
  },
  {
    name: 'a manifest that is a pipe',
    lay: folder => {
      run(start)(folder);
      pipe('r/manifest.json')(folder);
    },
    command: ['verify', 'r'],
    says: /is a pipe/,
  },
  // Aliases.
  {
    name: 'aliases of aliases',
    lay: write(
      'a.sweep.yaml',
      `${soundSweep}a0: &a0 [1, 2]\n${Array.from({length: 40}, (_, k) => `a${k + 1}: &a${k + 1} [${Array(10).fill(`*a${k}`)}]\n`).join('')}`,
    ),
    says: /alias/,
  },
  {
    name: 'a sweep file nested deep',
    lay: write('a.sweep.yaml', `${soundSweep}seeds: ${'['.repeat(1e5)}`),
    says: /nested/,
  },
  {
    name: 'a list of a million rates',
    lay: write('a.sweep.yaml', soundSweep.replace('1e-3', `[${Array.from({length: 1e5}, (_, k) => `1e-${k}`)}]`)),
  },
];

/** The same files under `eval`, which opens models, tokenizers, templates and rows as well. */
const evaluated = (format: 'completion' | 'messages', rows: string): string[] => [
  ...['eval', '--model', 'base', '--task', 'loss', '--data', rows, '--format', format],
  ...(format === 'completion' ? ['--column', 'prompt=prompt', '--column', 'completion=answer'] : []),
];
const ofCommands: Bomb[] = checked.flatMap(bomb => {
  const {name, lay} = bomb;
  const isTemplate = name.startsWith('a template');
  const isTokenizer = /normalizer|pre-tokenizer/.test(name);
  if (!isTemplate && !isTokenizer && name !== 'a row of 10 GB in a list') return [];
  const rows = isTemplate ? 'c.jsonl' : isTokenizer ? 'a.jsonl' : 'b.json';
  const command = evaluated(isTemplate ? 'messages' : 'completion', rows);
  const asked = {...bomb, name: `${name}, to eval`, command};
  if (!isTokenizer) return [asked];
  const prompt = `${'a'.repeat(60)}!`;
  const generate = ['generate', '--model', 'base', '--prompt', prompt, '--max-new-tokens', '2'];
  return [asked, {name: `${name}, to generate`, lay, command: generate, says: /tokenizer/}];
});

export const bombs: Bomb[] = [...checked, ...ofCommands];

function socket(name: string): (folder: string) => void {
  return folder => {
    // Whoever listens is gone when the test is; the socket's file stays.
    createServer().listen(join(folder, name)).unref();
  };
}

function packed(times: number, block: () => Buffer): (folder: string) => void {
  return folder => {
    const one = gzipSync(block(), {level: 9});
    writeFileSync(join(folder, 'g.jsonl.gz'), Buffer.concat(Array.from({length: times}, () => one)));
  };
}

function listOf(gigabytes: number): (folder: string) => void {
  return folder => {
    sparse('b.json', gigabytes * 2 ** 30)(folder);
    const descriptor = openSync(join(folder, 'b.json'), 'r+');
    execFileSync('dd', ['conv=notrunc', `of=${join(folder, 'b.json')}`, 'status=none'], {input: '[{"prompt": "'});
    closeSync(descriptor);
  };
}

function sparseParquet(footer: number): (folder: string) => void {
  return folder => {
    sparse('b.parquet', footer + 100)(folder);
    const end = Buffer.concat([Buffer.alloc(4), Buffer.from('PAR1')]);
    end.writeUInt32LE(footer);
    execFileSync(
      'dd',
      ['conv=notrunc', 'oflag=seek_bytes', `seek=${footer + 92}`, `of=${join(folder, 'b.parquet')}`, 'status=none'],
      {input: end},
    );
  };
}

function manifestOf(data: string): string {
  const machine = {platform: 'linux', architecture: 'x64', processor: 'p', cores: 2, memoryBytes: 1e9};
  const model = {path: 'base', hash: 'ab'};
  return json({
    name: 'a',
    versions: {},
    engine: 'e',
    machine,
    model,
    data: [{path: 'a', hash: 'b', file: data}],
    settings: {},
    starts: [],
  });
}
