import {describe, expect, it} from 'vitest';
import {take} from './bomb-run.ts';
import {bombs} from './bombs.ts';
import {formats} from './formats.ts';
import {fuzz} from './round.ts';

// `npm run fuzz` does the same with 20,000 mutations a format and all bombs.
describe('a file gone wrong is taken or refused with a sentence', () => {
  it.each(formats)('$name', async format => {
    const {faults, unhandled, taken, refused} = await fuzz(format, 0, 150, () => {});
    expect(faults).toEqual([]);
    expect(unhandled).toBe(0);
    expect(taken + refused).toBe(150);
  });
});

/** One of each kind; the command starts anew for each. */
const chosen = [
  ...['rows are a pipe', 'weights are /dev/zero', 'a tokenizer of 20 GB', 'a gzip bomb of blank lines'],
  ...['a page of two milliard values', 'a normalizer without end', 'a template that doubles a list'],
  ...['a normalizer that quadruples forty times, to eval', 'a template that doubles a text, to eval'],
  ...['a pre-tokenizer without end, to generate'],
  ...['a run of names that clear the screen', 'events of wrong types', 'a manifest that names a device'],
];

describe('a file made to do harm ends in a sentence', () => {
  it.each(bombs.filter(({name}) => chosen.includes(name)))('$name', async bomb => {
    const {faults, said, megabytes, fileMegabytes} = await take(bomb);
    expect(faults, said).toEqual([]);
    expect(megabytes).toBeLessThan(200 + 2 * fileMegabytes);
  });
});
