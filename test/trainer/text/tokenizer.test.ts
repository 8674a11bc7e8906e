import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
const demo = new URL('../../../demo/base/', import.meta.url).pathname;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

interface Sample {
  text: string;
  ids: number[];
  ids_without_special: number[];
  decoded: string;
  decoded_skip_special: string;
}

describe('the tokenizer', () => {
  it.each(['bytelevel', 'bytelevel-digits', 'spm', 'metaspace', 'gemma'])(
    'of the %s kind gives the ids and texts of the reference',
    name => {
      const golden = join(fixtures, 'goldens/tokenizers', name);
      const tokenizer = openTokenizer(golden);
      const {samples, vocab_size}: {samples: Sample[]; vocab_size: number} = JSON.parse(
        readFileSync(join(golden, 'expected.json'), 'utf8'),
      );
      expect(tokenizer.vocabSize).toBe(vocab_size);
      expect(samples.length).toBe(30);
      for (const sample of samples) {
        expect({
          text: sample.text,
          ids: tokenizer.encode(sample.text, {special: true}),
          ids_without_special: tokenizer.encode(sample.text, {special: false}),
          decoded: tokenizer.decode(sample.ids_without_special, {skipSpecial: false}),
          decoded_skip_special: tokenizer.decode(sample.ids, {skipSpecial: true}),
        }).toEqual(sample);
      }
    },
  );

  it('of stories260K agrees on all cases, empty and odd ones too', () => {
    const tokenizer = openTokenizer(join(fixtures, 'stories260K'));
    const golden = JSON.parse(readFileSync(join(fixtures, 'stories260K/golden.json'), 'utf8'));
    for (const [text, ids] of golden.tokenizer_cases) {
      expect([text, tokenizer.encode(text, {special: false})]).toEqual([text, ids]);
    }
    expect(tokenizer.encode(golden.prompt, {special: true})).toEqual(golden.input_ids);
    expect(tokenizer.decode(golden.greedy_ids, {skipSpecial: true})).toBe(golden.text);
    expect(tokenizer.leading).toEqual([1]);
    expect(tokenizer.eos).toEqual({id: 2, text: '</s>'});
  });

  it('of the demo has one token a character, and its unknown token for others', () => {
    const tokenizer = openTokenizer(demo);
    expect(tokenizer.encode('k:jbeb=', {special: true})).toEqual([1, 23, 45, 22, 14, 17, 14, 44]);
    expect(tokenizer.encode('b<eos>é', {special: false})).toEqual([14, 2, 0]);
    expect(tokenizer.decode([1, 22, 17, 2, 58, 9999], {skipSpecial: true})).toBe('je');
    expect(tokenizer.eos).toEqual({id: 2, text: '<eos>'});
    expect(tokenizer.vocabSize).toBe(58);
  });

  it('decodes broken byte tokens to one replacement character a byte', () => {
    const tokenizer = openTokenizer(join(fixtures, 'goldens/tokenizers/gemma'));
    const bytes = tokenizer.encode('日', {special: false});
    expect(bytes.length).toBe(3);
    expect(tokenizer.decode(bytes, {skipSpecial: false})).toBe('日');
    expect(tokenizer.decode(bytes.slice(0, 2), {skipSpecial: false})).toBe('\uFFFD\uFFFD');
  });

  it('tells what the post-processor puts before a text from what it puts after', () => {
    const copy = join(folder, 'both');
    mkdirSync(copy);
    cpSync(demo, copy, {recursive: true});
    const definition = JSON.parse(readFileSync(join(demo, 'tokenizer.json'), 'utf8'));
    definition.post_processor.single.push({SpecialToken: {id: '<eos>', type_id: 0}});
    definition.post_processor.special_tokens['<eos>'] = {id: '<eos>', ids: [2], tokens: ['<eos>']};
    writeFileSync(join(copy, 'tokenizer.json'), JSON.stringify(definition));
    const tokenizer = openTokenizer(copy);
    expect(tokenizer.encode('b', {special: true})).toEqual([1, 14, 2]);
    expect(tokenizer.leading).toEqual([1]);
  });

  it('reads an eos token that is spelt as an object, and has none where none is named', () => {
    const copy = join(folder, 'object');
    mkdirSync(copy);
    cpSync(join(demo, 'tokenizer.json'), join(copy, 'tokenizer.json'));
    expect(openTokenizer(copy).eos).toBeNull();
    writeFileSync(join(copy, 'tokenizer_config.json'), JSON.stringify({eos_token: {content: '<eos>', lstrip: false}}));
    expect(openTokenizer(copy).eos).toEqual({id: 2, text: '<eos>'});
    writeFileSync(join(copy, 'tokenizer_config.json'), JSON.stringify({eos_token: 'ab'}));
    expect(openTokenizer(copy).eos).toBeNull();
  });

  it('that is missing or broken is named in one sentence', () => {
    expect(() => openTokenizer(folder)).toThrow(expect.objectContaining({code: 'missing-file'}));
    for (const content of [
      '{',
      '[]',
      '{}',
      '{"model": {"type": "Odd"}}',
      '{"model": {"type": "BPE"}, "added_tokens": []}',
    ]) {
      writeFileSync(join(folder, 'tokenizer.json'), content);
      expect(() => openTokenizer(folder)).toThrow(
        expect.objectContaining({code: 'bad-model', message: expect.stringContaining('tokenizer.json')}),
      );
    }
  });

  it('without an unknown token refuses a character it does not have', () => {
    const copy = join(folder, 'strict');
    mkdirSync(copy);
    const definition = JSON.parse(readFileSync(join(demo, 'tokenizer.json'), 'utf8'));
    delete definition.model.unk_token;
    writeFileSync(join(copy, 'tokenizer.json'), JSON.stringify(definition));
    expect(() => openTokenizer(copy).encode('aé', {special: true})).toThrow(/has no token for "é"/);
  });
});
