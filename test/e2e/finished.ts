/** Where many stories begin: a small sweep that is trained, and its results. */
import {until} from './until.ts';
import type {Workbench} from './workbench.ts';
import type {Workspace} from './workspace.ts';

/** Trains `tiny`, six trials, and opens its results. */
export async function finishedTiny(
  workspace: Workspace,
  open: (file: string) => Promise<Workbench>,
): Promise<Workbench> {
  const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 8}));
  const {editor, trials, results} = workbench;
  await trials.open();
  await editor.lens('Run 6 trials').click();
  await trials.expand();
  await until('all trials finished', async () => (await trials.count('finished')) === 6);
  await editor.lens('Open results').click();
  await results.locator('canvas').first().waitFor();
  return workbench;
}

/** Leaves nothing in the window but the results, so that the page is about as wide. */
export async function resultsAlone(workbench: Workbench): Promise<void> {
  await workbench.page.keyboard.press('Control+B');
  await workbench.page.locator('.tab', {hasText: 'Results: '}).first().click();
  await workbench.command('View: Close Editors in Other Groups');
}

/** Names of themes and what pages call their kinds. */
export const themes = {
  'Default Light Modern': 'vscode-light',
  'Default Dark Modern': 'vscode-dark',
  'Default High Contrast': 'vscode-high-contrast',
};

/** The table of peaks of the first comparison. */
export const peakRows = (workbench: Workbench) =>
  workbench.results.locator('section').first().locator('.scroller').last().locator('tbody tr');
