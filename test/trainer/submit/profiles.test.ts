/** What a user's profiles may say, and what is said of those that are none. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {listProfiles, overProfile, profilesFile, readProfile} from '../../../trainer/submit/profiles.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-profiles-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

function written(text: string): string {
  const file = join(folder, 'profiles.yaml');
  writeFileSync(file, text);
  return file;
}

describe('a profile', () => {
  it('has the options of the command line by their names, and lines of set-up', () => {
    const file = written(`
a100:
  partition: gpu
  account: lab-42
  time: 1-00:00:00
  gpus: 1
  cpus: 8
  array-limit: 20
  setup:
    - module load nodejs/24
    - export HF_HOME=/scratch/$USER/hub
  sbatch: [--exclusive]
`);
    expect(readProfile('a100', file)).toEqual({
      ...{partition: 'gpu', account: 'lab-42', time: '1-00:00:00', gpus: '1', cpus: 8, arrayLimit: 20},
      setup: ['module load nodejs/24', 'export HF_HOME=/scratch/$USER/hub'],
      sbatch: ['--exclusive'],
    });
  });

  it('called default is taken where none is named, and none where there is no file', () => {
    expect(readProfile(undefined, written('default: {partition: cpu}'))).toMatchObject({partition: 'cpu'});
    expect(readProfile(undefined, written('a100: {partition: gpu}'))).toBeUndefined();
    expect(readProfile(undefined, join(folder, 'none.yaml'))).toBeUndefined();
  });

  it('is listed with what it says, as words of the command line', () => {
    const file = written(
      "default: {partition: cpu}\na100: {gpus: 1, array-limit: 20, setup: ['module load x'], sbatch: [--exclusive]}",
    );
    expect(listProfiles(file)).toEqual([
      {name: 'default', options: ['--partition=cpu']},
      {name: 'a100', options: ['--gpus=1', '--array-limit=20', '--setup=module load x', '--sbatch=--exclusive']},
    ]);
    expect(listProfiles(join(folder, 'none.yaml'))).toEqual([]);
    expect(() => listProfiles(written('a: {partitoin: x}'))).toThrow('did you mean partition?');
  });

  it('gives way to the command line, but for lines, which come first', () => {
    const profile = {partition: 'gpu', cpus: 8, setup: ['a'], sbatch: ['--exclusive']};
    expect(overProfile(profile, {partition: 'cpu', setup: ['b'], sbatch: []})).toEqual({
      ...{partition: 'cpu', cpus: 8},
      setup: ['a', 'b'],
      sbatch: ['--exclusive'],
    });
  });

  it('lies where the system has configurations', () => {
    const before = process.env['XDG_CONFIG_HOME'];
    process.env['XDG_CONFIG_HOME'] = '/etc/mine';
    expect(profilesFile()).toBe('/etc/mine/lora-sweep/profiles.yaml');
    if (before === undefined) delete process.env['XDG_CONFIG_HOME'];
    else process.env['XDG_CONFIG_HOME'] = before;
  });

  it.each([
    ['a: {partitoin: x}', 'a', 'has an unknown key partitoin; did you mean partition?'],
    ['a: {walltime: 1-0}', 'a', 'has an unknown key walltime; did you mean time?'],
    ['a: {xyzzy: 1}', 'a', 'has an unknown key xyzzy; it may have partition, account'],
    ['a100: {}', 'a10', 'There is no profile a10 in'],
    ['a100: {}', 'a10', 'did you mean a100?'],
    ['a: {}', 'constructor', 'There is no profile constructor in'],
    ['a: {cpus: many}', 'a', 'profile a: cpus: write a whole number from 1.'],
    ['a: {time: soon}', 'a', '--time soon: write days-hours:minutes:seconds'],
    ['a: {setup: [1, {b: c}]}', 'a', 'setup: write a line of text, or a list of them.'],
    ['a: [1]', 'a', 'profile a: write its options as key: value.'],
    ['- a', 'a', 'write a name and its options below it'],
    ['a: {\n', 'a', 'profiles.yaml:'],
  ])('that is none is told in a sentence: %j', (text, name, sentence) => {
    expect(() => readProfile(name, written(text))).toThrow(sentence);
  });

  it('that is asked for where there is no file says where to write it', () => {
    expect(() => readProfile('a100', join(folder, 'none.yaml'))).toThrow('none.yaml does not exist; docs/clusters.md');
  });
});
