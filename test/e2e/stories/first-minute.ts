import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {Locator} from '../driver.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

/** From the window as it opens to the adapter. */
const mostClicks = 6;

export const firstMinute: Story = {
  sentence: 'An empty folder, no model, no data: six clicks lead to a finished sweep and its best adapter',
  async play({workspace, open}) {
    for (const name of await readdir(workspace.folder))
      await rm(join(workspace.folder, name), {recursive: true, force: true});
    const workbench = await open();
    const {page, results} = workbench;
    let clicks = 0;
    const click = async (what: Locator): Promise<void> => {
      await what.waitFor();
      await what.click();
      clicks++;
    };
    await click(page.locator('.activitybar .action-label[aria-label^="LoRA Sweep"]').first());
    const sample = page.locator('.welcome-view .monaco-button', {hasText: 'Try the Sample Sweep'}).first();
    await sample.waitFor();
    await page.waitForTimeout(500);
    await workbench.screenshot('first-minute-welcome');
    await click(sample);
    await results.locator('canvas').first().waitFor();
    await workbench.screenshot('first-minute-training');
    const finished = workbench.notification(/finished: /);
    await finished.waitFor();
    await workbench.screenshot('first-minute-finished');
    await click(results.locator('.bar button').filter({hasText: 'Export best'}).first());
    await click(page.locator('.quick-input-list .monaco-list-row', {hasText: 'PEFT adapter'}).first());
    await click(page.locator('.quick-input-widget .quick-input-action .monaco-button').first());
    const adapter = join(workspace.folder, 'lora-sweep-sample/desc-best-adapter');
    await until('the exported adapter', () => existsSync(join(adapter, 'adapter_model.safetensors')));
    assert.ok(clicks <= mostClicks, `${clicks} clicks`);
    console.log(`${clicks} clicks`);
    // What is there stays, whoever tries it again.
    await workbench.command('LoRA Sweep: Try the Sample Sweep');
    await results.locator('canvas').first().waitFor();
    assert.equal(await workspace.owner('desc'), undefined, 'nothing is trained again');
  },
};
