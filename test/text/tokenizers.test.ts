/** What goes in and out of five published tokenizers, beside Python's tokenizers and transformers (generate.py). */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {encodeChat} from '../../trainer/data/chat.ts';
import {ignored} from '../../trainer/data/token-row.ts';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {modelFolder, published} from './published.ts';

const fixtures = fileURLToPath(new URL('../fixtures/text/', import.meta.url));
const read = (name: string): unknown => JSON.parse(readFileSync(`${fixtures}${name}.json`, 'utf8'));
const {answers, texts} = read('texts') as {answers: number; texts: string[]};

/** One value a text. */
interface Reference {
  ids: string[];
  special: string[];
  ends: string[];
  follows: string[];
  drawn: string[];
  learnt: [first: number, last: number, tokens: number][];
  /** What stands before and behind an answer; the second part is learnt. */
  turn: [string, string, string];
}

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** The generator of generate.py. */
function drawing(seed: number): (end: number) => number {
  let state = seed;
  return end => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return Number((BigInt(state) * BigInt(end)) >> 32n);
  };
}

/** The texts whose values differ. */
const differing = (found: readonly string[], expected: readonly string[]): string[] =>
  texts.filter((_, i) => found[i] !== expected[i]);

describe.each(published)('the published tokenizer %s', name => {
  const tokenizer = openTokenizer(modelFolder(name));
  const reference = read(name) as Reference;
  const ids = texts.map(text => tokenizer.encode(text, {special: false}));

  it(`gives the ids of Python's tokenizers for ${texts.length} texts`, () => {
    expect(
      differing(
        ids.map(list => short(list.join())),
        reference.ids,
      ),
    ).toEqual([]);
    const special = texts.map(text => short(tokenizer.encode(text, {special: true}).join()));
    expect(differing(special, reference.special)).toEqual([]);
  });

  it("reads what follows a prompt as transformers' decode does, with no clean-up and no special tokens", () => {
    const below = drawing(2);
    const follows: string[] = [];
    const drawn: string[] = [];
    for (const list of ids) {
      const cut = below(list.length + 1);
      follows.push(short(tokenizer.decode(list.slice(cut), {skipSpecial: true, after: list.slice(0, cut)})));
      const some = Array.from({length: 12}, () => below(tokenizer.vocabSize));
      drawn.push(short(tokenizer.decode(some, {skipSpecial: true, after: list})));
    }
    expect(differing(follows, reference.follows)).toEqual([]);
    expect(differing(drawn, reference.drawn)).toEqual([]);
  });

  it('places tokens in their text where Python places them', () => {
    const found = texts.map((text, i) => {
      const written = name === 'qwen3' ? text.normalize('NFC') : text;
      const ends = tokenizer.ends(ids[i]!, written);
      return ends && short(charactersBefore(ends, written).join());
    });
    const isComposed = (text: string) => name !== 'qwen3' || text === text.normalize('NFC');
    expect(texts.filter((text, i) => isComposed(text) && found[i] !== reference.ends[i])).toEqual([]);
    expect(texts.filter((_, i) => found[i] === null)).toEqual([]);
  });

  it(`learns the tokens of ${answers} real answers that transformers' assistant mask has`, () => {
    const [before, end, behind] = reference.turn;
    const wrong = texts.slice(0, answers).filter((answer, i) => {
      const text = before + answer + end + behind;
      const template = {
        render: () => text,
        write: () => ({text, turns: [], marked: [{start: before.length, end: (before + answer + end).length}]}),
      };
      const {ids: all, labels} = encodeChat({messages: []}, {values: {}, file: '', line: 1}, {template, tokenizer});
      const isLearnt = labels.map(label => label !== ignored);
      const [first, last, count] = reference.learnt[i]!;
      const found = [isLearnt.indexOf(true), isLearnt.lastIndexOf(true), all.length];
      return String(found) !== String([first, last, count]) || isLearnt.slice(first, last + 1).includes(false);
    });
    expect(wrong).toEqual([]);
  });
});

/** Bytes of a text as characters (of Unicode); within one, the character that it belongs to counts. */
function charactersBefore(ends: Int32Array, text: string): number[] {
  const upTo: number[] = [0];
  let characters = 0;
  for (const character of text) {
    characters++;
    for (let byte = Buffer.byteLength(character); byte > 0; byte--) upTo.push(characters);
  }
  return [...ends].map(end => upTo[end]!);
}
