import {describe, expect, it} from 'vitest';
import {Lines} from '../../../../core/sweep/text/lines.ts';
import {find, locate} from '../../../../core/sweep/text/locate.ts';
import {readTree} from '../../../../core/sweep/text/tree.ts';

/** What stands at the cursor, which is marked with ^ in the text. */
function atCursor(marked: string) {
  const text = marked.replace('^', '');
  const tree = readTree(text);
  const location = locate(tree, tree.lines.position(marked.indexOf('^')));
  return location && `${location.kind} ${location.path.join('.')} ${tree.lines.slice(location.range)}`;
}

describe('a position', () => {
  it.each([
    ['ra^nk: 8', 'key rank rank'],
    ['rank^: 8', 'key rank rank'],
    ['rank: ^8', 'value rank 8'],
    ['rank: 8^', 'value rank 8'],
    ['rank: [8, 1^6]', 'value rank.1 16'],
    ['methods: [lora, pis^sa]', 'method methods.1 pissa'],
    ['methods: lo^ra', 'method methods lora'],
    ['methods:\n  do^ra: {}', 'method methods.dora dora'],
    ['methods:\n  dora: {ra^nk: 4}', 'key methods.dora.rank rank'],
    ['methods:\n  dora: {rank: ^4}', 'value methods.dora.rank 4'],
    ['evaluate:\n  - {task: lo^ss}', 'value evaluate.0.task loss'],
    ['training:\r\n  epochs: 3^', 'value training.epochs 3'],
    ['a: {x: 1}\n^\nb: 2', undefined],
    ['^', undefined],
  ])('%j is at %s', (marked, expected) => {
    expect(atCursor(marked)).toBe(expected);
  });
});

describe('a path', () => {
  const tree = readTree('methods:\n  lora: {rank: [4, 8]}\n# end\n');
  it('leads to a value and the key above it', () => {
    const found = find(tree, ['methods', 'lora', 'rank']);
    expect(found && tree.lines.slice(found.node.range)).toBe('[4, 8]');
    expect(found?.keyRange && tree.lines.slice(found.keyRange)).toBe('rank');
    const item = find(tree, ['methods', 'lora', 'rank', 1]);
    expect(item && tree.lines.slice(item.node.range)).toBe('8');
  });

  it('of nothing leads to nothing', () => {
    expect(find(tree, ['methods', 'dora'])).toBeUndefined();
    expect(find(tree, ['methods', 0])).toBeUndefined();
    expect(find(tree, ['methods', 'lora', 'rank', 2])).toBeUndefined();
  });

  it('of the whole file leads to its mapping, without the comment after it', () => {
    expect(find(tree, [])?.node.range.end).toEqual({line: 1, character: 22});
  });
});

describe('lines', () => {
  it('turn every offset into a place and back, whatever ends them', () => {
    const text = 'a\nbc\r\nd\re😀\n';
    const lines = new Lines(text);
    for (let offset = 0; offset <= text.length; offset += 1) {
      const within = text.slice(offset - 1, offset + 1) === '\r\n' ? offset - 1 : offset;
      expect(lines.offset(lines.position(offset))).toBe(within);
    }
    expect(lines.position(8)).toEqual({line: 3, character: 0});
    expect(lines.offset({line: 1, character: 99})).toBe(4);
    expect(lines.offset({line: 99, character: 0})).toBe(text.length);
  });
});
