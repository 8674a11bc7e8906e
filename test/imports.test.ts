import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, expect, it} from 'vitest';
import {checkImports} from './imports.ts';

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map(folder => rm(folder, {recursive: true})));
});

/** A project of the given files. */
async function project(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'rooms-'));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), {recursive: true});
    await writeFile(join(root, name), text);
  }
  return root;
}

it('lets every room import core and itself, and any package', async () => {
  const root = await project({
    'core/a.ts': "import {b} from './sweep/b.ts';\nimport yaml from 'yaml';\n",
    'trainer/c.ts': "import {a} from '../core/a.ts';\nimport {d} from './d.ts';\nimport fs from 'node:fs';\n",
  });
  expect(await checkImports(root)).toEqual({files: 2, problems: []});
});

it('names the file and the import that go the wrong way', async () => {
  const root = await project({
    'core/sweep/a.ts': "import {x} from '../../trainer/x.ts';\n",
    'core/b.ts': "import {join} from 'node:path';\n",
    'webviews/c.ts': "import {x} from '../server/x.ts';\n",
  });
  expect((await checkImports(root)).problems).toEqual([
    'core/b.ts imports node:path: core uses nothing of Node.',
    'core/sweep/a.ts imports ../../trainer/x.ts: core may import core only.',
    'webviews/c.ts imports ../server/x.ts: webviews may import webviews and core only.',
  ]);
});

it('counts types, re-exports and late imports too', async () => {
  const root = await project({
    'server/a.ts': [
      "import type {X} from '../client/x.ts';",
      "export * from '../trainer/y.ts';",
      "export type Z = import('../webviews/z.ts').Z;",
      "const w = await import('../test/w.ts');",
    ].join('\n'),
  });
  expect((await checkImports(root)).problems).toHaveLength(4);
});
