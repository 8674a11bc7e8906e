/**
 * How many words are written in capitals, of those that NLTK's `word_tokenize` (3.10) makes of an English text. What only sets a sign
 * apart from one word does not change their number and is left out; so is the end of a sentence, a full stop, which has no case.
 */
import {isUpper} from './python-text.ts';

const noLetter = '(?![\\p{L}\\p{N}_])';
const word = '[\\p{L}\\p{N}_]';

/** Where a text is cut into words beside its white space, rule after rule. */
const signs: readonly (readonly [RegExp, string])[] = [
  [/[«“‘„`]/gu, ' '],
  [new RegExp(`(?<!${word})'(?!(?:re|ve|ll|m|t|s|d|n)${noLetter})(?=${word})`, 'giu'), "' "],
  [/[:,](?=[^\p{Nd}])/gu, ' '],
  [/\.{2,}/gu, ' '],
  [/[;@#$%&\u2012-\u2015?!*[\](){}<>»”’"]|--|''/gu, ' '],
];
const forms: readonly (readonly [RegExp, string])[] = [
  [/\s+/gu, ' '],
  [/([^' ])('[sSmMdD]|') /gu, '$1 $2 '],
  [/([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) /gu, '$1 $2 '],
  ...[
    ['can', 'not'],
    ['d', "'ye"],
    ['gim', 'me'],
    ['gon', 'na'],
    ['got', 'ta'],
    ['lem', 'me'],
    ['more', "'n"],
  ].map(([first, second]) => [new RegExp(`(?<!${word})(${first})(${second})${noLetter}`, 'giu'), '$1 $2'] as const),
  [new RegExp(`(?<!${word})(wan)(na)(?= )`, 'giu'), '$1 $2'],
  [new RegExp(` ('t)(is|was)${noLetter}`, 'giu'), ' $1 $2'],
];

export function capitalWords(text: string): number {
  const cut = (given: string, rules: typeof signs) =>
    rules.reduce((written, [pattern, apart]) => written.replace(pattern, apart), given);
  return cut(` ${cut(text, signs)} `, forms)
    .split(' ')
    .filter(isUpper).length;
}
