import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const run: Story = {
  sentence: 'The lens runs a sweep: its trials turn to finished in the tree, with a status bar item meanwhile',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 4}));
    const {editor, trials, status} = workbench;
    await editor.lens('Run 6 trials').waitFor();
    await trials.open();
    await trials.expand();
    await trials.see(6, 'waiting');
    await editor.lens('Run 6 trials').click();
    await trials.see(1, 'running');
    await until('progress in the status bar', async () => /tiny \d\/6/.test(await status.innerText()));
    await trials.see(1, 'finished');
    await workbench.screenshot('running');
    await trials.see(6, 'finished');
    await status.waitFor({state: 'hidden'});
    await editor.lens('Open results').click();
    const results = workbench.results;
    await results.locator('canvas').first().waitFor();
    await until('the results name both methods', async () => /PiSSA/.test(await results.locator('body').innerText()));
    await until('lenses of a finished sweep', async () => !(await editor.lens('Stop').isVisible()));
    await workbench.screenshot('results');
  },
};
