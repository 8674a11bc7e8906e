import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

const config = join(import.meta.dirname, '../../fixtures/tools/axolotl-lora.yaml');

export const convert: Story = {
  sentence: 'A configuration of another tool becomes a sweep file, and a key of one moves to where it belongs',
  async play({workspace, open}) {
    const workbench = await open(await workspace.write('axolotl.yaml', await readFile(config, 'utf8')));
    const {editor, page} = workbench;
    await page.locator('.tab.active', {hasText: 'axolotl.yaml'}).waitFor();
    await workbench.command('LoRA Sweep: Convert This Config…');
    await workbench.notification('is a configuration of axolotl').waitFor();
    await until('the sweep file', async () => /Converted from a configuration of axolotl/.test(await editor.text()));
    await workbench.screenshot('converted');
    const text = await editor.text();
    for (const line of [
      'learning_rate: 2e-4',
      'batch_size: 8',
      'rank: 32',
      'load_in_8bit: the base is trained as it is',
    ])
      assert.ok(text.includes(line), line);
    // In the original nothing changed.
    assert.equal(await workspace.text('axolotl.yaml'), await readFile(config, 'utf8'));
    // A key of another tool in a sweep file moves to where it belongs, here among what is there.
    await page.keyboard.press('Control+End');
    await page.keyboard.type('bf16: true');
    await editor.fix('bf16', 'Change to training.precision: bfloat16');
    // Lines stand in the page in the order in which they were drawn.
    const isMoved = (now: string): boolean => /precision: bfloat16/.test(now) && !/bf16: true/.test(now);
    await until('the moved key', async () => isMoved(await editor.text()));
  },
};
