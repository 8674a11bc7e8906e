import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

const sweep = `name: rates
model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, max_length: 21, rows: 640}
methods: [lora, pissa]
rank: 4
batch_size: 16
learning_rate: {from: 1e-4, to: 1.1e-2, per_decade: 2}
seeds: [1]
training: {steps: 40}
evaluate: {task: loss, data: desc-test.jsonl, limit: 64}
`;

export const tune: Story = {
  sentence: 'Find a Learning Rate… asks for the method, says what it found with its adapter, and shows the results',
  async play({workspace, open}) {
    const workbench = await open(await workspace.write('rates.sweep.yaml', sweep));
    const {page, editor} = workbench;
    await editor.lens('Run 10 trials').waitFor();
    await workbench.command('LoRA Sweep: Find a Learning Rate…');
    const methods = page.locator('.quick-input-list .monaco-list-row');
    await methods.filter({hasText: 'pissa'}).first().click();
    const found = workbench.notification('Its adapter is in');
    await found.waitFor();
    await workbench.screenshot('tuned');
    const words = await found.innerText();
    assert.match(words, /pissa/);
    const adapter = /adapter is in (\S+?)\.?(\s|$)/.exec(words)?.[1] ?? '';
    const config = JSON.parse(
      await workspace.text(`${adapter.slice(workspace.folder.length + 1)}/adapter_config.json`),
    );
    assert.equal(config.peft_type, 'LORA');
    await workbench.press(found, 'Open Results');
    await workbench.results.locator('canvas').first().waitFor();
    await until('how the rate was found', async () =>
      /how found/.test(await workbench.results.locator('body').innerText()),
    );
    // A search that has chosen leaves most trials waiting, and nothing to resume.
    const buttons = await workbench.results.locator('header button').allInnerTexts();
    assert.ok(!buttons.includes('Resume'), buttons.join());
    await workbench.screenshot('tuned-results');
    // The file's own sweep has not run.
    await editor.lens('Run 10 trials').waitFor();
  },
};
