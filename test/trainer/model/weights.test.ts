import {createHash} from 'node:crypto';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {findModel} from '../../../trainer/model/find-model.ts';
import {readConfig} from '../../../trainer/model/read-config.ts';
import {checkWeights, openWeights, weightShapes} from '../../../trainer/model/weights.ts';
import {readTensor, writeSafetensors} from '../../../trainer/weights/safetensors.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
const models = join(fixtures, 'goldens/models');
let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'weights-')));
});
afterAll(() => rmSync(folder, {recursive: true}));

describe('the weights of a model folder', () => {
  it.each([
    'goldens/models/llama',
    'goldens/models/qwen3',
    'goldens/models/gemma3',
    'goldens/models/llama-bf16',
    'stories260K',
  ])('of %s are all that its config.json asks for, and nothing else', name => {
    const model = join(fixtures, name);
    const config = readConfig(model);
    const index = openWeights(model);
    checkWeights(config, index);
    expect([...index.tensors.keys()].sort()).toEqual([...weightShapes(config).keys()].sort());
  });

  it('are the same in two shards as in one file', async () => {
    const whole = openWeights(join(models, 'llama'));
    const shards = openWeights(join(models, 'llama-sharded'));
    checkWeights(readConfig(join(models, 'llama-sharded')), shards);
    expect([...shards.tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
    expect(new Set([...shards.tensors.values()].map(stored => stored.file)).size).toBe(2);
    for (const [name, stored] of whole.tensors)
      expect(readTensor(shards.tensors.get(name)!)).toEqual(readTensor(stored));
    expect(await shards.hash()).not.toBe(await whole.hash());
  });

  it('have the SHA-256 of their bytes as hash, and another one when the file is replaced', async () => {
    const model = mkdtempSync(join(folder, 'hash-'));
    cpSync(join(models, 'llama/model.safetensors'), join(model, 'model.safetensors'));
    const bytes = readFileSync(join(model, 'model.safetensors'));
    const index = openWeights(model);
    expect(await index.hash()).toBe(createHash('sha256').update(bytes).digest('hex'));
    writeSafetensors(join(model, 'model.safetensors'), new Map());
    expect(await index.hash()).not.toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('have biases where the configuration says so', () => {
    const names = (changes: object) => [...weightShapes({...readConfig(join(models, 'llama')), ...changes}).keys()];
    expect(names({}).filter(name => name.endsWith('.bias'))).toEqual([]);
    expect(
      names({biases: ['q_proj', 'k_proj', 'v_proj']}).filter(name => name.includes('.0.') && name.endsWith('.bias')),
    ).toEqual([
      'model.layers.0.self_attn.q_proj.bias',
      'model.layers.0.self_attn.k_proj.bias',
      'model.layers.0.self_attn.v_proj.bias',
    ]);
  });

  it('that do not fit config.json are named', () => {
    const config = readConfig(join(models, 'llama'));
    const index = openWeights(join(models, 'llama'));
    const without = (name: string) => new Map([...index.tensors].filter(([other]) => other !== name));
    const check = (tensors: typeof index.tensors, changes = {}) =>
      checkWeights({...config, ...changes}, {folder, tensors});
    const up = index.tensors.get('model.layers.1.mlp.up_proj.weight')!;
    expect(() => check(without(up.name))).toThrow(/model.layers.1.mlp.up_proj.weight is missing/);
    expect(() => check(without('lm_head.weight'))).toThrow(
      /lm_head.weight is missing although tie_word_embeddings is false/,
    );
    expect(() => check(without('lm_head.weight'), {tiedEmbeddings: true})).not.toThrow();
    const turned = new Map(index.tensors).set(up.name, {...up, shape: up.shape.toReversed()});
    expect(() => check(turned)).toThrow(/has shape \[32, 56\] instead of \[56, 32\]/);
    const packed = new Map(index.tensors).set(up.name, {...up, dtype: 'I8' as const});
    expect(() => check(packed)).toThrow(/stored as I8/);
  });
});

describe('an unsound folder is refused in one sentence', () => {
  function sharded(map: unknown): string {
    const model = mkdtempSync(join(folder, 'shards-'));
    cpSync(join(models, 'llama-sharded'), model, {recursive: true});
    writeFileSync(join(model, 'model.safetensors.index.json'), JSON.stringify({weight_map: map}));
    return model;
  }
  const first = 'model-00001-of-00002.safetensors';

  it('without weights, without a folder', () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    expect(() => openWeights(empty)).toThrow(/neither model.safetensors nor model.safetensors.index.json/);
    expect(() => openWeights(join(folder, 'nowhere'))).toThrow(/no model folder/);
  });

  it.each([
    ['a shard outside', {a: '../secret.safetensors'}],
    ['an absolute shard', {a: '/etc/secret.safetensors'}],
    ['a shard outside in the Windows way', {a: '..\\secret.safetensors'}],
    ['a shard that is the folder above', {a: '..'}],
    ['a shard of another kind', {a: 'pytorch_model.bin'}],
  ])('with %s', (_, map) => {
    expect(() => openWeights(sharded(map))).toThrow(/is not a .safetensors file of this folder/);
  });

  it('with an index that names nothing, a missing shard, or a tensor that is not there', () => {
    expect(() => openWeights(sharded(undefined))).toThrow(/has no weight_map/);
    expect(() => openWeights(sharded({a: 3}))).toThrow(/names no file for a/);
    expect(() => openWeights(sharded({a: 'model-00003-of-00003.safetensors'}))).toThrow(/no file .*00003-of-00003/);
    expect(() => openWeights(sharded({a: first}))).toThrow(/says that a is in model-00001-of-00002.safetensors, but/);
  });
});

describe('a model is found', () => {
  /** A hub cache as the hub's client lays it out: snapshots of links to blobs. */
  function hub(home: string): string {
    const cached = join(home, 'models--org--tiny');
    for (const part of ['refs', 'blobs', 'snapshots/abc']) mkdirSync(join(cached, part), {recursive: true});
    writeFileSync(join(cached, 'refs/main'), 'abc');
    for (const name of ['config.json', 'model.safetensors']) {
      cpSync(join(models, 'llama', name), join(cached, 'blobs', `blob-${name}`));
      symlinkSync(`../../blobs/blob-${name}`, join(cached, 'snapshots/abc', name));
    }
    return join(cached, 'snapshots/abc');
  }
  function withEnvironment(changes: Record<string, string>, action: () => void): void {
    const names = ['HF_HUB_CACHE', 'HF_HOME', 'XDG_CACHE_HOME', 'HOME'];
    const before = names.map(name => [name, process.env[name]] as const);
    for (const name of names) delete process.env[name];
    Object.assign(process.env, {HOME: folder, ...changes});
    try {
      action();
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  }

  it('as a folder beside the sweep file first', () => {
    expect(findModel('llama', models)).toBe(join(models, 'llama'));
    expect(findModel('./models/llama', join(fixtures, 'goldens'))).toBe(join(models, 'llama'));
  });

  it('as a hub id in the cache, wherever the environment puts that, through its links', () => {
    const places: [string, Record<string, string>][] = [
      [join(folder, 'one'), {HF_HUB_CACHE: join(folder, 'one'), HF_HOME: '/nowhere'}],
      [join(folder, 'two/hub'), {HF_HOME: join(folder, 'two')}],
      [join(folder, '.cache/huggingface/hub'), {}],
    ];
    for (const [home, environment] of places) {
      const snapshot = hub(home);
      withEnvironment(environment, () => expect(findModel('org/tiny', folder)).toBe(snapshot));
      const index = openWeights(snapshot);
      checkWeights(readConfig(snapshot), index);
      expect([...index.tensors.values()][0]!.file).toBe(join(home, 'models--org--tiny/blobs/blob-model.safetensors'));
    }
  });

  it('or the sentence says where it was looked for', () => {
    withEnvironment({HF_HUB_CACHE: join(folder, 'none')}, () => {
      expect(() => findModel('org/big', folder)).toThrow(/org\/big is neither the folder .*none\/models--org--big/);
      expect(() => findModel('../no-such-model', folder)).toThrow(/no model folder/);
      expect(() => findModel('../../no-etc', folder)).toThrow(/no model folder/);
      expect(() => findModel('/nowhere', folder)).toThrow(/no model folder \/nowhere/);
    });
  });
});
