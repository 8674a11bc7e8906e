import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import type {Locator} from '../../driver.ts';
import {themes} from '../../finished.ts';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';
import type {Workbench} from '../../workbench.ts';
import type {Workspace} from '../../workspace.ts';

export const history: Story = {
  sentence:
    'A run from scratch keeps the earlier one under the sweep: named, noted, compared, put away and deleted from there',
  async play({workspace, open}) {
    const file = await workspace.writeSweep({name: 'twice', seconds: 1});
    const workbench = await open(file);
    const {editor, trials} = workbench;
    await trials.open();
    await editor.lens('Run 6 trials').click();
    await workbench.notification(/twice finished: /).waitFor();

    const kept = await freshRun(workspace, workbench);
    const named = await labelled(workspace, workbench, kept);
    await compared(workspace, workbench, named);
    await putAway(workspace, workbench, {kept, named});
  },
};

/** Another number of steps: the run that is there cannot go on, and the way out is a button. The name that it is kept by. */
async function freshRun(workspace: Workspace, workbench: Workbench): Promise<string> {
  await workspace.write(
    'twice.sweep.yaml',
    (await workspace.text('twice.sweep.yaml')).replace(/steps: \d+/, 'steps: 3'),
  );
  await workbench.editor.where('steps: 3');
  await workbench.command('LoRA Sweep: Resume');
  const refused = workbench.notification(/begin anew with --fresh/);
  await refused.waitFor();
  await workbench.screenshot('history-refused');
  await workbench.press(refused, 'Run from Scratch');
  const runs = join(workspace.folder, '.lora-sweep');
  const kept = await until('the run under its date', async () =>
    (await readdir(runs)).find(name => name.startsWith('twice@')),
  );
  await until('the end of the second run', async () => {
    const events = await workspace.text('.lora-sweep/twice/events.jsonl').catch(() => '');
    return events.includes('"run-ended"');
  });
  return kept;
}

/** A name, tags and a note; the row of the earlier run. */
async function labelled(workspace: Workspace, workbench: Workbench, kept: string): Promise<Locator> {
  await workbench.row('History').click();
  const earlier = workbench.row(/^\d{4}-\d\d-\d\d \d\d:\d\d, finished, finished · 6\/6/);
  await earlier.waitFor();
  await workbench.row(/present run · /).waitFor();
  await workbench.screenshot('history');
  await workbench.choose(earlier, 'Name…');
  await workbench.type('eight steps');
  const named = workbench.row(/^eight steps, finished/);
  await named.waitFor();
  await workbench.choose(named, 'Tags…');
  await workbench.type('paper, first');
  await workbench.row(/^eight steps, .*#paper · #first/).waitFor();
  await workbench.choose(named, 'Note…');
  await workbench.type('before the steps ⏎ were few');
  await until('the note in the run', async () => {
    const {name, note, tags} = JSON.parse(await workspace.text(`.lora-sweep/${kept}/about.json`));
    return JSON.stringify([name, note, tags]) === '["eight steps","before the steps\\nwere few",["paper","first"]]';
  });
  return named;
}

/** Sweep files side by side, and the results of the earlier run. */
async function compared(workspace: Workspace, workbench: Workbench, named: Locator): Promise<void> {
  const {page} = workbench;
  await workbench.choose(named, 'Compare with the Sweep File');
  const sides = page.locator('.monaco-diff-editor .editor');
  await until('both sweep files', async () => {
    const texts = (await sides.allInnerTexts()).map(text => text.replaceAll('\u00a0', ' '));
    return texts.length >= 2 && !texts[0]!.includes('steps: 3') && texts[1]!.includes('steps: 3');
  });
  await workbench.screenshot('history-difference');
  await workbench.choose(named, 'Compare with Another Run…');
  await page.locator('.quick-input-list .monaco-list-row').first().click();
  await page.locator('.tab', {hasText: 'eight steps ↔ 2'}).first().waitFor();
  await workbench.choose(named, 'Open Results of This Run');
  await page
    .locator('.tab', {hasText: /^Results: twice@\d{4}-/})
    .first()
    .waitFor();
  await workbench.results.locator('canvas').first().waitFor();
  await workbench.screenshot('history-results');
  for (const [theme, kind] of Object.entries(themes)) {
    await workspace.setTheme(theme);
    await workbench.results.locator(`body.${kind}`).waitFor();
    for (const width of [1920, 1280]) {
      await page.setViewportSize({width, height: 800});
      await page.waitForTimeout(500);
      await workbench.screenshot(`history-${kind}-${width}`);
    }
  }
}

async function putAway(
  workspace: Workspace,
  workbench: Workbench,
  {kept, named}: {kept: string; named: Locator},
): Promise<void> {
  const {page} = workbench;
  const runs = join(workspace.folder, '.lora-sweep');
  await workbench.choose(named, 'Archive');
  await workbench.row('Archived').click();
  await named.waitFor();
  await workbench.choose(named, 'Bring Back');
  await workbench.row('Archived').waitFor({state: 'hidden'});
  await workbench.choose(named, 'Delete…');
  await page.locator('.monaco-dialog-box', {hasText: 'Delete the run eight steps'}).first().waitFor();
  await workbench.screenshot('history-delete');
  await page.keyboard.press('Escape');
  await page.waitForTimeout(500);
  assert.ok(existsSync(join(runs, kept)), 'nothing is deleted unasked');
  await workbench.choose(named, 'Delete…');
  await workbench.answer('Move to Trash');
  // A machine behind a browser has none.
  await workbench.answer('Delete for Good');
  await named.waitFor({state: 'hidden'});
  assert.deepEqual(
    (await readdir(runs)).filter(name => name.startsWith('twice')),
    ['twice'],
  );
}
