import {existsSync, readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {toolId, tools} from '../core/assistant/tools.ts';

const root = new URL('../', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const sources = [
  'client/commands.ts',
  'client/extension.ts',
  'client/history/run-commands.ts',
  'client/queue/queue-view.ts',
]
  .map(file => readFileSync(new URL(file, root), 'utf8'))
  .join('\n');

/** Every text within a value that looks like a file of the package. */
function* files(value: unknown): Generator<string> {
  if (typeof value === 'string' && /^\.?\/?(media|syntaxes|dist)\/\S+\.\w+$/.test(value)) yield value;
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* files(inner);
}

it('every file that the extension names is there', () => {
  const named = [...files({...manifest.contributes, icon: manifest.icon, main: manifest.main})];
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter(name => !existsSync(new URL(name, root)))).toEqual([]);
});

it('commands that are offered exist, and all that exist can be found', () => {
  const offered: string[] = manifest.contributes.commands.map(({command}: {command: string}) => command);
  const registered = [...sources.matchAll(/(?:on\('|'loraSweep\.)(\w+)'/g)].map(([, name]) => `loraSweep.${name}`);
  expect(new Set(offered).size).toBe(offered.length);
  expect(offered.filter(command => !registered.includes(command))).toEqual([]);
  const menus: {command: string}[] = Object.values<{command: string}[]>(manifest.contributes.menus).flat();
  expect(menus.map(({command}) => command).filter(command => !offered.includes(command))).toEqual([]);
});

it('every command named in a text of the manifest exists', () => {
  const offered: string[] = manifest.contributes.commands.map(({command}: {command: string}) => command);
  const text = JSON.stringify(manifest.contributes);
  const linked = [...text.matchAll(/(?:command:|onCommand:)(loraSweep\.\w+)/g)].map(([, command]) => command ?? '');
  expect(linked.length).toBeGreaterThan(3);
  expect(linked.filter(command => !offered.includes(command))).toEqual([]);
});

it('the tools that assistants are offered are those that exist, with their schemas', () => {
  const offered = tools.map(tool => ({
    name: toolId(tool),
    displayName: tool.title,
    toolReferenceName: `loraSweep${tool.name[0]!.toUpperCase()}${tool.name.slice(1)}`,
    canBeReferencedInPrompt: true,
    modelDescription: tool.description,
    inputSchema: tool.input,
  }));
  expect(manifest.contributes.languageModelTools).toEqual(offered);
});
