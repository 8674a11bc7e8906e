import assert from 'node:assert/strict';
import type {Story} from '../../story.ts';

export const browserOnly: Story = {
  sentence: 'In a browser alone, without a process of its own, a sweep file is checked, completed and explained',
  browser: true,
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSlips());
    const {editor, page} = workbench;
    await editor.squiggles.first().waitFor();
    assert.match(await editor.hover('pisa', 'pissa'), /pissa/);
    await editor.fix('pisa', 'pissa');
    await editor.click('pissa');
    const offered = await editor.complete('pissa');
    assert.ok(offered.includes('dora'), offered.join(', '));
    await page.keyboard.press('Escape');
    await workbench.screenshot('browser-only');
    await workbench.command('LoRA Sweep: Run');
    await workbench.notification(/To train, open the folder in VS Code/).waitFor();
    await page.locator('.activitybar .action-label[aria-label^="LoRA Sweep"]').first().click();
    await page.locator('.welcome-view', {hasText: 'In the browser sweep files are checked'}).first().waitFor();
    await workbench.screenshot('browser-only-view');
  },
};
