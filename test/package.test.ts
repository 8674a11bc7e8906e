import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {posix} from 'node:path';
import {expect, it} from 'vitest';

/** What is used of package.mjs, which has no types. */
interface Packing {
  packaged: readonly string[];
  packagedForBrowsers: readonly string[];
  targets: Readonly<Record<string, readonly string[]>>;
}

const root = new URL('../', import.meta.url);
const {packaged, packagedForBrowsers, targets}: Packing = await import(new URL('package.mjs', root).href);

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

it('the package for browsers holds what its manifest names, and nothing that trains', () => {
  const {browser, icon, contributes} = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const {walkthroughs: _, ...shown} = contributes;
  const named = [...JSON.stringify({browser, icon, shown}).matchAll(/"(?:\.\/)?((?:media|syntaxes|dist)\/[^"]+)"/g)];
  const holds = (file: string) => packagedForBrowsers.some(path => file === path || file.startsWith(`${path}/`));
  expect(named.length).toBeGreaterThan(6);
  expect(named.map(([, file]) => file ?? '').filter(file => !holds(file))).toEqual([]);
  expect(packagedForBrowsers.filter(path => /dist\/(client|server|trainer|webviews)|^demo/.test(path))).toEqual([]);
});

it('every platform with a package has the native runtime that there is for it', () => {
  expect(Object.keys(targets)).toEqual(
    expect.arrayContaining(['darwin-x64', 'darwin-arm64', 'linux-x64', 'win32-x64']),
  );
  const runtime = (platform: string, file: string) =>
    new URL(`node_modules/onnxruntime-node/bin/napi-v6/${platform.replace('-', '/')}/${file}`, root);
  for (const [platform, files] of Object.entries(targets)) {
    for (const file of files) expect(existsSync(runtime(platform, file)), `${platform} ${file}`).toBe(true);
    // Once there is one, it belongs in.
    expect(existsSync(runtime(platform, 'onnxruntime_binding.node')), platform).toBe(files.length > 0);
  }
});
