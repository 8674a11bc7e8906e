import assert from 'node:assert/strict';
import {hubModels, offerInWords} from '../../../core/hub/models.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

const {id} = hubModels[0]!;
const name = offerInWords(id);

const sweep = `name: hub
model: ${id}
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, max_length: 21}
methods: [lora, pissa]
learning_rate: {from: 1e-4, to: 1e-2, per_decade: 1}
training: {steps: 10}
`;

export const fetchStory: Story = {
  sentence:
    'A model of the hub that is not here is fetched from the lens, the quick fix and New Sweep…, and found then',
  async play({workspace, open}) {
    const workbench = await open(await workspace.write('hub.sweep.yaml', sweep));
    const {page, editor} = workbench;
    await editor.lens(`Fetch ${name.replace(/[()]/g, '\\$&')}`).waitFor();
    await workbench.screenshot('fetch-lens');
    await editor.fix(id, `Fetch ${name}`);
    await workbench.notification('is in the local cache').waitFor();
    await editor.lens('Run 6 trials').waitFor();
    await until('no problem', async () => (await editor.squiggles.count()) === 0);
    await workbench.screenshot('fetched');

    await workbench.command('LoRA Sweep: New Sweep…');
    const row = (text: string) => page.locator('.quick-input-list .monaco-list-row', {hasText: text}).first();
    await row(id).waitFor();
    const offered = await page.locator('.quick-input-list .monaco-list-row').allInnerTexts();
    assert.ok(
      offered.some(text => /to fetch/.test(text)),
      offered.join('\n'),
    );
    assert.ok(
      offered.some(text => text.includes(id) && text.includes('hub cache')),
      offered.join('\n'),
    );
    await workbench.screenshot('new-sweep-models');
    await row(id).click();
    await row('desc-train.jsonl').click();
    await page.locator('.tab.active', {hasText: 'first.sweep.yaml'}).waitFor();
    await until('the new sweep', async () => (await editor.text()).includes(`model: ${id}`));
    await editor.lens('Run ').waitFor();
  },
};
