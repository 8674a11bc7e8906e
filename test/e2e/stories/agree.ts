import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';
import type {Workbench} from '../workbench.ts';

/** Different times that all of them are looked at. */
const looks = 8;

/** `… left`: the words between what stands before them and the end. */
const leftIn = (text: string): string => /((?:\d+ h )?(?:\d+ min )?[\d.]+ (?:s|min)) left/.exec(text)?.[1] ?? '';

/** Runs in the page: remembers all that the status bar says. */
const remember = `{
  window.saidByStatus = [];
  setInterval(() => {
    const text = document.querySelector('.statusbar-item[id*="loraSweep.status"]')?.textContent ?? '';
    if (window.saidByStatus.at(-1) !== text) window.saidByStatus.push(text);
  }, 20);
}`;

async function look({editor, trials, results, page}: Workbench): Promise<{said: string[]; history: string[]}> {
  const tree = (await trials.rows()).find(({level}) => level === 1)?.label ?? '';
  const lens = await editor.saying(' left').innerText();
  const figures = await results.locator('.figures').filter({hasText: ' left'}).first().innerText();
  const history: string[] = await page.evaluate('window.saidByStatus');
  return {said: [tree, lens, figures].map(leftIn), history: history.map(leftIn)};
}

export const agree: Story = {
  sentence: 'Lens, tree, status bar and page say the same remaining time, to the second',
  async play({workspace, open}) {
    const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds: 300}));
    const {editor, trials, results, page} = workbench;
    await trials.open();
    await editor.lens('Run 6 trials').click();
    await trials.see(1, 'running');
    await editor.lens('Open results').click();
    await results.locator('.figures').filter({hasText: ' left'}).first().waitFor();
    await editor.saying(' left').waitFor();
    await page.evaluate(remember);
    let last = '';
    for (let seen = 0; seen < looks; seen++) {
      await until('all four say the same', async () => {
        const {said, history} = await look(workbench);
        // Each has said nothing but what the status bar said, too.
        if (seen > 0) for (const one of said) assert.ok(history.includes(one), `${one}: ${history.join(', ')}`);
        const now = history.at(-1) ?? '';
        if (now === '' || now === last || said.some(one => one !== now)) return false;
        last = now;
        return true;
      });
    }
    await workbench.screenshot('agree');
    await editor.lens('Stop').click();
  },
};
