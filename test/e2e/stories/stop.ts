import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const stop: Story = {
  sentence: 'A run stops on request, and Resume finishes the rest without doing anything twice',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 5}));
    const {editor, trials, status} = workbench;
    await trials.open();
    await trials.expand();
    await workbench.command('LoRA Sweep: Run');
    await trials.seeMiddle();
    await editor.lens('Stop').click();
    await trials.see(1, 'stopped');
    await status.waitFor({state: 'hidden'});
    await until('the end of the process', async () => (await workspace.owner('tiny')) === undefined);
    const finished = await trials.count('finished');
    assert.ok(finished < 6, 'it stopped before its end');
    await editor.lens(`Resume ${6 - finished} unfinished`).waitFor();
    await workbench.screenshot('stopped');
    await workbench.command('LoRA Sweep: Resume');
    await trials.see(6, 'finished');
    const events = (await workspace.text('.lora-sweep/tiny/events.jsonl'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    const ends = events.filter(({event}) => event === 'trial-finished');
    assert.equal(new Set(ends.map(({trial}) => trial)).size, ends.length, 'every trial finished once');
  },
};
