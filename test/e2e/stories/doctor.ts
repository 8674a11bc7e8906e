import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const doctor: Story = {
  sentence: 'Doctor shows what is on this machine as a text, and what auto takes',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 1}));
    const {editor, page} = workbench;
    await editor.lens('Run 6 trials').waitFor();
    await workbench.command('LoRA Sweep: Doctor');
    await page.locator('.tab.active', {hasText: 'LoRA Sweep Doctor.md'}).waitFor();
    await until('the findings', async () => /telemetry: off/.test(await editor.text()));
    // The editor breaks long lines.
    const text = (await editor.text()).replaceAll(/\s+/g, ' ');
    assert.match(text, /versions: LoRA Sweep \S+, .*VS Code \d+\.\d+/);
    assert.match(text, /engine compiled \(onnxruntime, CPU\): computes rightly/);
    assert.match(text, /run\.engine: auto: takes /);
    // No hint of what the pointer is over lies on the text.
    await page.mouse.move(800, 700);
    await page.locator('.workbench-hover-container').waitFor({state: 'hidden'});
    await workbench.screenshot('doctor');
  },
};
