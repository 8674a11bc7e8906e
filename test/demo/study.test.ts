import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {rolesOf} from '../../core/sweep/axes/roles.ts';
import {readSweep} from '../../core/sweep/read.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/study.md', root), 'utf8');
const files = readdirSync(fileURLToPath(new URL('demo/study/', root)));

it.each(files)('%s reads without an error, and has as many trials as docs/study.md says', file => {
  const {sweep, problems} = readSweep(readFileSync(new URL(`demo/study/${file}`, root), 'utf8'), file);
  expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
  const row = page.split('\n').find(line => line.includes(`\`${file}\``));
  expect(row).toMatch(new RegExp(`\\| ${rolesOf(sweep!).trials.toLocaleString('en-US')} \\|$`));
});

it('docs/study.md names no file that is not there', () => {
  const named = [...page.matchAll(/^\| `([\w-]+\.sweep\.yaml)`/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(files.sort());
});
