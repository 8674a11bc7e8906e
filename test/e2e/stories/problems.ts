import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const problems: Story = {
  sentence: 'A misspelt method has a squiggle and an entry in Problems, and its quick fix mends it',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSlips());
    const {editor} = workbench;
    await editor.squiggles.first().waitFor();
    const entries = await workbench.problems();
    const of = (word: string) => entries.filter({hasText: word}).first();
    await of('pisa').waitFor();
    await of('learning_rte').waitFor();
    await workbench.screenshot('problems');
    await editor.fix('pisa', 'pissa');
    await until('the fixed text', async () => (await editor.text()).includes('methods: [lora, pissa]'));
    await of('pisa').waitFor({state: 'hidden'});
    assert.match(await editor.text(), /learning_rte/, 'the other problem is left alone');
    await workbench.screenshot('problem-fixed');
  },
};
