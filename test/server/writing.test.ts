/** What helps while a sweep file is written: anchors, completion at its colons and dashes, formatting, fixes. */
import {describe, expect, it} from 'vitest';
import {readSweep} from '../../core/sweep/read.ts';
import {definition, references, rename, renamed} from '../../server/anchors.ts';
import {codeActions} from '../../server/code-actions.ts';
import {completion} from '../../server/completion.ts';
import {formatting} from '../../server/formatting.ts';
import {documentOf, marked} from './marked.ts';

const inspector = {
  inspect: () => Promise.reject(new Error('nobody asked')),
  model: async () => null,
  columns: async () => [],
  candidates: async () => [],
  sweepFiles: async () => [],
};

const shared = `x-shared: &grid {from: 1e-4, to: 1e-2, per_decade: 2}
x-text: "&grid *grid" # &grid
model: base
data: {train: a.jsonl, format: text}
methods:
  lora: {learning_rate: *grid}
  pissa: {learning_rate: *grid}
learning_rate: *grid
`;

describe('anchors', () => {
  const at = (text: string) => {
    const {text: plain, position} = marked(text);
    return {document: documentOf(plain), position};
  };
  const lines = (found: {range: {start: {line: number}}}[]) => found.map(({range}) => range.start.line);

  it('are found from an alias, and their aliases from either', () => {
    for (const mark of ['lora: {learning_rate: *gr▮id}', 'lora: {learning_rate: ▮*grid}']) {
      const {document, position} = at(shared.replace('lora: {learning_rate: *grid}', mark));
      expect(definition(document, position)?.range).toEqual({
        start: {line: 0, character: 11},
        end: {line: 0, character: 15},
      });
      expect(lines(references(document, position, true))).toEqual([0, 5, 6, 7]);
      expect(lines(references(document, position, false))).toEqual([5, 6, 7]);
    }
  });

  it('in quotes and comments are none', () => {
    const {document, position} = at(shared.replace('"&grid', '"&gr▮id'));
    expect(definition(document, position)).toBeNull();
    expect(renamed(document, position)).toBeNull();
    expect(rename(document, position, 'other')).toEqual([]);
  });

  it('are renamed with all that repeat them, to a name that is free', () => {
    const {document, position} = at(shared.replace('&grid {', '&gr▮id {'));
    expect(rename(document, position, 'rates').map(({range, newText}) => [range.start.line, newText])).toEqual([
      [0, 'rates'],
      [5, 'rates'],
      [6, 'rates'],
      [7, 'rates'],
    ]);
    expect(() => rename(document, position, 'two words')).toThrow(/cannot be the name/);
    const two = at(`x-a: &a 1\nx-b: &b▮ 2\n`);
    expect(() => rename(two.document, two.position, 'a')).toThrow(/There is an anchor &a/);
  });

  it('of one name belong to the aliases between them', () => {
    const {document, position} = at('x-a: &a 1\nx-b: *a\nx-c: &a 2\nx-d: *a▮\n');
    expect(lines(references(document, position, true))).toEqual([2, 3]);
  });

  it('are shared under keys that begin with x-, which mean nothing else', () => {
    const {sweep, problems} = readSweep(shared);
    expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
    expect(sweep?.methods.map(({learningRates}) => learningRates?.length)).toEqual([5, 5]);
    // Only at the top.
    expect(readSweep('training: {x-y: 1}\n').problems.some(({code}) => code === 'unknown-key')).toBe(true);
  });
});

describe('completion', () => {
  const offered = async (text: string) => {
    const {text: plain, position} = marked(text);
    const items = await completion(documentOf(plain), position, inspector);
    return items.map(({label, textEdit}) => [label, textEdit && 'newText' in textEdit ? textEdit.newText : '']);
  };

  it('right behind a colon puts the value behind a space', async () => {
    expect(await offered('training:\n  schedule:▮')).toContainEqual(['cosine', ' cosine']);
    expect(await offered('training:\n  schedule: ▮')).toContainEqual(['cosine', 'cosine']);
    expect(await offered('training: {schedule:▮}')).toContainEqual(['cosine', ' cosine']);
  });

  it('in a list of lines offers items, not keys', async () => {
    const labels = (await offered('model: base\nmethods:\n  - lora\n  - ▮')).map(([label]) => label);
    expect(labels).toContain('pissa');
    expect(labels).not.toContain('lora');
    expect(labels).not.toContain('model');
  });
});

describe('formatting', () => {
  it.each([
    'learning_rate: [1e-05, 2.50e-4, 1E-3, .5, 0x10]\n',
    'seeds: [01, 1_000, ~, null, True, no]\n',
    'name: "a b"\nmodel: \'c d\'\ndata:\n',
    'x-note: |\n  two\n   lines\nmodle: 1e-05\nrank: [1, nine]\n',
  ])('keeps every scalar of %j as it is written', text => {
    const spaced = text.replace(': ', ':   ');
    expect(formatting(documentOf(spaced), {tabSize: 2})[0]?.newText).toBe(text);
  });
});

describe('a preferred fix', () => {
  const all = {start: {line: 0, character: 0}, end: {line: 99, character: 0}};

  it('mends what is no sweep yet, and never changes what a sweep trains', () => {
    const preferred = (text: string) => codeActions(documentOf(text), all).filter(({isPreferred}) => isPreferred);
    expect(preferred(shared.replace('model:', 'modle:')).map(({title}) => title)).toEqual(['Change to model']);
    const narrow = shared.replace('to: 1e-2', 'to: 1.1e-4');
    expect(codeActions(documentOf(narrow), all).length).toBeGreaterThan(0);
    expect(preferred(narrow)).toEqual([]);
  });
});
