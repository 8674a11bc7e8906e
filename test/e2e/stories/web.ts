import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Story} from '../story.ts';
import {until} from '../until.ts';
import type {Workbench} from '../workbench.ts';

const config = join(import.meta.dirname, '../../fixtures/tools/axolotl-lora.yaml');

/** What the palette has of this extension. */
async function offered({page}: Workbench): Promise<string[]> {
  await page.keyboard.press('F1');
  const box = page.locator('.quick-input-widget input').first();
  await box.fill('>LoRA Sweep:');
  const rows = page.locator('.quick-input-list .monaco-list-row', {hasText: 'LoRA Sweep:'});
  await rows.first().waitFor();
  const labels = await rows.locator('.label-name').allInnerTexts();
  await page.keyboard.press('Escape');
  return labels.map(label => label.trim());
}

export const web: Story = {
  sentence: 'In a browser without any machine behind it a sweep file is checked, mended, explained and completed',
  web: true,
  async play({workspace, open, calls}) {
    await workspace.writeSlips();
    await workspace.write('axolotl.yaml', await readFile(config, 'utf8'));
    const workbench = await open();
    const {editor, page} = workbench;
    await workbench.row('slips.sweep.yaml').click();
    await editor.squiggles.first().waitFor();
    const entries = await workbench.problems();
    const of = (word: string) => entries.filter({hasText: word}).first();
    await of('pisa').waitFor();
    await of('learning_rte').waitFor();
    await workbench.screenshot('web-problems');
    await editor.fix('pisa', 'pissa');
    await until('the fixed text', async () => (await editor.text()).includes('methods: [lora, pissa]'));
    await of('pisa').waitFor({state: 'hidden'});

    assert.match(await editor.hover('pissa]', 'Learning rates'), /PiSSA/);
    await workbench.screenshot('web-hover');
    await editor.click('pissa]');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.type(', ');
    const labels = await editor.complete('milora');
    assert.ok(labels.includes('dora') && !labels.includes('pissa'), `${labels}`);
    await workbench.screenshot('web-completion');
    await editor.accept('milora');
    await until('the completed text', async () => (await editor.text()).includes('[lora, pissa, milora]'));
    await workbench.command('Format Document');

    await page.locator('.activitybar .action-label[aria-label="LoRA Sweep"]').first().click();
    await page.locator('.sidebar .welcome-view-content', {hasText: 'To train, open the folder'}).first().waitFor();
    await workbench.screenshot('web-view');

    await page.keyboard.press('Control+Shift+E');
    await workbench.row('axolotl.yaml').click();
    await page.locator('.tab.active', {hasText: 'axolotl.yaml'}).first().waitFor();
    // The editor itself lets each view be shown.
    const shown = ['LoRA Sweep: Convert This Config…', 'LoRA Sweep: Focus on Sweeps View'];
    assert.deepEqual((await offered(workbench)).sort(), shown, 'what trains is not offered');
    await workbench.command('LoRA Sweep: Convert This Config…');
    await until('the sweep file', async () => /Converted from a configuration of axolotl/.test(await editor.text()));
    await workbench.screenshot('web-converted');

    const asked = (await readFile(join(calls, 'files.calls'), 'utf8'))
      .split('\n')
      .filter(path => path.includes('/dist/'));
    const programs = ['extension.js', 'server.js'].map(name => `/extension-0/dist/browser/${name}`);
    assert.deepEqual([...new Set(asked.filter(path => path.startsWith('/extension-0/')))].sort(), programs);
  },
};
