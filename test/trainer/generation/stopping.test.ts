import {describe, expect, it} from 'vitest';
import {stopCheck, textBefore} from '../../../trainer/generation/stopping.ts';

/** Tokens are pieces of text. */
const pieces = ['Answer', ': ', '7', '\n\n', 'Question', 'n\nQ', 'é', '?\n'];
const decode = (ids: readonly number[]) => ids.map(id => pieces[id]).join('');

describe('stop strings', () => {
  it('end a text before the first of them', () => {
    expect(textBefore('a. b; c', [';', '.'])).toBe('a');
    expect(textBefore('a', [';'])).toBe('a');
  });

  it('are found as soon as they are there, also across tokens', () => {
    const has = stopCheck(['\n\nQuestion'], decode);
    const check = (ids: readonly number[]) => has(ids, []);
    expect(check([0, 1, 2])).toBe(false);
    expect(check([0, 1, 2, 3])).toBe(false);
    expect(check([0, 1, 2, 3, 4])).toBe(true);
  });

  it('may begin within a token, come with the first one, and after many', () => {
    expect(stopCheck(['\n'], decode)([0, 7], [])).toBe(true);
    expect(textBefore(decode([0, 7]), ['\n'])).toBe('Answer?');
    expect(stopCheck(['Answer'], decode)([0], [])).toBe(true);
    const long = Array.from({length: 500}, () => 6);
    const has = stopCheck(['Q', '7'], decode);
    const check = (ids: readonly number[]) => has(ids, []);
    expect(check(long)).toBe(false);
    expect(check([...long, 2])).toBe(true);
  });
});
