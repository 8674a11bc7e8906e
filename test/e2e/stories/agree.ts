import assert from 'node:assert/strict';
import type {Story} from '../story.ts';
import {until} from '../until.ts';
import type {Workbench} from '../workbench.ts';

/** Different times that are seen. */
const looks = 8;

/** `… left`: the words between what stands before them and the end. */
const leftIn = (text: string): string =>
  /((?:\d+ h )?(?:\d+ min )?[\d.]+ (?:s|min)) left/.exec(text.replaceAll('\u00a0', ' '))?.[1] ?? '';

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
    // From the first word on: on a busy machine a view may still show what was said before the others were there.
    await page.evaluate(remember);
    await editor.lens('Run 6 trials').click();
    await editor.lens('Open results').click();
    await results.locator('.figures').filter({hasText: ' left'}).first().waitFor();
    await editor.saying(' left').waitFor();
    const times = new Set<string>();
    // They are read one after another while the time goes on: each says nothing but what the status bar says or has said.
    await until(`${looks} remaining times that all four say`, async () => {
      const {said, history} = await look(workbench);
      const now = history.at(-1) ?? '';
      const before = history.filter(time => time !== '');
      if (now === '' || said.some(time => time === '')) return false;
      for (const time of said) if (before.includes(time)) times.add(time);
      for (const time of said) assert.ok(before.includes(time), `${time}: ${before.join(', ')}`);
      return times.size >= looks;
    });
    await workbench.screenshot('agree');
    await editor.lens('Stop').click();
  },
};
