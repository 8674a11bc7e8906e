/**
 * Kinds of tokenizer.json that the published tokenizers here do not have (how a text is cut and normalized, flags of added tokens),
 * beside Python's tokenizers. References are made by references/variants.py.
 */
import {createHash} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {modelFolder} from './published.ts';

interface Variant {
  name: string;
  /** Keys of tokenizer.json in place of the original's; of `model`, some of its keys. */
  change: Record<string, object>;
  /** Of every 25 texts. */
  ids: string[];
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/text/${name}.json`, import.meta.url), 'utf8'));
const variants: Variant[] = read('variants');
const kept: {texts: string[]; answers: number} = read('texts');
const texts = kept.texts.slice(kept.answers - 60);

/** Qwen3's tokenizer with its first 8,000 tokens only, as in variants.py. */
const original = JSON.parse(readFileSync(join(modelFolder('qwen3'), 'tokenizer.json'), 'utf8'));
const vocabulary: Record<string, number> = Object.fromEntries(
  Object.entries<number>(original.model.vocab).filter(([, id]) => id < 8000),
);
original.model.vocab = vocabulary;
original.model.merges = original.model.merges.filter((pair: [string, string]) =>
  [...pair, pair.join('')].every(token => token in vocabulary),
);
original.added_tokens.forEach((token: {id: number}, i: number) => {
  token.id = 8000 + i;
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'variants-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

function open(change: Record<string, object>) {
  const model = {...original.model, ...change['model']};
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({...original, ...change, model}));
  return openTokenizer(folder);
}

const short = (ids: number[][]): string => createHash('sha256').update(JSON.stringify(ids)).digest('hex').slice(0, 8);

describe(`${texts.length} texts have the ids of Python's tokenizers`, () => {
  it.each(variants)('by a tokenizer with $name', ({change, ids}) => {
    const tokenizer = open(change);
    const found = texts.map(text => tokenizer.encode(text, {special: false}));
    const wrong = ids.flatMap((expected, i) => {
      const some = found.slice(25 * i, 25 * (i + 1));
      return short(some) === expected ? [] : [{from: 25 * i, texts: texts.slice(25 * i, 25 * (i + 1))}];
    });
    expect(wrong).toEqual([]);
  });
});

it('a kind that cannot be followed is refused by its name', () => {
  expect(() => open({pre_tokenizer: {type: 'UnicodeScripts'}})).toThrow(/UnicodeScripts/);
  expect(() => open({normalizer: {type: 'Nmt'}})).toThrow(/Nmt/);
});
