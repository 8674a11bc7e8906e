import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readAdapter, writeAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {golden, goldenValues} from '../golden.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const configOf = (adapter: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;

describe('adapter folders', () => {
  for (const name of ['llama-lora', 'llama-dora', 'gemma3-dora'])
    it(`${name}: what PEFT wrote is read, and written again with the same tensors`, () => {
      const original = golden(`train/${name}/high`);
      const {factors, rank, alpha, scale, method} = readAdapter(original);
      expect([rank, alpha, scale, method]).toEqual([4, 4, 1, name.endsWith('dora') ? 'dora' : 'lora']);
      const copy = join(folder, name);
      writeAdapter(copy, {base: {model: 'models/llama', revision: null}, rank, alpha, factors});
      expect(goldenValues(`train/${name}/high/adapter_model.safetensors`)).toEqual(
        new Map(
          [...readAdapter(copy).factors].flatMap(([site, {A, B, magnitude}]) => [
            [`base_model.model.${site}.lora_A.weight`, A] as const,
            [`base_model.model.${site}.lora_B.weight`, B] as const,
            ...(magnitude ? [[`base_model.model.${site}.lora_magnitude_vector`, magnitude] as const] : []),
          ]),
        ),
      );
      expect(readdirSync(copy).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    });

  it.each([
    ['llama-pissa', 'pissa', 'pissa'],
    ['llama-milora', 'milora', true],
    ['llama-initab', 'init-ab', true],
  ])('%s: the factors as trained stand beside the start that its base has lost', (name, method, initialisation) => {
    const {factors, rank, alpha} = readAdapter(golden(`train/${name}/high`));
    const start = readAdapter(golden(`train/${name}/init`)).factors;
    const copy = join(folder, method);
    writeAdapter(copy, {
      base: {model: 'models/llama', revision: null},
      rank,
      alpha,
      factors,
      residual: {method, start},
    });
    const back = readAdapter(copy);
    expect(back.residualOf).toBe(method);
    expect(back.factors).toEqual(factors);
    expect(back.start).toEqual(new Map([...start].map(([site, {A, B}]) => [site, {A, B}])));
    expect(goldenValues(`train/${name}/high/adapter_model.safetensors`).size).toBe(2 * back.factors.size);
    expect(configOf(copy)).toMatchObject({
      init_lora_weights: initialisation,
      r: 4,
      lora_alpha: 4,
      use_dora: false,
      target_modules: ['down_proj', 'gate_proj', 'k_proj', 'o_proj', 'q_proj', 'up_proj', 'v_proj'],
      lora_sweep: {method, residual_start: 'start.safetensors'},
    });
  });

  it('take the place of an earlier adapter as a whole: nothing of it stays', () => {
    const {factors, rank, alpha} = readAdapter(golden('train/llama-milora/high'));
    const copy = join(folder, 'replaced');
    const residual = {method: 'milora', start: factors};
    writeAdapter(copy, {base: {model: 'models/llama', revision: null}, rank, alpha, factors, residual});
    writeAdapter(copy, {base: {model: 'models/llama', revision: null}, rank, alpha, factors});
    expect(readAdapter(copy)).toMatchObject({residualOf: null, start: null});
    expect(readdirSync(copy).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    expect(readdirSync(folder).filter(name => name.startsWith('replaced'))).toEqual(['replaced']);
  });

  it("of PEFT's own PiSSA are read, and say that their base is another one", () => {
    expect(readAdapter(golden('train/llama-pissa/high'))).toMatchObject({residualOf: 'pissa', start: null});
  });

  it('are refused when the start is that of another adapter', () => {
    const {factors, rank, alpha} = readAdapter(golden('train/llama-milora/high'));
    const write = (name: string, start: Map<string, {A: Float32Array; B: Float32Array}>) => {
      writeAdapter(join(folder, name), {
        base: {model: 'b', revision: null},
        rank,
        alpha,
        factors,
        residual: {method: 'milora', start},
      });
      return () => readAdapter(join(folder, name));
    };
    const plain = [...factors].map(([site, {A, B}]): [string, {A: Float32Array; B: Float32Array}] => [
      site,
      {A: A!, B: B!},
    ]);
    const [first, {A, B}] = plain[0]!;
    const others = plain.slice(1);
    expect(write('fewer', new Map(others))).toThrow(/has no lora_A/);
    expect(write('more', new Map([...plain, ['model.head', {A, B}]]))).toThrow(/model\.head/);
    expect(write('narrow', new Map([...plain, [first, {A: A.subarray(rank), B}]]))).toThrow(/start\.safetensors has A/);
  });

  it('are refused in one sentence when they are something else', () => {
    const change = (name: string, changed: object) => {
      const {factors, rank, alpha} = readAdapter(golden('train/llama-lora/high'));
      const copy = join(folder, name);
      writeAdapter(copy, {base: {model: 'models/llama', revision: null}, rank, alpha, factors});
      const file = join(copy, 'adapter_config.json');
      writeFileSync(file, JSON.stringify({...JSON.parse(readFileSync(file, 'utf8')), ...changed}));
      return () => readAdapter(copy);
    };
    expect(change('saved', {modules_to_save: ['lm_head']})).toThrow(/modules_to_save/);
    expect(change('bias', {bias: 'all'})).toThrow(/bias/);
    expect(change('rank', {r: 8})).toThrow(/rank 8/);
    expect(change('type', {peft_type: 'POLY'})).toThrow(/POLY/);
    expect(change('bat', {peft_type: 'MISS', init_weights: 'bat'})).toThrow(/MiSS in its form bat/);
    expect(change('dora', {use_dora: true})).toThrow(/no magnitude/);
    expect(change('alpha', {lora_alpha: 0})).toThrow(/lora_alpha is 0/);
    expect(change('pattern', {rank_pattern: {q_proj: 2}})).toThrow(/rank 2/);
    const truncated = join(folder, 'truncated');
    change('truncated', {});
    const tensors = join(truncated, 'adapter_model.safetensors');
    writeFileSync(tensors, readFileSync(tensors).subarray(0, 5000));
    expect(() => readAdapter(truncated)).toThrow(/not a sound safetensors file/);
    rmSync(tensors);
    expect(() => readAdapter(truncated)).toThrow(/no adapter_model.safetensors/);
    expect(() => readAdapter(join(folder, 'nowhere'))).toThrow(/no adapter_config.json/);
  });

  it('never replace files of somebody else', () => {
    const {factors, rank, alpha} = readAdapter(golden('train/llama-lora/high'));
    const copy = join(folder, 'foreign');
    writeAdapter(copy, {base: {model: 'b', revision: null}, rank, alpha, factors});
    writeFileSync(join(copy, 'notes.txt'), 'mine');
    expect(() => writeAdapter(copy, {base: {model: 'b', revision: null}, rank, alpha, factors})).toThrow(/notes.txt/);
    expect(readFileSync(join(copy, 'notes.txt'), 'utf8')).toBe('mine');
  });
});
