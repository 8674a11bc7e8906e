import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

const sweep = `name: close
model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, max_length: 21, rows: 640}
methods: [lora, init-ab]
rank: 4
batch_size: 16
learning_rate: [1e-3, 3e-3]
seeds: [1, 2]
training: {steps: 32}
evaluate: {task: loss, data: desc-test.jsonl, limit: 64}
`;

export const moreSeeds: Story = {
  sentence: 'A word that needs more seeds has a button for them, and the tree shows what it added',
  async play({workspace, open}) {
    const workbench = await open(await workspace.write('close.sweep.yaml', sweep));
    const {editor, trials, results} = workbench;
    await trials.open();
    await trials.expand();
    await editor.lens('Run 8 trials').click();
    await trials.see(8, 'finished');
    await editor.saying('All trials finished').waitFor();
    await editor.lens('Open results').click();
    const button = results
      .locator('button')
      .filter({hasText: /^Run \d+ more seeds? of init-ab$/})
      .first();
    await button.waitFor();
    await workbench.screenshot('more-seeds');
    const more = Number(/\d+/.exec(await button.innerText())![0]);
    await button.click();
    // Two methods get them, the baseline as well.
    await trials.see(8 + 2 * more, 'finished');
    await until('the added seeds in the table', async () =>
      new RegExp(`\\b${2 + more}\\b`).test(await results.locator('table').first().innerText()),
    );
    await trials.expand();
    const rows = await trials.rows();
    assert.ok(
      rows.some(({label}) => label.startsWith(`seed ${2 + more}`)),
      rows.map(({label}) => label).join('; '),
    );
    await workbench.screenshot('more-seeds-trained');
  },
};
