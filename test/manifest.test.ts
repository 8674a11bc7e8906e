import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {toolId, tools} from '../core/assistant/tools.ts';

const root = new URL('../', import.meta.url);
const json = (name: string) => JSON.parse(readFileSync(new URL(name, root), 'utf8'));
const words: Record<string, string> = json('package.nls.json');
const written = json('package.json');
/** As the editor reads it: keys replaced by their words. */
const manifest = JSON.parse(
  JSON.stringify(written).replaceAll(/"%([\w.]+)%"/g, (whole, key: string) =>
    words[key] === undefined ? whole : JSON.stringify(words[key]),
  ),
);
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
  const registered = [...sources.matchAll(/(?:on\('|registerCommand<\w+>\('|'loraSweep\.)(\w+)'/g)].map(
    ([, name]) => `loraSweep.${name}`,
  );
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

/** What a person reads: fields of the manifest by name. `title` of a key binding or a language is none of them. */
const readByPeople = new Set([
  'title',
  'category',
  'name',
  'contextualTitle',
  'contents',
  'description',
  'markdownDescription',
  'displayName',
]);

/** Where they stand, with what stands there. The words for models, and schemas of what they pass, stay as they are. */
function* shownTexts(value: unknown, path: string): Generator<[string, string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === 'string' && readByPeople.has(key) && !/languageModelTools\.\d+\.name$/.test(`${path}.${key}`))
      yield [`${path}.${key}`, inner];
    else if (key !== 'inputSchema') yield* shownTexts(inner, `${path}.${key}`);
  }
}

it('every text that the extension contributes has a key, and every key is used', () => {
  const shown = [
    ...shownTexts(written.contributes, 'contributes'),
    ...shownTexts(written.capabilities, 'capabilities'),
  ];
  expect(shown.length).toBeGreaterThan(60);
  expect(shown.filter(([, text]) => !/^%[\w.]+%$/.test(text))).toEqual([]);
  const used = new Set(shown.map(([, text]) => text.slice(1, -1)));
  expect([...used].filter(key => words[key] === undefined)).toEqual([]);
  expect(Object.keys(words).filter(key => !used.has(key))).toEqual([]);
  expect(Object.values(words).filter(text => text.trim() === '')).toEqual([]);
});

it('what the client says to people goes through its table of texts', () => {
  const files = readdirSync(new URL('client/', root), {recursive: true, encoding: 'utf8'}).filter(name =>
    name.endsWith('.ts'),
  );
  const direct = files.flatMap(name => {
    const source = readFileSync(new URL(`client/${name.replaceAll('\\', '/')}`, root), 'utf8');
    const calls = source.matchAll(
      /\bshow(?:Error|Information|Warning)Message\(\s*['`"]|\b(?:title|placeHolder|prompt|saveLabel|openLabel): ['`"](?!['`"])/g,
    );
    return [...calls].map(({0: call}) => `${name}: ${call}`);
  });
  expect(direct).toEqual([]);
});
