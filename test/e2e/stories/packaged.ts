import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, readdir, readFile, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {installation} from '../install.ts';
import type {Story} from '../story.ts';

const run = promisify(execFile);
const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const mostBytes = 60e6;

export const packaged: Story = {
  sentence: 'The package is small, installs with --install-extension, and trains with nothing but what it carries',
  async play({workspace}) {
    const {version} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const target = `${process.platform}-${process.arch}`;
    await run(process.execPath, ['package.mjs', '--built'], {cwd: root});
    const vsix = join(root, 'dist', `lora-sweep-${version}-${target}.vsix`);
    const {size} = await stat(vsix);
    assert.ok(size < mostBytes, `${size} bytes`);

    const {node, server} = await installation();
    const home = join(dirname(workspace.folder), 'home');
    await mkdir(home, {recursive: true});
    const env = {...process.env, HOME: home, EXTENSIONS_GALLERY: '{"serviceUrl":""}'};
    const places = ['--user-data-dir', join(home, 'data'), '--extensions-dir', join(home, 'extensions')];
    await run(node, [server, ...places, '--install-extension', vsix], {env, cwd: home});
    const installed = (await readdir(join(home, 'extensions'))).find(name => name.startsWith('lora-sweep.'));
    assert.ok(installed, 'it is among the installed extensions');
    const extension = join(home, 'extensions', installed);
    const runtimes = join(extension, 'node_modules/onnxruntime-node/bin/napi-v6');
    assert.deepEqual(await readdir(runtimes), [process.platform]);
    assert.deepEqual(await readdir(join(runtimes, process.platform)), [process.arch]);

    const sweep = await workspace.writeSweep({name: 'tiny', seconds: 1});
    const command = (...args: string[]) =>
      run(node, [join(extension, 'dist/trainer/cli.js'), ...args], {env, cwd: workspace.folder});
    const {stdout} = await command('run', sweep, '--json');
    const events = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.equal(events.find(({event}) => event === 'run-started').engine, 'compiled');
    assert.equal(events.at(-1).state, 'finished');
    const page = join(home, 'report.html');
    await command('report', join(workspace.folder, '.lora-sweep/tiny'), '--out', page);
    assert.ok(existsSync(page));
  },
};
