import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {serious} from '../axe.ts';
import {finishedTiny, peakRows, resultsAlone, themes} from '../finished.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';
import type {Workbench} from '../workbench.ts';
import type {Workspace} from '../workspace.ts';

const command = join(import.meta.dirname, '../../../dist/trainer/cli.js');

const setting = {task: 'exact-match', metric: 'accuracy', batch: 16};
const published = [1e-3, 1e-2].map((lr, k) => ({...setting, method: 'LoRA', rank: 8, seed: 1, lr, value: (k + 2) / 4}));
/** Two methods, three ranks, four rates, two seeds: a grid over three things. */
const axes = ['LoRA', 'DoRA'].flatMap((method, m) =>
  [4, 8, 32].flatMap((rank, r) =>
    [1e-4, 3e-4, 1e-3, 3e-3].flatMap((lr, l) =>
      [1, 2].map(seed => ({
        ...{...setting, method, rank, seed, lr},
        value: 0.9 - 0.1 * (l - 2 + 0.4 * m) ** 2 + 0.02 * r + 0.01 * seed,
      })),
    ),
  ),
);

export const compare: Story = {
  sentence:
    'Another run stands beside the own one, charts are saved as figures, and a page says what of several axes matters',
  async play({workspace, open}) {
    const workbench = await finishedTiny(workspace, open);
    for (const [name, rows] of Object.entries({published, axes})) await imported(workspace, name, rows);
    await besidePublished(workbench);
    await saveFigures(workbench, join(workspace.folder, '.lora-sweep/tiny'));
    await workbench.results.locator('.bar button').filter({hasText: 'This run alone'}).click();
    await until('the run alone', async () => (await peakRows(workbench).count()) === 2);
    await whatMatters(workbench, workspace);
    assert.deepEqual(workbench.violations, [], 'the content security policy holds');
  },
};

async function imported(workspace: Workspace, name: string, rows: readonly object[]): Promise<void> {
  const file = `${name}.json`;
  await workspace.write(file, JSON.stringify(rows));
  await promisify(execFile)(process.execPath, [command, 'import', join(workspace.folder, file)]);
}

async function choose({page}: Workbench, run: string): Promise<void> {
  await page.locator('.quick-input-list .monaco-list-row', {hasText: run}).first().click();
}

/** A curve more, under a name of its own. */
async function besidePublished(workbench: Workbench): Promise<void> {
  const rows = peakRows(workbench);
  await until('the own run', async () => (await rows.count()) === 2);
  await workbench.results.locator('.bar button').filter({hasText: 'Compare with'}).click();
  await choose(workbench, 'published');
  await until('the curves of both runs', async () => (await rows.count()) === 3);
  assert.match((await rows.allInnerTexts())[2] ?? '', /^LoRA \(published\)\t1e-2\t75.0 %/);
  await workbench.results.locator('.figures').filter({hasText: 'together with published'}).first().waitFor();
  await workbench.page.keyboard.press('Control+B');
  await workbench.page.waitForTimeout(700);
  await workbench.screenshot('compare');
  await workbench.page.keyboard.press('Control+B');
  assert.deepEqual(await serious(await workbench.resultsFrame()), [], 'axe on two runs');
}

/** The first chart as both kinds of file, where the dialog proposes. */
async function saveFigures({results, page}: Workbench, folder: string): Promise<void> {
  const saved = join(folder, 'rates-exact-match-accuracy-rank-8-batch-size-16');
  for (const kind of ['svg', 'png'] as const) {
    await results.locator('.saving button').filter({hasText: kind.toUpperCase()}).first().click();
    const box = page.locator('.quick-input-widget .quick-input-box input').first();
    await box.waitFor();
    await until(`the ${kind}`, async () => {
      // Without the dialog the key would press the button again.
      if (await box.isVisible()) await page.keyboard.press('Enter');
      await page.waitForTimeout(500);
      return existsSync(`${saved}.${kind}`);
    });
  }
  const svg = readFileSync(`${saved}.svg`, 'utf8');
  assert.match(svg, /^<svg .*width="3.3in"/);
  assert.match(svg, />LoRA \(published\)</);
  const png = readFileSync(`${saved}.png`);
  assert.equal(png.toString('latin1', 1, 4), 'PNG');
  assert.equal(png.readUInt32BE(16), 990, '3.3 inches at 300 dots');
}

/** A run over several axes: shares, a line a setting; in every theme and width. */
async function whatMatters(workbench: Workbench, workspace: Workspace): Promise<void> {
  const {page, results} = workbench;
  await workbench.command('LoRA Sweep: Open Results of a Run Folder');
  await choose(workbench, 'axes');
  await page.locator('.tab', {hasText: 'Results: axes'}).first().waitFor();
  await page.locator('.tab', {hasText: 'Results: tiny'}).first().click();
  await workbench.command('View: Close Editor');
  const shares = results.locator('table.shares tbody tr');
  await until('what matters', async () => (await shares.count()) > 3);
  assert.match((await shares.allInnerTexts())[0] ?? '', /^learning rate\t4\t/);
  await resultsAlone(workbench);
  const frame = await workbench.resultsFrame();
  for (const [theme, kind] of Object.entries(themes)) {
    await workspace.setTheme(theme);
    await results.locator(`body.${kind}`).waitFor();
    for (const width of [420, 1280, 1920]) {
      await page.setViewportSize({width: width + 60, height: 1000});
      await page.waitForTimeout(700);
      await frame.evaluate('document.querySelector("table.shares").closest("section").scrollIntoView()');
      await page.waitForTimeout(500);
      await workbench.screenshot(`what-matters-${kind}-${width}`);
    }
    assert.deepEqual(await serious(frame), [], `axe on what matters in ${theme}`);
  }
}
