import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
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
    'trainer/cli.ts': "import {a} from '../core/a.ts';\nimport {d} from './run/d.ts';\nimport fs from 'node:fs';\n",
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

it('lets rooms of the trainer import only what stands below them', async () => {
  const root = await project({
    'trainer/run/a.ts': "import {b} from '../store/b.ts';\nimport {c} from '../../core/c.ts';\n",
    'trainer/store/b.ts': "import type {A} from '../run/a.ts';\n",
    'trainer/engine/graph/d.ts': "import {e} from '../choose.ts';\n",
    'trainer/verbs/f.ts': "import {g} from '../cli.ts';\n",
    'trainer/attic/h.ts': "import {a} from '../run/a.ts';\n",
  });
  expect((await checkImports(root)).problems).toEqual([
    'trainer/attic/h.ts lies in a room that test/imports.ts does not know: give it a place among the layers.',
    'trainer/engine/graph/d.ts imports trainer/engine/choose.ts: engine/graph stands below engine.',
    'trainer/run/a.ts, trainer/store/b.ts import each other in a circle.',
    'trainer/store/b.ts imports trainer/run/a.ts: store stands below run.',
    "trainer/verbs/f.ts imports trainer/cli.ts: verbs stands below the trainer's top.",
  ]);
});

it('finds circles of files in every room, however long', async () => {
  const root = await project({
    'core/a.ts': "import {b} from './b.ts';\n",
    'core/b.ts': "import type {C} from './c.ts';\n",
    'core/c.ts': "import {a} from './a.ts';\nimport {d} from './d.ts';\n",
    'core/d.ts': "import {e} from './e.ts';\n",
    'core/e.ts': '',
    'client/x.ts': "import {y} from './y.ts';\n",
    'client/y.ts': "const {x} = await import('./x.ts');\n",
  });
  expect((await checkImports(root)).problems).toEqual([
    'client/x.ts, client/y.ts import each other in a circle.',
    'core/a.ts, core/b.ts, core/c.ts import each other in a circle.',
  ]);
});

it('no room holds more than twenty files side by side', async () => {
  const root = join(import.meta.dirname, '..');
  const crowded: string[] = [];
  for (const room of ['core', 'server', 'trainer', 'client', 'webviews', 'test/bench']) {
    const entries = await readdir(join(root, room), {recursive: true, withFileTypes: true});
    const folders = entries
      .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
      .map(entry => entry.parentPath);
    for (const folder of new Set(folders)) {
      const files = folders.filter(other => other === folder).length;
      if (files > 20) crowded.push(`${folder} holds ${files} files.`);
    }
  }
  expect(crowded).toEqual([]);
});
