import {cpSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it, vi} from 'vitest';
import type {RunEvent} from '../../core/run/events.ts';
import {verifyRun} from '../../trainer/results/verify.ts';
import {runSweep} from '../../trainer/run/sweep.ts';
import {testFolder} from './test-folder.ts';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));
// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 900_000, hookTimeout: 900_000});
const home = testFolder();
const at = (...names: string[]) => join(home, ...names);
const read = (name: string) => readFileSync(at(name), 'utf8');
const write = (name: string, text: string) => writeFileSync(at(name), text);

const chats = `name: chats
model: base
data: {train: [a.jsonl, b.jsonl], format: messages, max_length: 48, rows: 8}
methods:
  lora:
  gralora: {blocks: 2}
  boft: {block_size: 4}
  lora-ga: {batches: 1}
  pissa: {iterations: 4}
  dora: {start_from: adapter}
targets: [q_proj]
rank: 4
batch_size: 4
learning_rate: 1e-3
training: {steps: 2}
evaluate:
  - {task: exact-match, data: test.jsonl, max_new_tokens: 4, limit: 2, stop: ["."]}
  - {task: custom, data: test.jsonl, max_new_tokens: 4, limit: 2, scorer: score/score.mjs}
  - {task: loss, data: test.jsonl, limit: 2}
curvature: {samples: 2, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 8}
run: {workers: 1}
`;
const texts = `name: texts
model: base
data: {train: texts.jsonl, format: text, max_length: 32, rows: 8}
methods: [lora, pissa]
targets: [q_proj]
rank: 4
batch_size: 4
learning_rate: [1e-3, 2e-3]
training: {steps: 2}
run: {workers: 1}
`;

const asked = `name: asked
model: base
data: {train: asked.jsonl, format: completion, columns: {prompt: question, completion: answer}, template: {prompt: "Q: {prompt}"}}
methods: [lora]
targets: [q_proj]
rank: 4
batch_size: 4
learning_rate: 1e-3
training: {steps: 1}
run: {workers: 1}
`;

const ids = texts.replace('name: texts', 'name: ids').replace('texts.jsonl, format: text', 'ids.jsonl, format: tokens');

/** Runs a sweep of this text; tells which trials it trained. */
async function run(text: string, {resume = false, only = []}: {resume?: boolean; only?: string[]} = {}) {
  const name = /^name: (\w+)/m.exec(text)![1]!;
  const file = at(`${name}.sweep.yaml`);
  writeFileSync(file, text);
  const events: RunEvent[] = [];
  const signal = new AbortController().signal;
  const out = at('runs', name);
  const end = await runSweep(file, {out, only, resume, signal, onEvent: event => events.push(event)});
  const trained = events.flatMap(event => (event.event === 'trial-started' ? [event.trial] : []));
  return {end, events, trained};
}

const refusal = (text: string) =>
  run(text, {resume: true}).then(
    () => 'taken in silence',
    (error: Error) => error.message,
  );

interface Stored {
  starts: object[];
  data: {path: string}[];
  sweep?: unknown;
  ingredients?: unknown;
  fingerprint?: unknown;
}
const manifestOf = (name: string) => JSON.parse(read(`runs/${name}/manifest.json`)) as Stored;

function edit(name: string, change: (text: string) => string): () => void {
  const before = read(name);
  const after = change(before);
  expect(after, `the change of ${name} changes it`).not.toBe(before);
  write(name, after);
  return () => write(name, before);
}

const json = (change: Record<string, unknown>) => (text: string) =>
  JSON.stringify({...(JSON.parse(text) as object), ...change});

beforeAll(async () => {
  cpSync(join(fixtures, 'stories260K'), at('base'), {recursive: true});
  write(
    'base/chat_template.jinja',
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
  );
  const stories = readFileSync(join(fixtures, 'tinystories/stories.jsonl'), 'utf8').split('\n').slice(0, 12);
  const twice = stories.map(line => JSON.parse(line) as {text: string}).map(({text}) => ({text, story: text}));
  write('texts.jsonl', twice.map(row => JSON.stringify(row)).join('\n'));
  const chat = (from: number, to: number) =>
    Array.from({length: to - from}, (_, k) =>
      JSON.stringify({
        messages: [
          {role: 'user', content: `Who is number ${from + k}?`},
          {role: 'assistant', content: `It is Lily ${from + k}.`},
        ],
      }),
    ).join('\n');
  const questions = Array.from({length: 4}, (_, k) => ({question: `Who is ${k}?`, hint: 'Who?', answer: `Lily ${k}.`}));
  write('asked.jsonl', questions.map(row => JSON.stringify(row)).join('\n'));
  write(
    'ids.jsonl',
    Array(8)
      .fill(JSON.stringify({input_ids: [1, 2, 3, 4], labels: [1, 2, 3, 4], text: 'Lily.'}))
      .join('\n'),
  );
  write('a.jsonl', chat(0, 4));
  write('b.jsonl', chat(4, 8));
  write('test.jsonl', chat(8, 12));
  mkdirSync(at('score/lib'), {recursive: true});
  write('score/score.mjs', "// It doesn't matter.\nimport {rule} from './lib/rule.mjs';\nexport const score = rule;\n");
  write(
    'score/lib/rule.mjs',
    "import {right} from './right.mjs';\nexport const rule = ({output}) => output.length > right;\n",
  );
  write('score/lib/right.mjs', 'export const right = 3;\n');
  const start = texts.replace('name: texts', 'name: start').replace('[lora, pissa]', '[dora]');
  const {trained} = await run(start.replace('[1e-3, 2e-3]', '1e-3'));
  cpSync(at('runs/start/adapters', trained[0]!), at('adapter'), {recursive: true});
  expect((await run(chats)).end).toBe('finished');
  expect((await run(texts)).end).toBe('finished');
  expect((await run(asked)).end).toBe('finished');
  expect((await run(ids)).end).toBe('finished');
});

describe('a change of what results were made with is refused by its name', () => {
  const files: [string, RegExp, () => () => void][] = [
    [
      'the weights',
      /model \(the weights of base\)/,
      () => {
        const before = readFileSync(at('base/model.safetensors'));
        const after = Buffer.from(before);
        after[after.length - 3]! ^= 1;
        writeFileSync(at('base/model.safetensors'), after);
        return () => writeFileSync(at('base/model.safetensors'), before);
      },
    ],
    ['config.json', /config\.json of the model/, () => edit('base/config.json', json({rms_norm_eps: 1e-6}))],
    [
      'generation_config.json',
      /generation_config\.json of the model/,
      () => edit('base/generation_config.json', json({eos_token_id: [2, 3]})),
    ],
    [
      'tokenizer.json',
      /content of tokenizer\.json of the model/,
      () => edit('base/tokenizer.json', text => text.replace('"normalizer":', '"normalizer" :')),
    ],
    [
      'tokenizer_config.json',
      /tokenizer_config\.json of the model/,
      () => edit('base/tokenizer_config.json', json({eos_token: '<unk>'})),
    ],
    [
      'special_tokens_map.json',
      /special_tokens_map\.json of the model base is new/,
      () => {
        write('base/special_tokens_map.json', '{"eos_token": "</s>"}');
        return () => rmSync(at('base/special_tokens_map.json'));
      },
    ],
    [
      'the chat template',
      /chat_template\.jinja of the model/,
      () => edit('base/chat_template.jinja', text => text.replaceAll(': ', ' - ')),
    ],
    [
      'a file of training rows',
      /data\.train\[1\] \(b\.jsonl\)/,
      () => edit('b.jsonl', text => text.replace('Lily', 'Tom')),
    ],
    [
      'the rows that are tested',
      /evaluate\[0\]\.data \(test\.jsonl\)/,
      () => edit('test.jsonl', text => text.replace('Lily', 'Tom')),
    ],
    [
      "a scorer's text",
      /evaluate\[1\]\.scorer \(score\/score\.mjs\)/,
      () => edit('score/score.mjs', text => `${text}// Not any more.\n`),
    ],
    [
      'what a scorer imports',
      /lib\/rule\.mjs, which the scorer score\/score\.mjs needs/,
      () => edit('score/lib/rule.mjs', text => text.replace('>', '<')),
    ],
    [
      'what that imports in turn',
      /lib\/right\.mjs, which the scorer/,
      () => edit('score/lib/right.mjs', text => text.replace('3', '4')),
    ],
    [
      'a starting adapter',
      /methods\.dora\.start_from \(adapter\)/,
      () => edit('adapter/adapter_config.json', json({revision: 'other'})),
    ],
  ];
  it.each(files)('%s', async (_, named, change) => {
    const undo = change();
    try {
      const message = await refusal(chats);
      expect(message).toMatch(/^Cannot resume: /);
      expect(message).toMatch(named);
      // One change, one name; the tested rows stand in three places.
      expect(message.match(/changed|is new|is gone/g)).toHaveLength(named.source.includes('test') ? 3 : 1);
    } finally {
      undo();
    }
    expect(manifestOf('chats').starts).toHaveLength(1);
  });

  it.each([
    ['data.train', '[a.jsonl, b.jsonl]', '[b.jsonl, a.jsonl]'],
    ['data.rows', 'rows: 8', 'rows: 7'],
    ['data.max_length', 'max_length: 48', 'max_length: 47'],
    ['data.shuffle', 'rows: 8', 'rows: 8, shuffle: false'],
    ['methods.gralora.blocks changed from 2 to 1', 'blocks: 2', 'blocks: 1'],
    ['methods.boft.block_size changed from 4 to 8', 'block_size: 4', 'block_size: 8'],
    ['methods.boft.butterfly_factor', 'block_size: 4', 'block_size: 4, butterfly_factor: 2'],
    ['methods.lora-ga.batches changed from 1 to 2', 'batches: 1', 'batches: 2'],
    ['methods.lora-ga.gamma', 'batches: 1', 'batches: 1, gamma: 8'],
    ['methods.pissa.iterations changed from 4 to 5', 'iterations: 4', 'iterations: 5'],
    ['methods.dora.start_from is gone', '{start_from: adapter}', ''],
    ['alpha of lora at rank 4 changed from 4 to 8', '  lora:', '  lora: {alpha: 8}'],
    ['targets', '[q_proj]\nrank', '[q_proj, k_proj]\nrank'],
    ['training.length', 'steps: 2', 'steps: 3'],
    ['training.optimizer.eps', 'steps: 2', 'steps: 2, optimizer: {eps: 1e-6}'],
    ['training.weight_decay', 'steps: 2', 'steps: 2, weight_decay: 0.1'],
    ['training.schedule changed from "cosine" to "linear"', 'steps: 2', 'steps: 2, schedule: linear'],
    ['training.warmup_ratio', 'steps: 2', 'steps: 2, warmup_ratio: 0.5'],
    ['training.max_grad_norm', 'steps: 2', 'steps: 2, max_grad_norm: 2'],
    ['training.dropout', 'steps: 2', 'steps: 2, dropout: 0.1'],
    ['evaluate[0].stop', '["."]', '["!"]'],
    [
      'evaluate[0].max_new_tokens changed from 4 to 5',
      'max_new_tokens: 4, limit: 2, stop',
      'max_new_tokens: 5, limit: 2, stop',
    ],
    ['evaluate[0].temperature', 'stop: ["."]', 'stop: ["."], temperature: 0.5'],
    ['evaluate[0].samples', 'stop: ["."]', 'stop: ["."], temperature: 0.5, samples: 2'],
    ['evaluate[0].top_p', 'stop: ["."]', 'stop: ["."], temperature: 0.5, top_p: 0.5'],
    ['evaluate[0].every', 'stop: ["."]', 'stop: ["."], every: 1'],
    ['evaluate changed', '  - {task: loss, data: test.jsonl, limit: 2}\n', ''],
    ['curvature.samples changed from 2 to 3', 'samples: 2', 'samples: 3'],
    ['curvature.max_iterations', 'max_iterations: 8', 'max_iterations: 9'],
    ['curvature.blocks', 'layers: [0]', 'layers: [1]'],
  ])('%s', async (named, from, to) => {
    expect(chats).toContain(from);
    const message = await refusal(chats.replace(from, to));
    expect(message).toMatch(/^Cannot resume: /);
    expect(message).toContain(named);
  });

  it.each([
    ['data.packing changed from nothing to true', texts, 'rows: 8', 'rows: 8, packing: true'],
    ['data.columns', texts, 'rows: 8', 'rows: 8, columns: {text: story}'],
    ['data.columns', asked, 'prompt: question', 'prompt: hint'],
    ['data.template', asked, 'Q: {prompt}', 'Question: {prompt}'],
    ['data.format changed from "tokens" to "text"', ids, 'format: tokens', 'format: text'],
  ])('%s', async (named, text, from, to) => {
    expect(text).toContain(from);
    expect(await refusal(text.replace(from, to))).toContain(named);
  });

  it('several changes at once by all their names', async () => {
    const changed = texts.replace('rows: 8', 'rows: 7').replace('steps: 2', 'steps: 3, dropout: 0.1');
    expect(await refusal(changed)).toMatch(/data\.rows .*training\.dropout .*training\.length/);
  });

  it('a manifest that is gone, or no manifest, in a folder with results', async () => {
    const file = at('runs/texts/manifest.json');
    const before = read('runs/texts/manifest.json');
    rmSync(file);
    expect(await refusal(texts)).toMatch(/runs.texts holds results but no manifest\.json.*put the file back/);
    for (const broken of ['{"starts": []', '[]', 'null', '{"starts": [], "ingredients": {}}']) {
      writeFileSync(file, broken);
      expect(await refusal(texts)).toMatch(/manifest\.json is not a manifest of a run/);
    }
    writeFileSync(file, before.replace('"data.max_length": 32', '"data.max_length": 31'));
    expect(await refusal(texts.replace('max_length: 32', 'max_length: 31'))).toMatch(/is not what was written there/);
    writeFileSync(file, before);
  });
});

describe('a run of an earlier version', () => {
  /** As earlier versions wrote it: the sweep and the hashes, and fewer settings. */
  const asEarlier = (version: string) => {
    const {ingredients: _, fingerprint: __, ...manifest} = manifestOf('chats');
    const starts = manifest.starts.map(start => ({...start, versions: {'lora-sweep': version}}));
    const data = manifest.data.filter(({path}) => !path.startsWith('score/lib'));
    const settings = {'training.precision': 'auto', 'methods.olora': {iterations: null, start_from: null}};
    return JSON.stringify({...manifest, starts, data, settings});
  };

  it('is compared by what it noted, and a note says what it did not', async () => {
    const before = read('runs/chats/manifest.json');
    write('runs/chats/manifest.json', asEarlier('0.0.9'));
    expect((await verifyRun(at('runs/chats'))).holds).toBe(true);
    expect(await refusal(chats.replace('blocks: 2', 'blocks: 1'))).toContain('methods.gralora.blocks');
    const undo = edit('score/score.mjs', text => `${text}\n`);
    expect(await refusal(chats)).toContain('score/score.mjs');
    undo();
    const {trained, events} = await run(chats, {resume: true});
    const notes = events.flatMap(event => (event.event === 'note' ? [event.message] : []));
    expect(trained).toEqual([]);
    expect(notes).toContainEqual(expect.stringMatching(/made by lora-sweep 0\.0\.9, further ones by/));
    expect(notes).toContainEqual(expect.stringMatching(/did not note .*lib\/rule\.mjs.*: taken to be as it was/));
    write('runs/chats/manifest.json', before);
  });

  it('that noted neither sweep nor settings is shown but not gone on with', async () => {
    const before = read('runs/texts/manifest.json');
    const {sweep: _, ingredients: __, ...manifest} = manifestOf('texts');
    write('runs/texts/manifest.json', JSON.stringify({...manifest, settings: {}}));
    expect(await refusal(texts)).toMatch(/did not note every setting: it can be shown but not gone on with/);
    write('runs/texts/manifest.json', before);
  });
});

describe('a model in a GGUF file', () => {
  it('is compared and verified with what lies beside it', async () => {
    mkdirSync(at('gguf'));
    cpSync(join(fixtures, 'gguf/llama.gguf'), at('gguf/llama.gguf'));
    cpSync(join(fixtures, 'stories260K/tokenizer.json'), at('gguf/tokenizer.json'));
    const text = ids.replace('name: ids', 'name: gguf').replace('model: base', 'model: gguf/llama.gguf');
    expect((await run(text.replace('[lora, pissa]', '[lora]'))).end).toBe('finished');
    expect((await verifyRun(at('runs/gguf'))).checks.filter(({state}) => state !== 'same')).toEqual([]);
    const undo = edit('gguf/tokenizer.json', before => `${before} `);
    const {checks} = await verifyRun(at('runs/gguf'));
    expect(checks.filter(({state}) => state === 'changed').map(({path}) => path)).toEqual([at('gguf/tokenizer.json')]);
    expect(await refusal(text)).toContain('tokenizer.json of the model gguf/llama.gguf');
    undo();
  });
});

describe('verify covers what a resumed run is compared by', () => {
  const wrong = async (name: string) =>
    (await verifyRun(at('runs', name))).checks.flatMap(({state, path}) =>
      state === 'same' ? [] : [`${path} ${state}`],
    );

  it.each([
    ['base/config.json', 'changed'],
    ['base/chat_template.jinja', 'changed'],
    ['base/tokenizer.json', 'changed'],
    ['a.jsonl', 'changed'],
    ['score/score.mjs', 'changed'],
    ['score/lib/right.mjs', 'changed'],
    ['adapter/adapter_config.json', 'changed'],
  ])('%s', async (name, state) => {
    const undo = edit(name, text => `${text} `);
    const found = await wrong('chats');
    undo();
    const shown = name.startsWith('adapter/') ? at('adapter') : at(name);
    expect(found).toEqual([`${shown} ${state}`]);
    expect(await wrong('chats')).toEqual([]);
  });

  it('events that lost a step of a finished trial, or a line that cannot be read', async () => {
    const events = 'runs/chats/events.jsonl';
    const before = read(events);
    const lines = before.trim().split('\n');
    const last = lines.findLastIndex(line => line.includes('"event":"step"'));
    write(events, `${lines.toSpliced(last, 1).join('\n')}\n`);
    expect(await wrong('chats')).toContain(`${at(events)} missing`);
    write(events, `${lines.toSpliced(last, 0, '{"event":').join('\n')}\n`);
    expect(await wrong('chats')).toEqual([`${at(events)} changed`]);
    write(events, before);
    expect(await wrong('chats')).toEqual([]);
  });

  it('a file that the model or the scorer did not have, and a record that was written over', async () => {
    write('base/special_tokens_map.json', '{}');
    write('score/lib/more.mjs', 'export const more = 1;\n');
    const undo = edit('score/lib/right.mjs', text => `import './more.mjs';\n${text}`);
    const before = read('runs/chats/manifest.json');
    write('runs/chats/manifest.json', before.replace('"data.max_length": 48', '"data.max_length": 47'));
    const found = await wrong('chats');
    write('runs/chats/manifest.json', before);
    undo();
    for (const name of ['base/special_tokens_map.json', 'score/lib/more.mjs']) rmSync(at(name));
    expect(found).toEqual([
      `${at('base/special_tokens_map.json')} added`,
      `${at('score/lib/right.mjs')} changed`,
      `${at('score/lib/more.mjs')} added`,
      `${at('runs/chats/manifest.json')} changed`,
    ]);
  });
});
