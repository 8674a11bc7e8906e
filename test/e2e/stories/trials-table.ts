import assert from 'node:assert/strict';
import {serious} from '../axe.ts';
import {finishedTiny, resultsAlone, themes} from '../finished.ts';
import type {Story} from '../story.ts';
import {until} from '../until.ts';
import type {Workbench} from '../workbench.ts';
import type {Workspace} from '../workspace.ts';

export const trialsTable: Story = {
  sentence:
    'Trials are sorted, filtered, compared and run again from a table; a press on a point opens its trial, its answers stand side by side',
  async play({workspace, open}) {
    const workbench = await finishedTiny(workspace, open);
    await until('the table', async () => (await rows(workbench)).length === 6);
    await resultsAlone(workbench);
    await sortAndFilter(workbench);
    await compareTwo(workbench);
    await pressPoint(workbench);
    await readAnswers(workbench);
    await inAllThemes(workbench, workspace);
    await copyAndRerun(workbench);
    assert.deepEqual(workbench.violations, [], 'the content security policy holds');
  },
};

/** The cells of each row, the box left out. */
async function rows({results}: Workbench): Promise<string[][]> {
  const texts = await results.locator('#trials table.sorted tbody tr').allInnerTexts();
  return texts.map(text => text.split('\t').slice(1));
}

const byId = ({results}: Workbench, id: string) => results.locator(`[id="${id}"]`);

async function sortAndFilter(workbench: Workbench): Promise<void> {
  const headings = await workbench.results.locator('#trials table.sorted thead th').allInnerTexts();
  const at = headings.findIndex(text => text.startsWith('loss')) - 1;
  const losses = async () => (await rows(workbench)).map(cells => Number(cells[at]));
  await byId(workbench, 'sort by loss').click();
  await until('rising losses', async () => isRising(await losses()));
  await byId(workbench, 'sort by loss').click();
  await until('falling losses', async () => isRising((await losses()).reverse()));
  await byId(workbench, 'filter of trials').fill('pissa');
  await until('PiSSA alone', async () => (await rows(workbench)).length === 3);
  assert.ok((await rows(workbench)).every(([method]) => method === 'PiSSA'));
  await byId(workbench, 'filter of trials').fill('');
  await until('all trials', async () => (await rows(workbench)).length === 6);
  await byId(workbench, 'columns of trials').click();
  await byId(workbench, 'column time').click();
  await until('no time', async () => !(await headingsOf(workbench)).includes('time'));
  await byId(workbench, 'columns of trials').click();
  await workbench.screenshot('trials-sorted');
}

const headingsOf = async ({results}: Workbench) =>
  (await results.locator('#trials table.sorted thead th').allInnerTexts()).map(text => text.trim());

const isRising = (numbers: number[]): boolean => numbers.every((one, k) => k === 0 || one >= numbers[k - 1]!);

async function compareTwo(workbench: Workbench): Promise<void> {
  const boxes = workbench.results.locator('#trials table.sorted tbody input');
  await boxes.nth(0).click();
  await boxes.nth(5).click();
  await byId(workbench, 'chosen: Compare').click();
  const panel = workbench.results.locator('#panel');
  await panel.locator('canvas').first().waitFor();
  await until('what differs', async () => /learning rate/.test(await panel.innerText()));
  await workbench.screenshot('trials-compared');
  assert.deepEqual(await serious(await workbench.resultsFrame()), [], 'axe on the comparison');
  await byId(workbench, 'close panel').click();
  await panel.waitFor({state: 'detached'});
}

/** Where the chart of peaks has its points is not known here: the pointer goes over it until it speaks of one. */
async function pressPoint(workbench: Workbench): Promise<void> {
  const {page, results} = workbench;
  const canvas = results.locator('section.card canvas').first();
  const frame = await workbench.resultsFrame();
  // What stands above it is longer or shorter.
  await frame.evaluate('document.querySelector("section.card canvas").scrollIntoView({block: "center"})');
  const box = await canvas.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  const panel = results.locator('#panel');
  await panel.waitFor();
  const text = await panel.innerText();
  for (const part of [/Settings/, /Curve/, /Log/, /learning rate/, /alpha/, /started, \d+ steps/, /finished in/])
    assert.match(text, part);
  await workbench.screenshot('trial-opened');
  assert.deepEqual(await serious(await workbench.resultsFrame()), [], 'axe on a trial');
}

async function readAnswers(workbench: Workbench): Promise<void> {
  const panel = workbench.results.locator('#panel');
  await byId(workbench, 'panel: Answers').click();
  await panel.locator('.answer').first().waitFor();
  const text = await panel.innerText();
  assert.match(text, /\d+ of 32 right/);
  for (const part of [/Prompt/, /Expected/, /Answer/, /Found in it/]) assert.match(text, part);
  await workbench.screenshot('answers-of-one');
  const select = await workbench.resultsFrame();
  await select.evaluate(
    '{const s = document.getElementById("answers beside"); s.selectedIndex = [...s.options].findIndex(o => o.value.startsWith("lora-") && o.value.includes("lr1.00e-1")); s.dispatchEvent(new Event("change"))}',
  );
  await until('two trials side by side', async () => /they differ on \d+/.test(await panel.innerText()));
  await workbench.screenshot('answers-side-by-side');
  await byId(workbench, 'wrong answers only').click();
  await until('wrong answers alone', async () => {
    const texts = await panel.locator('.answer').allInnerTexts();
    return texts.length > 0 && texts.every(one => one.includes('✗ wrong'));
  });
  assert.match(await panel.innerText(), /they differ on \d+/, 'there are still two');
  await workbench.screenshot('answers-wrong-only');
  assert.deepEqual(await serious(await workbench.resultsFrame()), [], 'axe on answers');
}

async function inAllThemes(workbench: Workbench, workspace: Workspace): Promise<void> {
  for (const [theme, kind] of Object.entries(themes)) {
    await workspace.setTheme(theme);
    await workbench.results.locator(`body.${kind}`).waitFor();
    for (const width of [420, 1280, 1920]) {
      await workbench.page.setViewportSize({width: width + 60, height: 900});
      await workbench.page.waitForTimeout(700);
      await workbench.screenshot(`answers-panel-${kind}-${width}`);
    }
    assert.deepEqual(await serious(await workbench.resultsFrame()), [], `axe on answers in ${theme}`);
  }
  await workbench.page.setViewportSize({width: 1280, height: 800});
  await byId(workbench, 'close panel').click();
  const frame = await workbench.resultsFrame();
  for (const width of [420, 1280]) {
    await workbench.page.setViewportSize({width: width + 60, height: 900});
    await workbench.page.waitForTimeout(700);
    await frame.evaluate('document.getElementById("trials").scrollIntoView()');
    await workbench.page.waitForTimeout(700);
    await workbench.screenshot(`trials-table-${width}`);
  }
  assert.deepEqual(await serious(frame), [], 'axe on the table');
  await workbench.page.setViewportSize({width: 1280, height: 800});
}

async function copyAndRerun(workbench: Workbench): Promise<void> {
  const {page} = workbench;
  await byId(workbench, 'chosen: Choose none').click();
  await workbench.results.locator('#trials table.sorted tbody input').nth(0).click();
  await byId(workbench, 'chosen: Copy as sweep file').click();
  await page.locator('.tab.active', {hasText: /Untitled|name: tiny/}).waitFor();
  await until('the copy', async () => /name: tiny-\w+/.test(await workbench.editor.text()));
  await page.locator('.tab', {hasText: 'Results: tiny'}).first().click();
  await byId(workbench, 'chosen: Rerun').click();
  await workbench.notification(/finished: /).waitFor();
}
