/**
 * The smoke test in VS Code itself: downloads it (into .vscode-test) where its download host can be reached, and says
 * so in one sentence where not. Not a part of `npm test`, which tries the same extension in a browser's workbench.
 */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {downloadAndUnzipVSCode, runTests} from '@vscode/test-electron';
import {Workspace} from './workspace.ts';

const here = dirname(fileURLToPath(import.meta.url));
const extension = dirname(dirname(here));

/** VS Code's program. */
async function download() {
  try {
    return await downloadAndUnzipVSCode({extensionDevelopmentPath: extension});
  } catch (error) {
    throw new Error(`VS Code cannot be downloaded here (${error.message}): run test/e2e/all.mjs instead.`);
  }
}

async function main() {
  const vscodeExecutablePath = await download();
  const folder = await mkdtemp(join(tmpdir(), 'lora-sweep-electron-'));
  try {
    const workspace = await Workspace.create(extension, join(folder, 'sweeps'));
    await workspace.writeSweep({name: 'tiny', seconds: 3});
    await workspace.writeSlips();
    await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: extension,
      extensionTestsPath: join(here, 'smoke.cjs'),
      launchArgs: [
        workspace.folder,
        '--disable-extensions',
        '--disable-workspace-trust',
        `--user-data-dir=${join(folder, 'user-data')}`,
      ],
    });
  } finally {
    await rm(folder, {recursive: true, force: true, maxRetries: 5});
  }
}

await main().catch(error => {
  console.error(error.message);
  process.exitCode = 1;
});
