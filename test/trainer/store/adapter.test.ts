import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readAdapter, writeAdapter} from '../../../trainer/store/adapter.ts';
import {golden, goldenValues} from '../golden.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

describe('adapter folders', () => {
  for (const name of ['llama-lora', 'llama-dora', 'gemma3-dora'])
    it(`${name}: what PEFT wrote is read, and written again with the same tensors`, () => {
      const original = golden(`train/${name}/high`);
      const {factors, rank, alpha, scale, method} = readAdapter(original);
      expect([rank, alpha, scale, method]).toEqual([4, 4, 1, name.endsWith('dora') ? 'dora' : 'lora']);
      const copy = join(folder, name);
      writeAdapter(copy, {base: 'models/llama', rank, alpha, factors});
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

  it('keep the start that a residual method took out of the base', () => {
    const {factors, rank, alpha} = readAdapter(golden('train/llama-pissa/high'));
    const start = readAdapter(golden('train/llama-pissa/init')).factors;
    const copy = join(folder, 'milora');
    const written = {base: 'models/llama', rank, alpha, factors, residual: {method: 'milora', start}};
    writeAdapter(copy, written);
    writeAdapter(copy, written);
    const back = readAdapter(copy);
    expect(back.residualOf).toBeNull();
    for (const [site, {A, B}] of start) expect(back.start!.get(site)).toMatchObject({A, B});
    const config = JSON.parse(readFileSync(join(copy, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    expect(config['lora_sweep']).toEqual({method: 'milora', residual_start: 'start.safetensors'});
  });

  it('are refused in one sentence when they are something else', () => {
    const change = (name: string, changed: object) => {
      const {factors, rank, alpha} = readAdapter(golden('train/llama-lora/high'));
      const copy = join(folder, name);
      writeAdapter(copy, {base: 'models/llama', rank, alpha, factors});
      const file = join(copy, 'adapter_config.json');
      writeFileSync(file, JSON.stringify({...JSON.parse(readFileSync(file, 'utf8')), ...changed}));
      return () => readAdapter(copy);
    };
    expect(change('saved', {modules_to_save: ['lm_head']})).toThrow(/modules_to_save/);
    expect(change('bias', {bias: 'all'})).toThrow(/bias/);
    expect(change('rank', {r: 8})).toThrow(/rank 8/);
    expect(change('type', {peft_type: 'IA3'})).toThrow(/IA3/);
    expect(() => readAdapter(join(folder, 'nowhere'))).toThrow(/no adapter_config.json/);
  });

  it('never replace files of somebody else', () => {
    const {factors, rank, alpha} = readAdapter(golden('train/llama-lora/high'));
    const copy = join(folder, 'foreign');
    writeAdapter(copy, {base: 'b', rank, alpha, factors});
    writeFileSync(join(copy, 'notes.txt'), 'mine');
    expect(() => writeAdapter(copy, {base: 'b', rank, alpha, factors})).toThrow(/notes.txt/);
    expect(readFileSync(join(copy, 'notes.txt'), 'utf8')).toBe('mine');
  });
});
