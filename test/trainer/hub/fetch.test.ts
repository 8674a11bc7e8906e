import {spawn} from 'node:child_process';
import {existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {cachedSnapshot, parseHubModel, snapshotOf} from '../../../trainer/hub/cache.ts';
import {fetchModel} from '../../../trainer/hub/fetch.ts';
import {findModel} from '../../../trainer/model/find-model.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {golden} from '../golden.ts';
import {type HubOptions, type HubServer, openHubServer, sha256} from './hub-server.ts';

const id = 'tiny/llama';
const weights = readFileSync(golden('models/llama/model.safetensors'));
const files = {
  'README.md': Buffer.from('# not fetched'),
  'config.json': readFileSync(golden('models/llama/config.json')),
  'generation_config.json': readFileSync(golden('models/llama/generation_config.json')),
  'tokenizer.json': Buffer.alloc(2000, ' '),
  'chat_template.jinja': Buffer.from(''),
  'onnx/model.safetensors': Buffer.from('not this one'),
  'pytorch_model.bin': Buffer.from('nor this'),
  'model.safetensors': weights,
};

let cache: string;
let hub: HubServer;
const saved = {...process.env};
const names = ['HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_TOKEN', 'HF_ENDPOINT', 'HF_HUB_OFFLINE'];

async function open(options: Partial<HubOptions> = {}): Promise<void> {
  hub = await openHubServer(id, {files, ...options});
  process.env['HF_ENDPOINT'] = `${hub.endpoint}/`;
}
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'hub-'));
  for (const name of names) delete process.env[name];
  process.env['HF_HOME'] = cache;
});
afterEach(async () => {
  for (const name of names) delete process.env[name];
  Object.assign(process.env, saved);
  await hub?.close();
  rmSync(cache, {recursive: true, force: true});
});

const progress: {file: string; bytes: number; total: number}[] = [];
const fetchIt = (text = id, file?: string) => {
  progress.length = 0;
  return fetchModel(text, {
    ...(file ? {file} : {}),
    signal: new AbortController().signal,
    onProgress: one => progress.push(one),
    pauses: [1, 1],
  });
};
const blobs = () => join(cache, 'hub/models--tiny--llama/blobs');
/** Three small files with content come before the weights, which the faults are for. */
const fetchOnlyWeightsWith = (faults: HubServer['faults']) => {
  hub.faults.push('none', 'none', 'none', ...faults);
  return fetchIt();
};
const downloads = () => hub.requests.filter(({path}) => path.endsWith('/model.safetensors'));

describe('a model is fetched from the hub', () => {
  it('as a snapshot of links to blobs, that is then found by its id and opens', async () => {
    await open();
    const {folder, revision, files: fetched} = await fetchIt();
    expect(revision).toBe(hub.sha);
    expect(fetched.sort()).toEqual([
      'chat_template.jinja',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    expect(findModel(id, '/nowhere')).toBe(folder);
    expect(findModel(`${id}@${hub.sha}`, '/nowhere')).toBe(folder);
    expect(snapshotOf(folder)?.revision).toBe(hub.sha);
    expect(lstatSync(join(folder, 'model.safetensors')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(blobs(), sha256(weights)))).toBe(true);
    expect(openFolder(folder).config.family).toBe('llama');
    const total = progress.at(-1)!.total;
    expect(progress.at(-1)).toEqual({file: 'model.safetensors', bytes: total, total});
    expect(progress.every(({bytes}, i) => i === 0 || bytes >= progress[i - 1]!.bytes)).toBe(true);
  });

  it('once: the second time nothing is downloaded', async () => {
    await open();
    await fetchIt();
    hub.requests.length = 0;
    await fetchIt();
    expect(hub.requests.filter(({path}) => path.includes('/resolve/'))).toEqual([]);
  });

  it('at a tag, which is then found under that name only', async () => {
    await open();
    const {folder} = await fetchIt(`${id}@v1`);
    expect(findModel(`${id}@v1`, '/nowhere')).toBe(folder);
    expect(() => findModel(id, '/nowhere')).toThrow(/lora-sweep fetch tiny\/llama/);
    expect(downloads()[0]!.path).toContain(hub.sha);
  });
});

describe('connections that break', () => {
  it('are taken up where they ended', async () => {
    await open();
    await fetchOnlyWeightsWith([{cutAfter: 5000}, {cutAfter: 3000}, {endAfter: 10}]);
    expect(downloads().map(({range}) => range)).toEqual([undefined, 'bytes=5000-', 'bytes=8000-', 'bytes=8010-']);
    expect(readFileSync(join(blobs(), sha256(weights))).equals(weights)).toBe(true);
  });

  it('go on in another process after they ended the first', async () => {
    await open();
    await expect(
      fetchOnlyWeightsWith([{cutAfter: 4000}, {cutAfter: 0}, {cutAfter: 0}, {cutAfter: 0}]),
    ).rejects.toMatchObject({code: 'hub-unreachable', message: expect.stringMatching(/what came is kept/)});
    expect(readdirSync(blobs())).toContain(`${sha256(weights)}.incomplete`);
    expect(cachedSnapshot({id, revision: 'main'})).toBe(null);
    hub.requests.length = 0;
    await fetchIt();
    expect(downloads().map(({range}) => range)).toEqual(['bytes=4000-']);
  });

  it('with a hub that cannot go on from a position begin again', async () => {
    await open();
    await fetchOnlyWeightsWith([{cutAfter: 4000}, 'ignore-range', 'ignore-range', {status: 503}]).catch(
      () => undefined,
    );
    await fetchIt();
    expect(readFileSync(join(blobs(), sha256(weights))).equals(weights)).toBe(true);
  });

  it('may leave other bytes than the hub states: they are fetched once more, and never taken', async () => {
    await open();
    await fetchOnlyWeightsWith([{cutAfter: 4000}, 'other-bytes']);
    expect(downloads().map(({range}) => range)).toEqual([undefined, 'bytes=4000-', undefined]);
  });

  it.each([
    ['other bytes', 'other-bytes'],
    ['too many bytes', {append: 'more'}],
    ['bytes without end', 'endless'],
  ] as const)('%s from a whole download are refused, and nothing is left', async (_, fault) => {
    await open();
    await expect(fetchOnlyWeightsWith([fault])).rejects.toMatchObject({
      code: 'bad-download',
      message: expect.stringMatching(/is not the file that the hub describes/),
    });
    expect(readdirSync(blobs()).filter(name => name.startsWith(sha256(weights)))).toEqual([]);
    expect(cachedSnapshot({id, revision: 'main'})).toBe(null);
  });

  it('that stay open behind the last byte are left: the file is whole', async () => {
    await open();
    await fetchOnlyWeightsWith(['open']);
    expect(readFileSync(join(blobs(), sha256(weights))).equals(weights)).toBe(true);
  });

  it.each([
    ['too small', -10, 'bad-download'],
    ['too large', 10, 'hub-unreachable'],
    ['no number of bytes', 0.5, 'hub-unreachable'],
  ])('a size that is %s is a lie by which no file is taken', async (_, lie, code) => {
    await open({lie});
    await expect(fetchIt()).rejects.toMatchObject({code});
    expect(cachedSnapshot({id, revision: 'main'})).toBe(null);
  });

  it('after a server error are tried again, after a refusal are not', async () => {
    await open();
    await fetchOnlyWeightsWith([{status: 503}, {status: 429}]);
    expect(downloads()).toHaveLength(3);
    rmSync(join(cache, 'hub'), {recursive: true});
    await expect(fetchOnlyWeightsWith([{status: 403}])).rejects.toMatchObject({code: 'hub-refused'});
  });

  it('to nobody end in one sentence', async () => {
    await open();
    await hub.close();
    await expect(fetchIt()).rejects.toMatchObject({
      code: 'hub-unreachable',
      message: expect.stringMatching(/cannot be reached or breaks off \(ECONNREFUSED\)/),
    });
  });
});

describe('the hub and its token', () => {
  it('a gated model needs HF_TOKEN; the token goes to the hub and into no message', async () => {
    const token = 'hf_verysecret';
    await open({token});
    const refused = await fetchIt().catch((error: unknown) => error as Error & {code: string});
    expect(refused).toMatchObject({code: 'hub-refused', message: expect.stringMatching(/set HF_TOKEN/)});
    process.env['HF_TOKEN'] = 'hf_wrongsecret';
    const wrong = (await fetchIt().catch((error: unknown) => error)) as Error;
    expect(`${wrong.message}${wrong.stack}${JSON.stringify(wrong)}`).not.toContain('wrongsecret');
    process.env['HF_TOKEN'] = token;
    await fetchIt();
    expect(hub.requests.at(-1)!.authorization).toBe(`Bearer ${token}`);
    delete process.env['HF_TOKEN'];
    writeFileSync(join(cache, 'token'), `${token}\n`);
    rmSync(join(cache, 'hub'), {recursive: true});
    await fetchIt();
  });

  it('what is not there, what is no id, what must stay offline', async () => {
    await open();
    await expect(fetchIt('tiny/other')).rejects.toThrow(/There is no tiny\/other at main on the hub/);
    await expect(fetchIt(`${id}@nothing`)).rejects.toMatchObject({code: 'hub-refused'});
    for (const text of ['', '../x', 'a/b/c', 'a/..', 'a/b@../c', 'a b']) {
      expect(parseHubModel(text)).toBe(null);
      await expect(fetchIt(text)).rejects.toMatchObject({code: 'usage'});
    }
    process.env['HF_HUB_OFFLINE'] = '1';
    await expect(fetchIt()).rejects.toMatchObject({code: 'offline'});
  });

  it('a model without safetensors is refused unless it has one GGUF file, or one is named', async () => {
    const {'model.safetensors': _, ...others} = files;
    await open({files: others});
    await expect(fetchIt()).rejects.toThrow(/has neither safetensors nor GGUF weights; it has README.md, config.json/);
    await hub.close();
    await open({files: {...others, 'a.Q8_0.gguf': Buffer.from('a'), 'a.F16.gguf': Buffer.from('b')}});
    await expect(fetchIt()).rejects.toThrow(/choose one with --file: a.Q8_0.gguf, a.F16.gguf/);
    expect((await fetchIt(id, 'a.F16.gguf')).files).toContain('a.F16.gguf');
    await expect(fetchIt(id, 'b.gguf')).rejects.toThrow(/has no file b.gguf/);
  });

  it('names that lead out of the cache are not believed', async () => {
    await open({files: {...files, '../../evil.json': Buffer.from('x')}});
    await expect(fetchIt()).rejects.toMatchObject({code: 'hub-unreachable'});
    expect(existsSync(join(cache, 'evil.json'))).toBe(false);
  });
});

it('stops when it is told to, keeping what came', async () => {
  await open();
  const stop = new AbortController();
  const onProgress = ({file}: {file: string}) => file === 'model.safetensors' && stop.abort();
  await expect(fetchModel(id, {signal: stop.signal, onProgress})).rejects.toMatchObject({code: 'stopped'});
  expect(readdirSync(blobs())).toContain(`${sha256(weights)}.incomplete`);
});

it('the command prints folder and commit', async () => {
  await open();
  const program = fileURLToPath(new URL('../../../trainer/cli.ts', import.meta.url));
  const child = spawn(process.execPath, [program, 'fetch', id, '--json'], {env: {...process.env}});
  let out = '';
  let errors = '';
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  expect(await new Promise(resolve => child.on('close', resolve))).toBe(0);
  expect(JSON.parse(out)).toMatchObject({revision: hub.sha, folder: findModel(id, '/nowhere')});
  expect(errors).toMatch(/model.safetensors \(.* in all\)/);
});
