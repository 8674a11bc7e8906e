import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {posix} from 'node:path';
import {expect, it} from 'vitest';

/** What is used of package.mjs, which has no types. */
interface Packing {
  packaged: readonly string[];
  packagedForBrowsers: readonly string[];
  targets: Readonly<Record<string, readonly string[]>>;
  manifestFor(target: string, manifest: Manifest): Partial<Manifest>;
}

/** What is looked at of a package.json. */
interface Manifest {
  main: string;
  browser: string;
  type: string;
  icon: string;
  contributes: {commands: {command: string}[]; menus: Record<string, {command: string}[]>};
}

const root = new URL('../', import.meta.url);
const {packaged, packagedForBrowsers, targets, manifestFor}: Packing = await import(new URL('package.mjs', root).href);

const clone = (): Manifest => JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

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
  const {browser, icon, contributes} = manifestFor('web', clone());
  const named = [
    ...JSON.stringify({browser, icon, contributes}).matchAll(/"(?:\.\/)?((?:media|syntaxes|dist)\/[^"]+)"/g),
  ];
  const holds = (file: string) => packagedForBrowsers.some(path => file === path || file.startsWith(`${path}/`));
  expect(named.length).toBeGreaterThan(6);
  expect(named.map(([, file]) => file ?? '').filter(file => !holds(file))).toEqual([]);
  expect(packagedForBrowsers.filter(path => /dist\/(client|server|trainer|webviews)|^demo/.test(path))).toEqual([]);
});

it('in a browser nothing is offered that needs a machine, and nothing is said that its extension host refuses', () => {
  const {main, browser, type, contributes} = manifestFor('web', clone());
  // A script beside `type` "module" is no script to it.
  expect([main, browser, type]).toEqual([undefined, './dist/browser/extension.js', undefined]);
  const commands = ['loraSweep.convertConfig'];
  expect(contributes?.commands.map(({command}) => command)).toEqual(commands);
  const inMenus = Object.values(contributes?.menus ?? {}).flat();
  expect(inMenus.length).toBeGreaterThan(0);
  expect(inMenus.filter(({command}) => !commands.includes(command))).toEqual([]);
});

it('the package of a platform has no second program for browsers', () => {
  const {main, browser, type} = manifestFor('linux-x64', clone());
  expect([main, browser, type]).toEqual(['./dist/client/extension.cjs', undefined, 'module']);
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
