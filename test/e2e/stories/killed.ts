import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const killed: Story = {
  sentence: 'A trainer killed from outside is reported, and the message’s Resume button goes on with the run',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 5}));
    const {trials, status} = workbench;
    await trials.open();
    await trials.expand();
    await workbench.command('LoRA Sweep: Run');
    await trials.see(1, 'running');
    const pid = await workspace.owner('tiny');
    assert.ok(pid !== undefined, 'the lock names the process');
    // Node answers this signal with a line on standard error, which makes last words to look for.
    process.kill(pid, 'SIGUSR1');
    await trials.seeMiddle();
    process.kill(pid, 'SIGKILL');
    const message = workbench.notification('ended unexpectedly');
    await message.waitFor();
    assert.match(await message.innerText(), /tiny ended unexpectedly: .*(Debugger|inspector)/s);
    await status.waitFor({state: 'hidden'});
    await trials.see(1, 'stopped');
    assert.equal(await trials.count('running'), 0);
    await workbench.screenshot('killed');
    await workbench.press(message, 'Resume');
    await until('another process', async () => {
      const next = await workspace.owner('tiny');
      return next !== undefined && next !== pid;
    });
    await trials.see(6, 'finished');
  },
};
