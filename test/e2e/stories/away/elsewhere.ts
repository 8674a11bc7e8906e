import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';

const program = join(import.meta.dirname, '../../../../dist/trainer/cli.js');

export const elsewhere: Story = {
  sentence:
    'A run on another host is shown live while its files grow, is not offered to be run again, and stops when asked to',
  async play({workspace, open}) {
    const file = await workspace.writeSweep({name: 'tiny', seconds: 120});
    const sockets = join(workspace.folder, 'sockets');
    await mkdir(sockets);
    // A host name and a folder for sockets of its own: nothing of it is seen here but the run folder.
    const words = 'hostname elsewhere && mount -t tmpfs none "$TMPDIR" && exec "$@"';
    const child = spawn(
      'unshare',
      ['--uts', '--mount', 'sh', '-c', words, 'sh', process.execPath, program, 'run', file],
      {
        env: {...process.env, TMPDIR: sockets},
        stdio: 'ignore',
      },
    );
    const ended = once(child, 'exit');
    await until('its first steps', async () =>
      (await workspace.text('.lora-sweep/tiny/events.jsonl').catch(() => '')).includes('"step"'),
    );
    const lock = JSON.parse(await workspace.text('.lora-sweep/tiny/run.lock')) as {host: string};
    assert.equal(lock.host, 'elsewhere');
    const workbench = await open(file);
    const {editor, trials, status} = workbench;
    await trials.open();
    await trials.expand();
    await trials.see(1, 'running');
    await status.waitFor();
    await editor.lens('Stop').waitFor();
    assert.equal(await editor.lens('Run').count(), 0, 'no Run beside it');
    assert.equal(await editor.lens('Resume').count(), 0, 'no Resume beside it');
    const before = await status.innerText();
    await until('progress in the status bar', async () => (await status.innerText()) !== before);
    await workbench.screenshot('elsewhere');
    await editor.lens('Stop').click();
    await trials.see(1, 'stopped');
    await ended;
    await status.waitFor({state: 'hidden'});
  },
};
