import {describe, expect, it} from 'vitest';
import {Problems} from '../../../../core/sweep/problems.ts';
import {Lines} from '../../../../core/sweep/text/lines.ts';
import {readTree, readWhole} from '../../../../core/sweep/text/tree.ts';
import {mutation, realTexts} from '../mutations.ts';

/** What the reading by pieces has to agree with. */
function whole(text: string) {
  const problems = new Problems();
  const {root, complete} = readWhole(new Lines(text.startsWith('\uFEFF') ? text.slice(1) : text), problems);
  return {root, complete, problems: problems.list()};
}

function byPieces(text: string) {
  const problems = new Problems();
  const {root, complete} = readTree(text, problems);
  return {root, complete, problems: problems.list()};
}

describe('reading by pieces', () => {
  const long = [
    'model: m\nevaluate:',
    ...Array.from({length: 60}, (_, k) => `  - task: loss # number ${k}\n    data: d${k}.jsonl\n\n    limit: ${k + 1}`),
  ].join('\n');
  const rates = `model: m\nlearning_rate:\n${Array.from({length: 60}, (_, k) => `- 1e-${k + 1}`).join('\n')}\nrank: 8\n`;

  it.each([
    ['a long list of mappings', long],
    ['a list below its key, without indentation', rates],
    ['carriage returns', long.replaceAll('\n', '\r\n')],
    ['comments at every column', long.replaceAll('    limit', '  # here\n# there\n    limit')],
    [
      'a block scalar',
      `model: m\ndata:\n  template:\n    prompt: |\n      Question: {instruction}\n\n      # no comment\nrank: 8\n`,
    ],
    ['values over several lines', 'model: one\n  two\nname: "three\n  four"\nrank: [1,\n  2]\n'],
    ['a list in brackets', '[1]'],
    ['empty values', 'model:\ndata:\n\nrank:\n# end'],
    ['a duplicate key', 'rank: 8\nmodel: m\nrank: 4\n'],
    ['mappings and items side by side', 'rank: 8\n- 4\n'],
    ['an anchor', 'a: &x 1\nb: *x\n'],
  ])('gives what reading as a whole gives: %s', (_, text) => {
    expect(byPieces(text)).toEqual(whole(text));
    expect(byPieces(`\n\n${text}`)).toEqual(whole(`\n\n${text}`));
    expect(byPieces(text)).toEqual(whole(text));
  });

  it('gives what reading as a whole gives, for thousands of files gone wrong', () => {
    const texts = [...realTexts(), long, rates];
    for (let seed = 0; seed < 3000; seed++) {
      const text = mutation(seed, texts);
      expect(byPieces(text), JSON.stringify(text)).toEqual(whole(text));
    }
  });
});
