import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {toolId, tools} from '../../../../core/assistant/tools.ts';
import {writeHalfModel} from '../../../trainer/export/half-model.ts';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';

const sweep = `model: half
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 32, max_length: 21}
methods: [lora]
rank: 4
batch_size: 8
learning_rate: [1e-2]
seeds: [1]
training: {steps: 3}
evaluate: {task: exact-match, data: desc-test.jsonl, limit: 4, max_new_tokens: 4}
`;

interface Told {
  offered: string[];
  answers: {name: string; text?: string; error?: string}[];
}

export const handOver: Story = {
  sentence: 'A finished run goes on in a notebook, as GGUF from the menu, and answers the tools of an assistant',
  async play({workspace, open}) {
    writeHalfModel(join(workspace.folder, 'half'), 'llama', {});
    const workbench = await open(await workspace.write('out.sweep.yaml', sweep));
    const {editor, trials, page} = workbench;
    await trials.open();
    await editor.lens('Run 1 trial').click();
    await workbench.notification(/out finished: /).waitFor();

    await workbench.choose(workbench.row(/^out, /), 'Export…');
    await page.locator('.quick-input-list .monaco-list-row', {hasText: 'GGUF'}).first().click();
    await page.locator('.quick-input-widget .quick-input-action .monaco-button').first().click();
    const gguf = join(workspace.folder, 'out-best-gguf');
    await workbench.notification(/gguf/).waitFor();
    await workbench.screenshot('export-gguf');
    const written = await until('the GGUF file', () =>
      ['model-f16.gguf'].map(name => join(gguf, name)).find(existsSync),
    );
    assert.equal((await readFile(written)).subarray(0, 4).toString('latin1'), 'GGUF');

    await workbench.choose(workbench.row(/^out, /), 'Open in Notebook');
    const cells = page.locator('.notebookOverlay .cell-list-container .monaco-list-row');
    await until('the cells of a notebook', async () => (await cells.count()) >= 3);
    await workbench.screenshot('notebook');
    const source = (await page.locator('.notebookOverlay .view-lines').allInnerTexts())
      .join('\n')
      .replaceAll('\u00a0', ' ');
    assert.ok(source.includes('import pandas as pd'), source);
    assert.ok(existsSync(join(workspace.folder, '.lora-sweep/out/export/csv/peaks.csv')));

    const run = join(workspace.folder, '.lora-sweep/out');
    const file = join(workspace.folder, 'out.sweep.yaml');
    const calls = tools.map(tool => ({name: toolId(tool), input: 'file' in tool.input.properties ? {file} : {run}}));
    const wrong = [{name: toolId(tools.find(({name}) => name === 'peaks')!), input: {run: workspace.folder}}];
    await workspace.write('calls.json', JSON.stringify([...calls, ...wrong]));
    const told = join(workspace.folder, 'answers.json');
    await rm(told, {force: true});
    await workbench.command('Tests: Invoke Tools');
    const {offered, answers} = await until('the answers of the tools', async () => {
      try {
        return JSON.parse(await readFile(told, 'utf8')) as Told;
      } catch {
        return undefined;
      }
    });
    assert.deepEqual(offered.toSorted(), tools.map(toolId).toSorted(), 'the tools that the editor knows');
    const texts = Object.fromEntries(
      answers.slice(0, -1).map(({name, text, error}) => [name, text ?? `error: ${error}`]),
    );
    assert.deepEqual(JSON.parse(texts['lora_sweep_check']!), [], texts['lora_sweep_check']);
    assert.match(texts['lora_sweep_plan']!, /lora-r4-b8-lr1\.00e-2-s1/);
    assert.match(texts['lora_sweep_peaks']!, /"method":"lora"/);
    assert.match(texts['lora_sweep_trials']!, /"state":"finished"/);
    assert.match(texts['lora_sweep_samples']!, /"expected"/);
    assert.match(answers.at(-1)?.error ?? '', /holds no run/, 'what is no run is an error in words');
  },
};
