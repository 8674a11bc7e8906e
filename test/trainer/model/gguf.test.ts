import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {findModel} from '../../../trainer/model/find-model.ts';
import {openModel} from '../../../trainer/model/open-model.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {blockFormats, isBlockType, widenBlocks} from '../../../trainer/weights/ggml.ts';
import {largestDifference, logitsOf} from './logits.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/gguf/', import.meta.url));
const json = <T>(name: string) => JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as T;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gguf-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

describe('blocks of quantised values', () => {
  const references = json<Record<string, {bytes: string; values: string}>>('blocks.json');
  it('are known in every format', () =>
    expect(Object.keys(references).sort()).toEqual(Object.keys(blockFormats).sort()));
  it.each(Object.entries(references))('%s are widened as the reference does, bit by bit', (type, {bytes, values}) => {
    const expected = Buffer.from(values, 'base64');
    const found = new Float32Array(expected.length / 4);
    if (isBlockType(type)) widenBlocks(type, Buffer.from(bytes, 'base64'), found);
    expect(Buffer.from(found.buffer).equals(expected)).toBe(true);
  });
});

/** The file with another architecture, whose name may have another length. */
function named(file: Buffer, architecture: string): Buffer {
  const key = 'general.architecture';
  // Behind the key the type of its value (4 bytes) and the length of the text (8).
  const length = file.indexOf(key) + key.length + 4;
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(architecture.length));
  const rest = file.subarray(length + 8 + Number(file.readBigUInt64LE(length)));
  return Buffer.concat([file.subarray(0, length), size, Buffer.from(architecture), rest]);
}

describe('GGUF files', () => {
  it.each(['llama', 'qwen2', 'phi3', 'gemma3'])(
    '%s: logits agree with transformers on the widened weights',
    async name => {
      const {input_ids, logits, logits_max_abs_diff} = json<{
        input_ids: number[][];
        logits: number[][][];
        logits_max_abs_diff: number;
      }>(`${name}.json`);
      const model = await openModel(join(fixtures, `${name}.gguf`));
      for (const kind of ['compiled', 'cpu'] as const) {
        const engine = await openEngine(kind, {threads: 1});
        const found = await logitsOf(engine, model, input_ids);
        // Another order of summation in float32 stays within ten times float32's own distance from float64.
        expect(largestDifference(found, logits)).toBeLessThan(10 * logits_max_abs_diff);
        await engine.dispose();
      }
    },
  );

  it('are found by their path, or in a folder that has no safetensors', async () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    cpSync(join(fixtures, 'llama.gguf'), join(own, 'a.gguf'));
    expect(findModel('own/a.gguf', folder)).toBe(join(own, 'a.gguf'));
    const model = await openModel(findModel('own', folder));
    expect(model).toMatchObject({path: own, folder: own, config: {family: 'llama', tiedEmbeddings: true}});
    expect((await openModel(join(own, 'a.gguf'))).folder).toBe(own);
    expect(() => openTokenizer(own)).toThrow(/tokenizer\.json .* beside the GGUF file/);
    cpSync(join(fixtures, 'qwen2.gguf'), join(own, 'b.gguf'));
    await expect(openModel(own)).rejects.toThrow(/has 2 GGUF files \(a.gguf, b.gguf.*; give the path of one/);
    await expect(openModel(join(own, 'c.gguf'))).rejects.toMatchObject({code: 'missing-file'});
  });

  it('that are cut, foreign or of formats and architectures not known are refused in one sentence', async () => {
    const whole = readFileSync(join(fixtures, 'llama.gguf'));
    const open = (bytes: Buffer) => {
      writeFileSync(join(folder, 'bad.gguf'), bytes);
      return openModel(join(folder, 'bad.gguf'));
    };
    const bad = (message: RegExp) => ({code: 'bad-model', message: expect.stringMatching(message)});
    await expect(open(whole.subarray(0, -100))).rejects.toMatchObject(bad(/ends behind the end of the file/));
    await expect(open(whole.subarray(0, 700))).rejects.toMatchObject(bad(/./));
    await expect(open(Buffer.from('not a model'))).rejects.toMatchObject(bad(/not a sound GGUF file/));
    await expect(open(Buffer.alloc(0))).rejects.toMatchObject(bad(/not a sound GGUF file/));
    const other = Buffer.from(whole);
    other.write('mamba', other.indexOf('llama', other.indexOf('general.architecture')));
    await expect(open(other)).rejects.toMatchObject({
      code: 'unknown-architecture',
      message: expect.stringMatching(/"mamba"; those supported in GGUF files are llama, qwen2/),
    });
    // As llama.cpp names the families that are read from safetensors only: every header that says so is refused.
    for (const name of [
      'gemma',
      'gemma2',
      'olmo2',
      'granite',
      'granitehybrid',
      'glm4',
      'chatglm',
      'exaone4',
      'mistral3',
    ]) {
      const message = await open(named(whole, name)).then(
        () => 'it is opened',
        (error: Error) => error.message,
      );
      expect(message).toContain(`has the architecture "${name}"; those supported in GGUF files are llama, qwen2`);
      expect(message).toContain('Other families are read from safetensors.');
    }
    const strange = Buffer.from(whole);
    // Type 16 is IQ2_XXS: 32-bit number behind the name, its length of 2 sizes and the sizes.
    const name = strange.indexOf('token_embd.weight') + 'token_embd.weight'.length;
    strange.writeUInt32LE(16, name + 4 + 16);
    await expect(open(strange)).rejects.toMatchObject(
      bad(/token_embd.weight is stored as IQ2_XXS; F32, F16, BF16, Q4_0/),
    );
  });
});
