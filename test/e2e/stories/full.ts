import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {running} from '../running.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

const command = promisify(execFile);

/** Makes the run folder a disk that is too small; where no disk may be mounted, limits the files of the trainer. Answers how to make room. */
async function smallDisk(folder: string): Promise<(() => Promise<unknown>) | undefined> {
  await mkdir(folder, {recursive: true});
  try {
    await command('mount', ['-t', 'tmpfs', '-o', 'size=120k', 'none', folder]);
  } catch {
    console.log('no disk may be mounted here: the size of files is limited instead');
    return undefined;
  }
  return () => command('mount', ['-o', 'remount,size=100m', folder]);
}

export const full: Story = {
  sentence:
    'A disk that runs full is told in one sentence, no trial is marked failed, and Resume goes on when there is room',
  async play(stage) {
    const {workspace} = stage;
    const runs = join(workspace.folder, '.lora-sweep');
    const makeRoom = await smallDisk(runs);
    try {
      const {workbench, pid} = await running(stage, 5);
      const {trials, status} = workbench;
      if (!makeRoom && pid !== undefined) await command('prlimit', ['--pid', String(pid), '--fsize=60000']);
      const message = workbench.notification('ended unexpectedly');
      await message.waitFor();
      const said = await message.innerText();
      assert.match(said, /events\.jsonl|checkpoints|adapters|samples/);
      assert.match(said, /disk is full; free some space, then go on with --resume|raise the limit, then go on/);
      assert.doesNotMatch(said, /\bat .*:\d+|0x[0-9a-f]|Node\.js v/);
      await status.waitFor({state: 'hidden'});
      await until('a tree in which nothing runs', async () => (await trials.count('running')) === 0);
      assert.equal(await trials.count('failed'), 0);
      await workbench.screenshot('full');
      await makeRoom?.();
      await workbench.press(message, 'Resume');
      await trials.see(6, 'finished');
    } finally {
      await workspace.endRuns();
      if (makeRoom) await command('umount', ['-l', runs]);
    }
  },
};
