import {existsSync, readFileSync} from 'node:fs';
import {expect, it} from 'vitest';

/** What is used of package.mjs, which has no types. */
interface Packing {
  extensionPage(): Promise<string>;
  packaged: readonly string[];
}

const root = new URL('../', import.meta.url);
const {extensionPage, packaged}: Packing = await import(new URL('package.mjs', root).href);

it("the extension's page needs nothing from elsewhere: its pictures are in it", async () => {
  const page = await extensionPage();
  const targets = [...page.matchAll(/\]\(([^)]*)\)/g)].map(([, target]) => target ?? '');
  expect(targets.length).toBeGreaterThan(2);
  for (const target of targets) {
    const [, data = ''] = /^data:image\/png;base64,(.+)$/.exec(target) ?? [];
    expect(Buffer.from(data, 'base64').subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
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
