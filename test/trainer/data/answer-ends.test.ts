import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {endsOfTrained, markOfRows, markOfTurn} from '../../../trainer/data/answer-ends.ts';
import {ignored} from '../../../trainer/data/token-row.ts';
import {type ChatTemplate, openChatTemplate} from '../../../trainer/text/chat-template.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/chat/', import.meta.url));
const tokenizer = openTokenizer(`${fixtures}chatml`);
const idOf = (text: string) => tokenizer.encode(text, {special: false});

/** A template that writes this behind an answer. */
const behind = (text: string): ChatTemplate => ({
  render: messages => `${messages.map(({content}) => content).join('\n')}${text}`,
  write: () => {
    throw new Error('nothing is trained here');
  },
});

describe('the mark behind an answer', () => {
  it.each(['chatml', 'gemma', 'llama3', 'mistral', 'thinking', 'blocks'])('of the template %s is one token', name => {
    const own = openTokenizer(`${fixtures}${name}`);
    const {ids, texts, token} = markOfTurn(openChatTemplate(`${fixtures}${name}`), own);
    expect(texts).toEqual([]);
    expect(ids).toEqual(own.encode(token!, {special: false}));
    expect(token).toMatch(/end|eot|\/s/);
  });

  it('is found behind white space and before more', () => {
    expect(markOfTurn(behind(' \n<|im_end|>\n<|im_start|>'), tokenizer)).toEqual({
      ids: idOf('<|im_end|>'),
      texts: [],
      token: '<|im_end|>',
    });
  });

  it('is a text where the tokenizer has no token for it, and nothing where nothing is written', () => {
    expect(markOfTurn(behind('\n### End\n'), tokenizer)).toEqual({ids: [], texts: ['### End']});
    expect(markOfTurn(behind('\n### End<|im_end|>'), tokenizer)).toMatchObject({
      ids: idOf('<|im_end|>'),
      texts: ['### End'],
    });
    expect(markOfTurn(behind('\n'), tokenizer)).toEqual({ids: [], texts: []});
  });

  it('counts where nobody knows what a model was trained on', () => {
    const {ids} = endsOfTrained({tokenizer, config: {eosIds: [7]}}, undefined);
    expect(ids).toEqual(expect.arrayContaining([7, tokenizer.eos!.id, ...idOf('<|im_end|>')]));
  });
});

describe('the mark of rows of tokens', () => {
  const dataset = (rows: number[][], truncated = 0) => {
    const starts = [0];
    for (const row of rows) starts.push(starts.at(-1)! + row.length);
    const labels = Int32Array.from(rows.flat());
    return {count: rows.length, starts: Int32Array.from(starts), ids: labels, labels, truncated, empty: 0};
  };
  const no = ignored;

  it('is the token that all of them end with, and that is nowhere else', () => {
    expect(
      markOfRows(
        dataset([
          [no, 3, 9],
          [no, no, 4, 5, 9, no],
        ]),
      ).ids,
    ).toEqual([9]);
    expect(
      markOfRows(
        dataset(
          [
            [no, 3, 9],
            [4, 5, 9],
            [4, 5],
          ],
          1,
        ),
      ).ids,
    ).toEqual([9]);
  });

  it.each([
    ['one row', [[no, 3, 9]]],
    [
      'other ends',
      [
        [3, 9],
        [4, 8],
      ],
    ],
    [
      'a token that is said as well',
      [
        [3, 9],
        [9, 4, 9],
      ],
    ],
    [
      'answers of one token',
      [
        [no, 9],
        [no, 9],
      ],
    ],
    ['nothing learnt', [[no, no], [no]]],
  ])('is none for %s', (_, rows) => {
    expect(markOfRows(dataset(rows)).ids).toEqual([]);
  });
});
