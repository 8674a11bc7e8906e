import assert from 'node:assert/strict';
import {killExtensionHosts} from '../../extension-host.ts';
import {running} from '../../running.ts';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';

export const hostKilled: Story = {
  sentence: 'A run outlives its extension host: a window opened anew shows it running, and its end',
  async play(stage) {
    const {workspace, open} = stage;
    const {pid} = await running(stage, 25);
    assert.ok(pid !== undefined, 'the lock names the process');
    killExtensionHosts();
    const workbench = await open(`${workspace.folder}/tiny.sweep.yaml`);
    const {editor, trials, status} = workbench;
    await trials.open();
    await trials.expand();
    await trials.see(1, 'running');
    await status.waitFor();
    assert.equal(await workspace.owner('tiny'), pid, 'the same process');
    await editor.lens('Stop').waitFor();
    await workbench.screenshot('host-killed');
    await trials.see(6, 'finished');
    await status.waitFor({state: 'hidden'});
    await until('the end of the process', async () => (await workspace.owner('tiny')) === undefined);
  },
};
