import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {Ajv} from 'ajv';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {readSweep} from '../../../core/sweep/read.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const printed = execFileSync(process.execPath, [`${root}trainer/cli.ts`, 'schema'], {encoding: 'utf8'});
const validate = new Ajv({strict: false, formats: {date: true}}).compile(JSON.parse(printed));

/** Sweep files of the project that nothing is wrong with, as far as their own text goes. */
const sound = [
  `${root}demo/desc.sweep.yaml`,
  ...readdirSync(`${root}test/fixtures/sweeps`).map(name => `${root}test/fixtures/sweeps/${name}`),
]
  .filter(file => /\.sweep\.ya?ml$/.test(file))
  .map(file => ({file, text: readFileSync(file, 'utf8')}))
  .filter(({file, text}) => readSweep(text, file).sweep !== undefined);

describe('lora-sweep schema', () => {
  it.each(sound.map(({file, text}) => [file.slice(root.length), text]))('takes %s', (_, text) => {
    expect(validate(parse(text, {merge: true})), JSON.stringify(validate.errors)).toBe(true);
  });

  it('refuses keys, values and numbers that the language has not', () => {
    const demo = parse(readFileSync(`${root}demo/desc.sweep.yaml`, 'utf8'));
    for (const change of [{learning_rte: 1e-3}, {rank: 0}, {training: {schedule: 'cosin'}}, {methods: ['boof']}])
      expect(validate({...demo, ...change}), JSON.stringify(change)).toBe(false);
  });
});
