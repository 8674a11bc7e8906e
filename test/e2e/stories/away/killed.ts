import assert from 'node:assert/strict';
import {running} from '../../running.ts';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';

export const killed: Story = {
  sentence: 'A trainer killed from outside is reported, and the message’s Resume button goes on with the run',
  async play(stage) {
    const {workspace} = stage;
    const {workbench, pid} = await running(stage, 5);
    const {trials, status} = workbench;
    assert.ok(pid !== undefined, 'the lock names the process');
    await trials.seeMiddle();
    process.kill(pid, 'SIGKILL');
    const message = workbench.notification('ended unexpectedly');
    await message.waitFor();
    assert.match(await message.innerText(), /tiny ended unexpectedly\. What is finished is kept/s);
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
