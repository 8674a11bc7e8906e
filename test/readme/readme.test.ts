/**
 * README's commands, run literally in a fresh clone: the short set. What begins with `npm ci` takes minutes and belongs to
 * `npm run test:readme`, which runs all; here this checkout's node_modules stand for it.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {HubServer} from '../trainer/hub/hub-server.ts';
import {blocksOf, commandsOf, isShell, sweepFileOf} from './blocks.ts';
import {type Clone, makeClone} from './clone.ts';
import {blocksIn, openReadersHub, play} from './play.ts';

/** A hanging command is a failure; a slow machine is none. */
const patience = 1_200_000;

let place: string;
let clone: Clone;
let hub: HubServer;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'lora-sweep-readme-'));
  hub = await openReadersHub(join(import.meta.dirname, '../../demo/base'));
  clone = await makeClone(place, {modules: true, hub: hub.endpoint});
}, patience);
afterAll(async () => {
  await hub.close();
  rmSync(place, {recursive: true, force: true});
});

it(
  "README's commands do in a fresh clone what README says",
  async () => {
    const blocks = await blocksIn(clone.folder, ['README.md']);
    const short = blocks.filter(block => !isShell(block) || !/\bnpm ci\b/.test(block.text));
    expect(short.filter(isShell).length).toBeGreaterThan(1);
    const played = await play(short, clone);
    const commands = played.map(({command}) => command).join('\n');
    for (const wanted of ['npm pack', 'npm install -g', 'npx lora-sweep run']) expect(commands).toContain(wanted);
    expect(played.filter(({faults}) => faults.length > 0)).toEqual([]);
    // The model that README fetches came from the hub of this test.
    expect(hub.requests.some(({path}) => path.includes('/resolve/'))).toBe(true);
  },
  patience,
);

describe('the blocks of a text', () => {
  const text =
    '# T\n\n```yaml\n# a.sweep.yaml\nmodel: m\n```\n\n```\n# nothing\nnpx x \\\n  y   # why\n```\n```json\n{}\n```\n';
  const blocks = blocksOf('T.md', text);

  it('are found with their lines and languages', () => {
    expect(blocks.map(({line, language}) => [line, language])).toEqual([
      [3, 'yaml'],
      [8, ''],
      [13, 'json'],
    ]);
  });

  it('give sweep files by the name in their first line, and commands', () => {
    expect(blocks.map(sweepFileOf)).toEqual([
      {name: 'a.sweep.yaml', text: '# a.sweep.yaml\nmodel: m'},
      undefined,
      undefined,
    ]);
    expect(blocks.filter(isShell).map(commandsOf)).toEqual([['npx x y   # why']]);
  });
});
