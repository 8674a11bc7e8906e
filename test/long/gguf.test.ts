/** GGUF files that were written here, read by llama.cpp's own Python package: its names, its order of rows, every number. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {writeGgufModel} from '../../trainer/export/gguf-model.ts';
import {environment, output} from '../bench/peers/python.ts';
import {type HalfFamily, writeHalfModel} from '../trainer/export/half-model.ts';

let home: string;
let interpreter: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-gguf-'));
  interpreter = await environment('gguf', here('gguf.txt'), 'about 100 MB');
});
afterAll(() => rmSync(home, {recursive: true, force: true}));

function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

it.each<HalfFamily>(['llama', 'qwen2', 'qwen3'])('%s: the package gguf reads the same tensors', async family => {
  const folder = join(home, family);
  const file = join(folder, 'model-f16.gguf');
  writeHalfModel(folder, family);
  writeGgufModel(folder, file, family);
  const read = JSON.parse(await output(interpreter, [here('read-gguf.py'), file, folder])) as Record<string, unknown>;
  const each = {llama: 9, qwen2: 12, qwen3: 11}[family];
  expect(read).toEqual({
    architecture: family,
    ...{names: [], unequal: [], types: ['F16', 'F32']},
    tensors: 2 * each + (family === 'llama' ? 3 : 2),
    tokens: 264,
    pre: family === 'llama' ? 'llama-bpe' : 'qwen2',
  });
});
