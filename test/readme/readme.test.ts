/**
 * README's commands, run literally in a fresh clone: the short set. What begins with `npm ci` (this checkout's node_modules
 * stand for it here) and the probe of every block take minutes and belong to `npm run test:readme`, which runs all.
 */
import {spawn} from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {HubServer} from '../trainer/hub/hub-server.ts';
import {blocksOf, commandsOf, isShell, sweepFileOf} from './blocks.ts';
import {type Clone, makeClone} from './clone.ts';
import {blocksIn, openReadersHub, play} from './play.ts';

/** A hanging command is a failure; a slow machine is none. */
const patience = 1_800_000;

const root = join(import.meta.dirname, '../..');

let place: string;
let clone: Clone;
let hub: HubServer;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'lora-sweep-readme-'));
  hub = await openReadersHub(join(root, 'demo/base'));
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
    const played = await play(short, clone, command => !command.startsWith('npx lora-sweep probe'));
    const commands = played.map(({command}) => command).join('\n');
    for (const wanted of ['npm pack', 'npm install -g', 'npx lora-sweep run']) expect(commands).toContain(wanted);
    expect(played.filter(({faults}) => faults.length > 0)).toEqual([]);
    // The model that README fetches came from the hub of this test.
    expect(hub.requests.some(({path}) => path.includes('/resolve/'))).toBe(true);
  },
  patience,
);

const sweep = `model: ../clone/path/to/a/model/folder
data: {train: ../clone/train.jsonl, format: completion, columns: {prompt: question, completion: answer}}
methods: [lora]
rank: 4
batch_size: 8
learning_rate: 1e-3
evaluate: {task: mbpp, data: mbpp.jsonl, max_new_tokens: 4, limit: 1}
`;

it(
  'what `npm install -g` of the archive puts there needs nothing else: it checks, plans, runs, judges programs and reports',
  async () => {
    const folder = join(place, 'elsewhere');
    mkdirSync(folder);
    writeFileSync(join(folder, 'tiny.sweep.yaml'), sweep);
    copyFileSync(join(root, 'test/fixtures/tasks/mbpp-17.jsonl'), join(folder, 'mbpp.jsonl'));
    const verbs = [
      'check tiny.sweep.yaml',
      'plan tiny.sweep.yaml',
      'run tiny.sweep.yaml',
      'report .lora-sweep/tiny',
      'figures .lora-sweep/tiny --out figures',
    ];
    const text = `\`\`\`\n${verbs.map(verb => `lora-sweep ${verb}`).join('\n')}\n\`\`\``;
    const played = await play(blocksOf('elsewhere', text), {...clone, folder});
    expect(played.map(({faults}) => faults)).toEqual(verbs.map(() => []));
    expect(readFileSync(join(folder, '.lora-sweep/tiny/events.jsonl'), 'utf8')).toContain('"engine":"compiled"');

    const installed = realpathSync(
      join(clone.env['npm_config_prefix'] ?? '', process.platform === 'win32' ? 'node_modules' : 'lib/node_modules'),
    );
    expect(readdirSync(installed).filter(name => !name.startsWith('.'))).toEqual(['lora-sweep']);
    expect(sizeOf(installed)).toBeLessThan(80e6);
    // What tests and builds need is not there.
    const names = readdirSync(join(installed, 'lora-sweep/dist'));
    expect(names.sort()).toEqual(['THIRD-PARTY-NOTICES.txt', 'server', 'trainer', 'webviews']);
  },
  patience,
);

it(
  '`lora-sweep lsp` answers an editor on standard input and output',
  async () => {
    const server = spawn('lora-sweep', ['lsp'], {
      cwd: clone.folder,
      env: clone.env,
      shell: process.platform === 'win32',
    });
    const exit = new Promise(resolve => server.once('exit', resolve));
    const say = (message: object) => {
      const text = JSON.stringify({jsonrpc: '2.0', ...message});
      server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    };
    let heard = '';
    const answer = new Promise<void>(resolve =>
      server.stdout.on('data', chunk => {
        heard += chunk;
        if (heard.includes('"id":1')) resolve();
      }),
    );
    say({id: 1, method: 'initialize', params: {processId: process.pid, rootUri: null, capabilities: {}}});
    await Promise.race([answer, exit]);
    expect(heard).toMatch(/^Content-Length: \d+\r\n\r\n.*"hoverProvider":/s);
    say({id: 2, method: 'shutdown'});
    say({method: 'exit'});
    expect(await exit).toBe(0);
  },
  patience,
);

/** Of all files in a folder. */
function sizeOf(folder: string): number {
  const entries = readdirSync(folder, {recursive: true, withFileTypes: true});
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}

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
