import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {rolesOf} from '../../core/sweep/axes/roles.ts';
import {readSweep} from '../../core/sweep/read.ts';
import {checkSweeps} from '../../trainer/inspect/check.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/study.md', root), 'utf8');
const sweepsIn = (folder: string): string[] =>
  readdirSync(fileURLToPath(new URL(folder, root))).filter(name => name.endsWith('.sweep.yaml'));
const files = sweepsIn('demo/study/');
/** Checks of others' findings. */
const checks = [...sweepsIn('demo/studies/'), ...sweepsIn('demo/studies/short/').map(name => `short/${name}`)];

it.each([
  ...files.map(file => ['demo/study/', file] as const),
  ...checks.map(file => ['demo/studies/', file] as const),
])('%s%s reads without an error, and has as many trials as docs/study.md says', (folder, file) => {
  const {sweep, problems} = readSweep(readFileSync(new URL(folder + file, root), 'utf8'), file);
  expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
  const row = page.split('\n').find(line => line.includes(`\`${file}\``));
  expect(row).toMatch(new RegExp(`\\| ${rolesOf(sweep!).trials.toLocaleString('en-US')} \\|$`));
});

it('docs/study.md names no file that is not there', () => {
  const named = [...page.matchAll(/^\| `([\w/-]+\.sweep\.yaml)`/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual([...files, ...checks].sort());
});

it.each(checks)('%s says what was found, and by whom', file => {
  const text = readFileSync(new URL(`demo/studies/${file}`, root), 'utf8');
  if (file.startsWith('short/')) expect(text).toContain(`# ../${file.slice('short/'.length)} on the demo's base`);
  else expect(text).toMatch(/^# .*\n# .+(20\d\d, (thinkingmachines\.ai|arXiv)|\(20\d\d, arXiv)/);
});

it("those on the demo's base have nothing that is not there", async () => {
  const {checks: found} = await checkSweeps([fileURLToPath(new URL('demo/studies/short/', root))]);
  // How long they take is for the machine that they are on.
  expect(found.flatMap(({problems}) => problems).filter(({code}) => code !== 'resource/time')).toEqual([]);
  expect(found).toHaveLength(5);
});
