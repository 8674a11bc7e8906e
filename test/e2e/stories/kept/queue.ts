import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';

export const queue: Story = {
  sentence:
    'Sweeps wait for each other in a queue that is seen, survives a reload, and starts the next one when one ends',
  async play({workspace, open}) {
    await workspace.writeSweep({name: 'second', seconds: 1});
    await workspace.writeSweep({name: 'third', seconds: 1});
    const workbench = await open(await workspace.writeSweep({name: 'first', seconds: 45}));
    const {trials, page} = workbench;
    await trials.open();
    await workbench.command('LoRA Sweep: Run');
    await until('the first run', () => workspace.owner('first'));
    for (const name of ['second', 'third'])
      await workbench.choose(workbench.row(new RegExp(`^${name}, `)), 'Add to Queue');
    const pane = page.locator(`.sidebar .pane:has(.pane-header:has-text("Queue"))`);
    const waiting = pane.locator('.monaco-list-row[aria-label^="third"]').first();
    await pane.locator('.monaco-list-row[aria-label^="second"]').first().waitFor();
    await waiting.waitFor();
    await workbench.command('Tests: Press a Lost Row');
    await workbench.notification(/being drawn anew: choose it once more/).waitFor();
    assert.equal(await pane.locator('.monaco-list-row').count(), 2, 'what is open is not meant by a row that was lost');
    await workbench.screenshot('queue');
    await workbench.reload(/first\.sweep\.yaml/);
    await trials.open();
    await page.locator('.sidebar .pane-header', {hasText: 'Queue'}).first().waitFor();
    await waiting.waitFor();
    await workbench.choose(waiting, 'Remove from Queue');
    await until('the end of the first run', async () => (await workspace.owner('first')) === undefined);
    await until('the end of the second run', async () =>
      (await workspace.text('.lora-sweep/second/events.jsonl').catch(() => '')).includes('"run-ended"'),
    );
    await page.locator('.sidebar .pane-header', {hasText: 'Queue'}).first().waitFor({state: 'hidden'});
    await page.waitForTimeout(2000);
    assert.ok(!existsSync(join(workspace.folder, '.lora-sweep/third')), 'what was removed does not start');
  },
};
