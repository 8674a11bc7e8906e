import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {Story} from '../story.ts';

export const restricted: Story = {
  sentence: 'In an untrusted workspace a sweep is edited with all help, and nothing runs',
  restricted: true,
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 1}));
    const {editor} = workbench;
    const text = await editor.hover('pissa]', 'Learning rates');
    assert.match(text, /PiSSA/);
    await editor.lens('Run 6 trials').click();
    await workbench.notification('trust this workspace first').waitFor();
    await workbench.screenshot('restricted');
    assert.ok(!existsSync(join(workspace.folder, '.lora-sweep')), 'nothing was started');
  },
};
