/** Makes the editor's pictures in docs/pictures from a run of the demo sweep in the workbench: `npm run picture`. */
import {cp, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {openBrowser} from './driver.ts';
import {resultsAlone} from './finished.ts';
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
  const {editor, trials, page, results} = workbench;
  const finished = workbench.notification(/finished: /);
  const lens = editor.lens('Search ');
  await lens.waitFor();
  await trials.open();
  await lens.click();
  const lora = page.locator('.sidebar .monaco-list-row[aria-label^="LoRA, "]').first();
  await lora.waitFor();
  await lora.click();
  await until('what some methods come to', async () => {
    const labels = (await trials.rows()).map(({label}) => label);
    return labels.filter(label => /^[^,]+, [a-z]+, .*best /.test(label)).length >= 2;
  });
  await editor.click('rank: 8');
  await page.waitForTimeout(1500);
  await workbench.screenshot('editor');
  await editor.lens('Open results').click();
  await results.locator('canvas').first().waitFor();
  await page.keyboard.press('Control+B');
  await page.waitForTimeout(1500);
  await workbench.screenshot('training');
  await finished.waitFor();
  await page.waitForTimeout(1500);
  await workbench.screenshot('results');
  await resultsAlone(workbench);
  await page.keyboard.press('Control+B');
  const frame = await workbench.resultsFrame();
  await results.locator('[id="sort by exact-match accuracy"]').click();
  await frame.evaluate('document.getElementById("trials").scrollIntoView()');
  await page.waitForTimeout(1500);
  await workbench.screenshot('trials');
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
