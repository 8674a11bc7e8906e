import assert from 'node:assert/strict';
import {running} from '../running.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const reload: Story = {
  sentence: 'A run goes on while its window reloads: the tree follows it again, and Stop stops it',
  async play(stage) {
    const {workspace} = stage;
    const {workbench, pid} = await running(stage, 120);
    const {trials, status} = workbench;
    await workbench.reload(/tiny\.sweep\.yaml/);
    await trials.open();
    await trials.expand();
    await trials.see(1, 'running');
    await status.waitFor();
    assert.equal(await workspace.owner('tiny'), pid, 'the same process');
    const before = (await trials.rows()).find(({level, label}) => level === 4 && label.includes(', running'))?.label;
    await until('progress in the tree', async () => (await trials.rows()).every(({label}) => label !== before));
    await workbench.screenshot('reloaded');
    await workbench.command('LoRA Sweep: Stop');
    await trials.see(1, 'stopped');
    await until('the end of the process', async () => (await workspace.owner('tiny')) === undefined);
  },
};
