import {expect, it} from 'vitest';
import {abridged} from '../../core/printable.ts';

it('a word as long as a file is told by its beginning', () => {
  const sentence = `--only method=${'x'.repeat(100_000)}: no trial has it.`;
  const said = abridged(sentence);
  expect(said).toMatch(/^--only method=x{193}… \(100,008 characters\) no trial has it\.$/);
  const path = `/${'folder/'.repeat(500)}file is not there.`;
  expect(abridged(path)).toBe(path);
});
