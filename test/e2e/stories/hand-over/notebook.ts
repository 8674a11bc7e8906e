import assert from 'node:assert/strict';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';

export const notebook: Story = {
  sentence: 'Open in Notebook writes the tables of a run and opens a notebook that reads them',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 2}));
    const {editor, trials, page} = workbench;
    await trials.open();
    await editor.lens('Run 6 trials').click();
    await trials.expand();
    await until('all trials finished', async () => (await trials.count('finished')) === 6);
    await workbench.command('LoRA Sweep: Open in Notebook');
    const cells = page.locator('.notebookOverlay .cell-list-container .monaco-list-row');
    await cells.first().waitFor();
    await until('the cells', async () =>
      /import pandas as pd/.test((await cells.allInnerTexts()).join(' ').replaceAll(/\s+/g, ' ')),
    );
    const steps = await workspace.text('.lora-sweep/tiny/export/csv/steps.csv');
    assert.match(steps, /^trial,method,rank,/);
    await workbench.screenshot('notebook');
  },
};
