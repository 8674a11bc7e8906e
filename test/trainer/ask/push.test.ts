import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, afterEach, beforeAll, beforeEach, expect, it, vi} from 'vitest';
import {readAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {exportTrial} from '../../../trainer/ask/export.ts';
import {type PushOptions, pushTrial} from '../../../trainer/ask/push.ts';
import {repositoryName} from '../../../trainer/hub/upload.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {openWritingHub, type WritingHub} from '../hub/writing-hub.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const trial = 'pissa-r4-b16-lr2.00e-3-s1';

let home: string;
let run: string;
let hub: WritingHub;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'push-'));
  vi.stubEnv('LORA_SWEEP_CACHE', join(home, 'cache'));
  run = join(home, 'run');
  const file = join(home, 'small.sweep.yaml');
  writeFileSync(
    file,
    `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora, pissa]
rank: 4
batch_size: 16
learning_rate: [2e-3]
seeds: [1]
training: {steps: 3}
evaluate: [{task: loss, data: ${demo}desc-test.jsonl, limit: 16}]
`,
  );
  const signal = new AbortController().signal;
  expect(await runSweep(file, {out: run, only: [], resume: false, signal, onEvent: () => {}})).toBe('finished');
});
afterAll(() => rmSync(home, {recursive: true, force: true}));
beforeEach(async () => {
  hub = await openWritingHub({token: 'hf_writer', large: name => name.endsWith('.safetensors')});
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_TOKEN', 'hf_writer');
  vi.stubEnv('HF_HUB_OFFLINE', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

const push = (options: Partial<PushOptions> = {}): Promise<string[]> =>
  pushTrial({
    ...{folder: run, trial, repository: 'me/sorted', to: 'adapter', isPrivate: false, isDry: false},
    signal: new AbortController().signal,
    ...options,
  });

it('an adapter arrives as it is exported, with a card of its peaks and record, and nothing of this machine', async () => {
  const said = await push();
  expect(said[0]).toBe(`${trial} is at ${hub.endpoint}/me/sorted as adapter (commit ${'c'.repeat(40)}):`);
  const {files, commits, isPrivate} = hub.repositories.get('me/sorted')!;
  expect(isPrivate).toBe(false);
  expect(commits).toEqual([`${trial} of the sweep small`]);
  expect([...files.keys()].sort()).toEqual(['README.md', 'adapter_config.json', 'adapter_model.safetensors']);
  const out = join(home, 'exported');
  await exportTrial({folder: run, trial, to: 'adapter', out});
  expect(files.get('adapter_model.safetensors')).toEqual(readFileSync(join(out, 'adapter_model.safetensors')));
  const got = mkdtempSync(join(home, 'got-'));
  for (const [name, bytes] of files) writeFileSync(join(got, name), bytes);
  const {rank, alpha} = readAdapter(got);
  expect({rank, alpha}).toEqual({rank: 8, alpha: 8});
  const card = String(files.get('README.md'));
  for (const words of [
    'library_name: peft',
    '| PiSSA | 2e-3 |',
    '| LoRA | 2e-3 |',
    'weights SHA-256',
    'desc-train.jsonl, SHA-256',
    'seeds: 1',
  ])
    expect(card).toContain(words);
  for (const bytes of files.values())
    for (const path of [home, homedir(), demo, tmpdir()]) expect(bytes.includes(path), path).toBe(false);
});

it('the token goes to the hub only, and asks for nothing but this repository', async () => {
  await push();
  for (const {path, authorization} of hub.requests) {
    expect(path).toMatch(
      /^\/(api\/repos\/create|api\/models\/me\/sorted.*|me\/sorted\.git\/.*|storage\/[0-9a-f]{64})$/,
    );
    expect(authorization).toBe(path.startsWith('/storage/') ? undefined : 'Bearer hf_writer');
  }
});

it('a second push is one more commit in the same repository', async () => {
  await push();
  await push({trial: undefined, best: true});
  expect(hub.requests.filter(({path}) => path === '/api/repos/create')).toHaveLength(1);
  expect(hub.repositories.get('me/sorted')!.commits).toHaveLength(2);
});

it('a merged model has its card, weights and tokenizer', async () => {
  await push({to: 'merged', isPrivate: true, repository: 'me/merged'});
  const {files, isPrivate} = hub.repositories.get('me/merged')!;
  expect(isPrivate).toBe(true);
  expect([...files.keys()]).toEqual(
    expect.arrayContaining(['README.md', 'config.json', 'model.safetensors', 'tokenizer.json']),
  );
  expect(String(files.get('README.md'))).toContain('library_name: transformers');
});

it('a dry run names the files and shows the card, and asks nobody', async () => {
  vi.stubEnv('HF_TOKEN', '');
  const said = (await push({isDry: true})).join('\n');
  expect(said).toContain('Nothing is sent');
  expect(said).toMatch(/adapter_model\.safetensors {2}[\d,]+ bytes/);
  expect(said).toContain('## Record');
  expect(hub.requests).toEqual([]);
  expect(readdirSync(tmpdir()).filter(name => name.startsWith('lora-sweep-push-'))).toEqual([]);
});

it('refuses in a sentence', async () => {
  await push({repository: 'me/open'});
  await expect(push({repository: 'me/open', isPrivate: true})).rejects.toThrow(/is there and is public/);
  vi.stubEnv('HF_TOKEN', 'hf_reader');
  await expect(push()).rejects.toThrow(/the token may not write there/);
  vi.stubEnv('HF_TOKEN', '');
  vi.stubEnv('HF_HOME', join(home, 'no-home'));
  await expect(push()).rejects.toMatchObject({code: 'no-token'});
  vi.stubEnv('HF_TOKEN', 'hf_writer');
  vi.stubEnv('HF_ENDPOINT', 'http://hub.example');
  await expect(push()).rejects.toThrow(/would be sent a token unencrypted/);
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  await expect(push()).rejects.toMatchObject({code: 'offline'});
  for (const wrong of ['sorted', 'me/a/b', '../x', 'me/x@main', 'me/..', ''])
    expect(() => repositoryName(wrong), wrong).toThrow(/is no repository of the hub/);
});
