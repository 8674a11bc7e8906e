/** Which tokens are left out of an answer: those that transformers 5 calls special, not only those marked in tokenizer.json. */
import {copyFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {testFolder} from '../trainer/test-folder.ts';
import {modelFolder} from './published.ts';

const folder = testFolder();

it("Gemma's <mask> is left out, which its tokenizer.json does not mark", () => {
  const tokenizer = openTokenizer(modelFolder('gemma3'));
  const ids = tokenizer.encode('a<mask>b', {special: false});
  expect(tokenizer.decode(ids, {skipSpecial: true})).toBe('ab');
  expect(tokenizer.decode(ids, {skipSpecial: false})).toBe('a<mask>b');
});

it('what tokenizer_config.json names is left out', () => {
  const from = modelFolder('qwen3');
  copyFileSync(join(from, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const published = JSON.parse(readFileSync(join(from, 'tokenizer_config.json'), 'utf8'));
  const named = {eos_token: '<tool_call>', additional_special_tokens: ['</tool_call>']};
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({...published, ...named}));
  // transformers 5.23: '', '' and '<think>'.
  const read = [from, folder].map(model => {
    const tokenizer = openTokenizer(model);
    return [151657, 151658, 151667].map(id => tokenizer.decode([id], {skipSpecial: true}));
  });
  expect(read).toEqual([
    ['<tool_call>', '</tool_call>', '<think>'],
    ['', '', '<think>'],
  ]);
});
