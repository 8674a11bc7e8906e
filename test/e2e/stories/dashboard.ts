import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';

export const dashboard: Story = {
  sentence:
    'The dashboard opens from the lens, grows while the sweep trains, stops it, and keeps its view over a reload',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 120}));
    const {editor, trials} = workbench;
    await trials.open();
    await editor.lens('Run 6 trials').click();
    await trials.expand();
    await trials.see(1, 'running');
    await editor.lens('Open results').click();
    const page = workbench.results;
    const button = (text: string) => page.locator('.bar button').filter({hasText: text});
    const body = page.locator('body');
    await page.locator('canvas').first().waitFor();
    assert.match(await page.locator('h2').first().innerText(), /Training loss/, 'the live curves stand first');
    const figures = page.locator('.figures');
    const before = await figures.innerText();
    await until('new figures', async () => (await figures.innerText()) !== before);
    await button('Log steps').first().click();
    await page.locator('summary').first().click();
    await page.locator('details table').first().waitFor();
    await workbench.screenshot('dashboard-running');
    await (await workbench.resultsFrame()).evaluate('window.scrollTo(0, 300)');
    const pressed = page.locator('.bar button[aria-pressed="true"]').filter({hasText: 'Log steps'}).first();
    await pressed.waitFor();

    await workbench.reload(/scroll\W{1,12}300\b/);
    await until('the panel after the reload', async () => (await figures.innerText()) !== before);
    await pressed.waitFor();
    await until(
      'where the reader was',
      async () => (await (await workbench.resultsFrame()).evaluate('scrollY')) === 300,
    );
    await button('Stop').first().click();
    await until('the end of the process', async () => (await workspace.owner('tiny')) === undefined);
    await button('Resume').first().waitFor();
    assert.match(await body.innerText(), /stopped/);

    const kinds = {'Default Light Modern': 'vscode-light', 'Default High Contrast': 'vscode-high-contrast'};
    for (const [theme, kind] of Object.entries(kinds)) {
      await workspace.setTheme(theme);
      await page.locator(`body.${kind}`).waitFor();
      await workbench.screenshot(`dashboard-${kind}`);
    }
    assert.deepEqual(workbench.violations, [], 'the content security policy holds');
  },
};
