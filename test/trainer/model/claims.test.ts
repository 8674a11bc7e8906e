/** Where files of a model or an adapter say one thing and hold another. */
import {cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openAdapter} from '../../../trainer/adapter/adapted.ts';
import {writeTrainedModel} from '../../../trainer/export/trained-model.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {readConfig} from '../../../trainer/model/read-config.ts';
import {weightShapes} from '../../../trainer/model/weights.ts';
import {readHeader, readTensor, writeSafetensors} from '../../../trainer/weights/safetensors.ts';
import {golden} from '../golden.ts';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'claims-')));
});
afterAll(() => rmSync(folder, {recursive: true}));

type Tensors = Map<string, {shape: number[]; data: Float32Array}>;

function tensorsOf(file: string): Tensors {
  const {tensors} = readHeader(file);
  return new Map([...tensors].map(([name, stored]) => [name, {shape: stored.shape, data: readTensor(stored)}]));
}

/** A copy of a folder with another configuration and other tensors. */
function changed(from: string, files: {config: string; tensors: string}, change: (tensors: Tensors) => object): string {
  const copy = mkdtempSync(join(folder, 'c-'));
  cpSync(from, copy, {recursive: true});
  const tensors = tensorsOf(join(copy, files.tensors));
  const config = JSON.parse(readFileSync(join(copy, files.config), 'utf8'));
  const settings = change(tensors);
  writeFileSync(join(copy, files.config), JSON.stringify({...config, ...settings}));
  writeSafetensors(join(copy, files.tensors), tensors);
  return copy;
}

const model = (change: (tensors: Tensors) => object) =>
  changed(golden('models/llama'), {config: 'config.json', tensors: 'model.safetensors'}, change);
const adapter = (change: (tensors: Tensors) => object) =>
  changed(
    golden('train/llama-lora/high'),
    {config: 'adapter_config.json', tensors: 'adapter_model.safetensors'},
    change,
  );

describe('the head of a model, as transformers 5 takes it', () => {
  it('is its own where it is stored and differs from the embeddings, although tie_word_embeddings is true', () => {
    const {config} = openFolder(model(() => ({tie_word_embeddings: true})));
    expect(config.tiedEmbeddings).toBe(false);
  });

  it('is the embeddings where it is stored as a copy of them', () => {
    const copy = model(tensors => {
      tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!);
      return {tie_word_embeddings: true};
    });
    expect(openFolder(copy).config.tiedEmbeddings).toBe(true);
  });

  it('stays a copy of them where all weights are trained', async () => {
    const copy = model(tensors => {
      tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!);
      return {tie_word_embeddings: true};
    });
    const {config, weights} = openFolder(copy);
    const trained = new Map(
      [...weightShapes(config).keys()].map(name => {
        const weight = readTensor(weights.tensors.get(name)!).map(value => 2 * value);
        return [name, {weight}] as const;
      }),
    );
    const target = join(folder, 'trained');
    await writeTrainedModel(target, weights, trained, 'A card.');
    const {tensors} = openFolder(target).weights;
    const doubled = trained.get('model.embed_tokens.weight')!.weight;
    expect(readTensor(tensors.get('lm_head.weight')!)).toEqual(doubled);
    expect(openFolder(target).config.tiedEmbeddings).toBe(true);
  });

  it('stands for the embeddings where only it is stored', () => {
    const copy = model(tensors => {
      tensors.delete('model.embed_tokens.weight');
      return {tie_word_embeddings: true};
    });
    const {config, weights} = openFolder(copy);
    expect(config.tiedEmbeddings).toBe(true);
    expect(weights.tensors.get('model.embed_tokens.weight')!.offset).toBe(
      weights.tensors.get('lm_head.weight')!.offset,
    );
  });

  it('is missed where it is not tied', () => {
    const copy = model(tensors => {
      tensors.delete('lm_head.weight');
      return {tie_word_embeddings: false};
    });
    expect(() => openFolder(copy)).toThrow(/lm_head.weight is missing although tie_word_embeddings is false/);
  });
});

describe('a model is refused where its files do not fit', () => {
  it('a vocabulary of another size than the embeddings have rows', () => {
    expect(() => openFolder(model(() => ({vocab_size: 97})))).toThrow(
      /embed_tokens.weight has shape \[96, 32\] instead/,
    );
  });

  it('heads of another size', () => {
    expect(() => openFolder(model(() => ({head_dim: 16})))).toThrow(/q_proj.weight has shape/);
  });

  it('a pointer of Git LFS instead of weights or of config.json', () => {
    const copy = model(() => ({}));
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 538090408\n';
    writeFileSync(join(copy, 'model.safetensors'), pointer);
    expect(() => openFolder(copy)).toThrow(/is a Git LFS pointer/);
    writeFileSync(join(copy, 'config.json'), pointer);
    expect(() => openFolder(copy)).toThrow(/config.json is a Git LFS pointer/);
  });
});

describe('config.json', () => {
  const read = (text: (plain: string) => string) => {
    const copy = mkdtempSync(join(folder, 'j-'));
    writeFileSync(join(copy, 'config.json'), text(readFileSync(golden('models/llama/config.json'), 'utf8')));
    return readConfig(copy);
  };

  it("may have Python's NaN and Infinity where nobody reads them", () => {
    const config = read(text =>
      text.replace('{', '{"time_step_limit": [0.0, Infinity], "mean": NaN, "least": -Infinity,'),
    );
    // The folder has no generation_config.json.
    const {eosIn: _, ...ofGolden} = readConfig(golden('models/llama'));
    expect(config).toMatchObject(ofGolden);
  });

  it('is refused with the key where a number that is read is none', () => {
    expect(() => read(text => text.replace(/"rms_norm_eps": [^,]*/, '"rms_norm_eps": NaN'))).toThrow(
      /rms_norm_eps is "NaN"/,
    );
  });

  it('means by rope_scaling what transformers does where rope_parameters is there too: it stands for the whole', () => {
    const both = {
      rope_parameters: {rope_type: 'default', rope_theta: 5e5},
      rope_scaling: {rope_type: 'linear', factor: 2},
      rope_theta: 7,
    };
    const {layers} = read(text => JSON.stringify({...JSON.parse(text), ...both}));
    expect(layers[0]!.rotary).toEqual({theta: 7, scaling: {type: 'linear', factor: 2}});
  });

  it('is refused where its kinds of layers are not those of the family', () => {
    const types = ['full_attention', 'sliding_attention', 'full_attention'];
    expect(() => read(text => JSON.stringify({...JSON.parse(text), layer_types: types}))).toThrow(
      /names sliding_attention/,
    );
    const rope = {full_attention: {rope_theta: 1e4, rope_type: 'default'}};
    expect(() => read(text => JSON.stringify({...JSON.parse(text), rope_parameters: rope}))).toThrow(
      /by kind of layer/,
    );
  });
});

describe('an adapter', () => {
  const open = (change: (tensors: Tensors) => object) =>
    openAdapter(adapter(change), openFolder(golden('models/llama')));
  const own = tensorsOf(golden('models/llama/model.safetensors'));

  it('may bring copies of the embeddings and the head of its base', () => {
    const plain = open(() => ({}));
    const found = open(tensors => {
      tensors.set('base_model.model.model.embed_tokens.weight', own.get('model.embed_tokens.weight')!);
      tensors.set('base_model.model.lm_head.weight', own.get('lm_head.weight')!);
      return {};
    });
    expect(found.factors).toEqual(plain.factors);
  });

  it('is refused where they differ from the base', () => {
    const {shape, data} = own.get('lm_head.weight')!;
    const other = data.map((value, i) => (i === 5 ? value + 1 : value));
    expect(() =>
      open(tensors => {
        tensors.set('base_model.model.lm_head.weight', {shape, data: other});
        return {};
      }),
    ).toThrow(/brings lm_head.weight, which differs from the model's own/);
  });

  it('of the head or of embeddings is called so', () => {
    const pair = (tensors: Tensors, a: string, b: string) => {
      tensors.set(`base_model.model.${a}`, {shape: [4, 32], data: new Float32Array(128)});
      tensors.set(`base_model.model.${b}`, {shape: [96, 4], data: new Float32Array(384)});
      return {};
    };
    expect(() => open(tensors => pair(tensors, 'lm_head.lora_A.weight', 'lm_head.lora_B.weight'))).toThrow(
      /trains lm_head; adapters of the output head and of embeddings are not supported/,
    );
    const embedding = 'model.embed_tokens.lora_embedding';
    expect(() => open(tensors => pair(tensors, `${embedding}_A`, `${embedding}_B`))).toThrow(/trains embeddings/);
  });

  it('of a kind that leaves the base as it is is taken, and flags that are not known are refused by name', () => {
    expect(open(() => ({init_lora_weights: 'mica'})).residualOf).toBeNull();
    expect(() => open(() => ({use_future: true}))).toThrow(/its use_future is true, which is not known here/);
    expect(() => open(() => ({use_future: false, use_rslora: true, inference_mode: true}))).not.toThrow();
  });

  it('of mlx-lm is called so', () => {
    const copy = mkdtempSync(join(folder, 'mlx-'));
    mkdirSync(copy, {recursive: true});
    writeFileSync(join(copy, 'adapter_config.json'), JSON.stringify({fine_tune_type: 'lora', num_layers: 16}));
    writeFileSync(join(copy, 'adapters.safetensors'), '');
    expect(() => openAdapter(copy, openFolder(golden('models/llama')))).toThrow(/was made by mlx-lm/);
  });
});
