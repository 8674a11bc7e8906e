import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {posix} from 'node:path';
import {expect, it} from 'vitest';

/** What is used of package.mjs, which has no types. */
interface Packing {
  packaged: readonly string[];
}

const root = new URL('../', import.meta.url);
const {packaged}: Packing = await import(new URL('package.mjs', root).href);

/** What a page shows or links to, as it is written. */
const targetsIn = (file: string): string[] =>
  [...readFileSync(new URL(file, root), 'utf8').matchAll(/\]\(([^)]*)\)/g)].map(([, target]) => target ?? '');

it("the extension's page shows nothing that an editor would look for elsewhere", () => {
  expect(targetsIn('docs/extension.md')).toEqual([]);
});

it('every picture of the walkthrough is in the package, and its steps have some', () => {
  const folder = 'media/walkthrough/';
  const pictures = readdirSync(new URL(folder, root)).flatMap(page =>
    targetsIn(folder + page).map(target => posix.join(folder, target)),
  );
  expect(pictures.length).toBeGreaterThanOrEqual(3);
  for (const picture of pictures) {
    expect(packaged).toContain(picture);
    expect(readFileSync(new URL(picture, root)).subarray(1, 4).toString('latin1')).toBe('PNG');
  }
});

it('the package holds all of the sample', () => {
  const source = readFileSync(new URL('client/start/sample.ts', root), 'utf8');
  const [, listed = ''] = /const parts = \[([^\]]+)\]/.exec(source) ?? [];
  const parts = [...listed.matchAll(/'([^']+)'/g)].map(([, part]) => `demo/${part}`);
  expect(parts).toHaveLength(4);
  expect(parts.filter(part => !packaged.includes(part))).toEqual([]);
  expect(packaged.filter(path => !path.startsWith('dist/') && !existsSync(new URL(path, root)))).toEqual([]);
});
