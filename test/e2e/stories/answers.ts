import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {formatMean} from '../../../core/run/format.ts';
import {formatPlace} from '../../../core/run/verdict/place.ts';
import type {Frame} from '../driver.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

const themes = {
  'Default Light Modern': 'vscode-light',
  'Default Dark Modern': 'vscode-dark',
  'Default High Contrast': 'vscode-high-contrast',
};
const command = join(import.meta.dirname, '../../../dist/trainer/cli.js');
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const setting = {task: 'exact-match', metric: 'accuracy', method: 'LoRA', rank: 8, batch: 16, seed: 1};
const published = [
  {...setting, lr: 1e-3, value: 0.5},
  {...setting, lr: 1e-2, value: 0.75},
];

export const answers: Story = {
  sentence: 'The dashboard says what report and show say, in every theme and width, and axe finds nothing serious',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 8}));
    await workbench.trials.open();
    await workbench.editor.lens('Run 6 trials').click();
    await workbench.trials.expand();
    await until('all trials finished', async () => (await workbench.trials.count('finished')) === 6);
    await workbench.editor.lens('Open results').click();
    await workbench.results.locator('table canvas, canvas').first().waitFor();
    const rows = workbench.results.locator('section').first().locator('.scroller').last().locator('tbody tr');
    await until('the table of peaks', async () => (await rows.count()) === 2);
    // Cells are parted by tabs in the page and by bars in Markdown.
    const shown = (await rows.allInnerTexts()).map(text => text.split('\t').map(cell => cell.trim()));

    const folder = join(workspace.folder, '.lora-sweep/tiny');
    const {stdout: markdown} = await promisify(execFile)(process.execPath, [command, 'report', folder]);
    const lines = markdown.split('\n').filter(line => line.startsWith('| '));
    const told = lines.slice(2, 4).map(line =>
      line
        .slice(2, -1)
        .split('|')
        .map(cell => cell.trim()),
    );
    assert.deepEqual(shown, told, "the page's table is the report's");

    const asked = ['show', folder, '--rows', 'peaks', '--format', 'json'];
    const {stdout: json} = await promisify(execFile)(process.execPath, [command, ...asked]);
    interface PeakRow {
      method: string;
      learning_rate: number;
      place_from: number;
      place_to: number;
      mean: number;
      std: number | null;
      metric: string;
    }
    const peaks: PeakRow[] = JSON.parse(json);
    assert.deepEqual(
      shown.map(cells => cells.slice(0, 3)),
      peaks.map(({method, learning_rate, place_from, place_to, mean, std, metric}) => [
        method,
        formatPlace({learningRate: learning_rate, place: [...new Set([place_from, place_to])]}),
        formatMean(mean, std, metric),
      ]),
      "the page's table is what show has",
    );

    // Published results beside the run: a curve more.
    await workspace.write('published.json', JSON.stringify(published));
    await promisify(execFile)(process.execPath, [command, 'import', join(workspace.folder, 'published.json')]);
    await workbench.results.locator('.bar button').filter({hasText: 'Compare with'}).click();
    const choice = workbench.page.locator('.quick-input-list .monaco-list-row', {hasText: 'published'}).first();
    await choice.click();
    await until('the curves of both runs', async () => (await rows.count()) === 3);
    assert.match((await rows.allInnerTexts())[2] ?? '', /^lora \(published\)\t1e-2\t75.0 %/);
    await workbench.results.locator('.bar button').filter({hasText: 'This run alone'}).click();
    await until('the run alone', async () => (await rows.count()) === 2);

    await workbench.results.locator('.bar button').filter({hasText: 'Export best'}).click();
    await workbench.page.locator('.quick-input-list .monaco-list-row', {hasText: 'PEFT adapter'}).first().click();
    const exported = join(workspace.folder, 'tiny-best-adapter');
    await until('the exported adapter', async () => {
      await workbench.page.keyboard.press('Enter');
      await workbench.page.waitForTimeout(500);
      return existsSync(join(exported, 'adapter_model.safetensors'));
    });

    // The page alone, so that its width is about the window's.
    await workbench.page.keyboard.press('Control+B');
    await workbench.page.locator('.tab', {hasText: 'Results: tiny'}).first().click();
    await workbench.command('View: Close Editors in Other Groups');
    for (const [theme, kind] of Object.entries(themes)) {
      await workspace.setTheme(theme);
      await workbench.results.locator(`body.${kind}`).waitFor();
      for (const width of [500, 1600]) {
        await workbench.page.setViewportSize({width: width + 60, height: 900});
        await workbench.page.waitForTimeout(1000);
        await workbench.screenshot(`answers-${kind}-${width}`);
      }
      const frame = await workbench.resultsFrame();
      const [chart, box] = await frame.evaluate<number[]>(
        '[document.querySelector("canvas"), document.querySelector("canvas").parentElement].map(one => one.clientWidth)',
      );
      assert.equal(chart, box, 'the chart is as wide as its card');
      assert.deepEqual(await serious(frame), [], `axe in ${theme}`);
    }
    assert.deepEqual(workbench.violations, [], 'the content security policy holds');
  },
};

/** What axe-core finds of serious and critical violations, one line each. */
async function serious(frame: Frame): Promise<string[]> {
  await frame.evaluate(`${await readFile(axe, 'utf8')}; undefined`);
  const found: {violations: {id: string; impact: string; nodes: {target: string[]; failureSummary: string}[]}[]} =
    await frame.evaluate('axe.run(document)');
  return found.violations
    .filter(({impact}) => impact === 'serious' || impact === 'critical')
    .flatMap(({id, nodes}) =>
      nodes.slice(0, 3).map(({target, failureSummary}) => `${id} ${target}: ${failureSummary}`),
    );
}
