import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {methodTitle} from '../../../core/method/title.ts';
import {formatMean} from '../../../core/run/format.ts';
import {formatPlace} from '../../../core/run/verdict/place.ts';
import {serious} from '../axe.ts';
import {finishedTiny, peakRows, resultsAlone, themes} from '../finished.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';
import type {Workbench} from '../workbench.ts';
import type {Workspace} from '../workspace.ts';

const command = join(import.meta.dirname, '../../../dist/trainer/cli.js');

export const answers: Story = {
  sentence: 'The dashboard says what report and show say, in every theme and width, and axe finds nothing serious',
  async play({workspace, open}) {
    const workbench = await finishedTiny(workspace, open);
    await until('the table of peaks', async () => (await peakRows(workbench).count()) === 2);
    await samePeaks(workbench, join(workspace.folder, '.lora-sweep/tiny'));
    await exportBest(workbench, join(workspace.folder, 'tiny-best-adapter'));
    await showThemes(workbench, workspace);
    assert.deepEqual(workbench.violations, [], 'the content security policy holds');
  },
};

/** What the command prints. */
async function printed(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [command, ...args])).stdout;
}

interface PeakRow {
  method: string;
  learning_rate: number;
  place_from: number;
  place_to: number;
  mean: number;
  std: number | null;
  metric: string;
}

/** The page's table of peaks is the report's, and what show has. */
async function samePeaks(workbench: Workbench, folder: string): Promise<void> {
  // Cells are parted by tabs in the page and by bars in Markdown.
  const cellsOf = (line: string, separator: string) => line.split(separator).map(cell => cell.trim());
  const shown = (await peakRows(workbench).allInnerTexts()).map(text => cellsOf(text, '\t'));
  const lines = (await printed('report', folder)).split('\n').filter(line => line.startsWith('| '));
  // What is read by people has the methods' titles, what may be read by programs their names.
  const told = lines
    .slice(2, 4)
    .map(line => cellsOf(line.slice(2, -1), '|'))
    .map(([method, ...cells]) => [methodTitle(method!), ...cells]);
  assert.deepEqual(shown, told, "the page's table is the report's");

  const peaks: PeakRow[] = JSON.parse(await printed('show', folder, '--rows', 'peaks', '--format', 'json'));
  assert.deepEqual(
    shown.map(cells => cells.slice(0, 3)),
    peaks.map(({method, learning_rate, place_from, place_to, mean, std, metric}) => [
      methodTitle(method),
      formatPlace({learningRate: learning_rate, place: [...new Set([place_from, place_to])]}),
      formatMean(mean, std, metric),
    ]),
    "the page's table is what show has",
  );
}

async function exportBest(workbench: Workbench, exported: string): Promise<void> {
  await workbench.results.locator('.bar button').filter({hasText: 'Export best'}).click();
  await workbench.page.locator('.quick-input-list .monaco-list-row', {hasText: 'PEFT adapter'}).first().click();
  await until('the exported adapter', async () => {
    await workbench.page.keyboard.press('Enter');
    await workbench.page.waitForTimeout(500);
    return existsSync(join(exported, 'adapter_model.safetensors'));
  });
}

/** The page in every theme, narrow and wide. */
async function showThemes(workbench: Workbench, workspace: Workspace): Promise<void> {
  await resultsAlone(workbench);
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
}
