import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const completion: Story = {
  sentence: 'Methods that are not in the list yet are offered as its next item',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 1}));
    const {editor, page} = workbench;
    await editor.lens('Run 6 trials').waitFor();
    await editor.click('pissa]');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.type(', ');
    const labels = await editor.complete('milora');
    assert.ok(labels.includes('dora'));
    assert.ok(!labels.includes('pissa'), 'what the list has is not offered again');
    await workbench.screenshot('completion');
    await editor.accept('milora');
    await until('the completed text', async () => (await editor.text()).includes('[lora, pissa, milora]'));
  },
};
