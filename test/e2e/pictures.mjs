/** Makes the editor's pictures in docs/pictures from a run of the demo sweep in the workbench: `npm run picture`. */
import {cp, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {openBrowser} from './driver.ts';
import {installation} from './install.ts';
import {startServer} from './server.ts';
import {until} from './until.ts';
import {Workbench} from './workbench.ts';
import {Workspace} from './workspace.ts';

const extension = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const artefacts = join(extension, 'docs/pictures');
const tools = await installation(console.log);
const folder = await mkdtemp(join(tmpdir(), 'lora-sweep-pictures-'));
const workspace = await Workspace.create(extension, join(folder, 'sweeps'));
const file = join(workspace.folder, 'desc.sweep.yaml');
await cp(join(extension, 'demo/desc.sweep.yaml'), file);
const server = await startServer(tools, {
  folder: join(folder, 'server'),
  extensions: [extension],
  trust: false,
  hub: 'http://127.0.0.1:9',
});
const browser = await openBrowser(tools);
try {
  const workbench = await Workbench.open({browser, server, folder: workspace.folder, file, artefacts});
  const {editor, trials, page} = workbench;
  await editor.lens('Run ').waitFor();
  await trials.open();
  await editor.lens('Run ').click();
  const lora = page.locator('.sidebar .monaco-list-row[aria-label^="LoRA, running"]').first();
  await lora.waitFor();
  await lora.click();
  const rate = page.locator('.sidebar .monaco-list-row[aria-level="3"][aria-label*="running"]').first();
  await until('some rates done', async () => {
    const labels = (await trials.rows()).map(({label}) => label);
    return labels.filter(label => /^\S+e-\d, finished/.test(label)).length >= 5;
  });
  await rate.click();
  await editor.click('rank: 8');
  await page.waitForTimeout(1500);
  await workbench.screenshot('editor');
  await page
    .locator('.sidebar .monaco-list-row[aria-label^="desc,"], .sidebar .monaco-list-row[aria-level="1"]')
    .first()
    .waitFor();
  await until('the end of the run', async () => {
    const methods = (await trials.rows()).filter(({level}) => level === 2);
    return methods.length > 0 && methods.every(({label}) => /, (finished|diverged)/.test(label));
  });
  await page.keyboard.press('Control+B');
  await editor.lens('Open results').click();
  await workbench.results.locator('canvas').first().waitFor();
  await page.waitForTimeout(1500);
  await workbench.screenshot('results');
  await workbench.command('LoRA Sweep: Doctor');
  await until('what doctor found', async () => /telemetry: off/.test(await editor.text()));
  await page.mouse.move(800, 700);
  await page.waitForTimeout(1500);
  await workbench.screenshot('doctor');
  console.log(`Written to ${artefacts}`);
} finally {
  await browser.close();
  await server.stop();
  await workspace.endRuns();
  await rm(folder, {recursive: true, force: true});
}
