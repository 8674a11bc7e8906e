import assert from 'node:assert/strict';
import type {Story} from '../story.ts';

export const hover: Story = {
  sentence: 'The hover of PiSSA teaches its formula, its size here and the range where its peak was found',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 1}));
    const text = await workbench.editor.hover('pissa]', 'numbers at rank 8');
    assert.match(text, /PiSSA/);
    assert.match(text, /within 90 %/);
    assert.match(text, /\d+e-\d+ to \d+/, 'a range of rates');
    await workbench.screenshot('hover');
    await workbench.editor.scrollHover();
    await workbench.screenshot('hover-rates');
  },
};
