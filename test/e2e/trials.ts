/** The tree of trials: sweep → method → rate → seed. */
import type {Locator, Page} from './driver.ts';
import {until} from './until.ts';

export interface TrialRow {
  level: number;
  /** As a screen reader says it: label, state, description. */
  label: string;
  expanded: boolean | undefined;
}

export class Trials {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Shows the view, unless it is shown already. */
  async open(): Promise<void> {
    const icon = this.#page.locator('.activitybar .action-label[aria-label^="LoRA Sweep"]').first();
    await until('the tree of trials', async () => {
      if (await this.#rows.first().isVisible()) return true;
      // A window that comes back opens the view itself, and a click would close it.
      await this.#page.waitForTimeout(1000);
      if (!(await this.#view.isVisible())) await icon.click();
      return false;
    });
  }

  /** Opens every branch of trials: earlier runs are asked for by a process of its own. */
  async expand(): Promise<void> {
    const closed = this.#view.locator(
      '.monaco-list-row[aria-expanded="false"]:not([aria-label^="History"]) .monaco-tl-twistie',
    );
    await until('all branches of the tree open', async () => {
      const count = await closed.count();
      if (count === 0) return true;
      // The rows move while they open.
      await closed.first().click();
      await this.#page.waitForTimeout(150);
      return false;
    });
  }

  /** Rows as they are drawn now. */
  rows(): Promise<TrialRow[]> {
    return this.#rows.evaluateAll(elements =>
      elements.map(element => {
        const expanded = element.getAttribute('aria-expanded');
        return {
          level: Number(element.getAttribute('aria-level')),
          label: element.getAttribute('aria-label') ?? '',
          expanded: expanded === null ? undefined : expanded === 'true',
        };
      }),
    );
  }

  /** How many trials are in a state: waiting, running, finished, stopped, failed. */
  async count(state: string): Promise<number> {
    return (await this.rows()).filter(({level, label}) => level === 4 && label.includes(`, ${state}`)).length;
  }

  /** Waits until at least so many trials are in a state. */
  async see(number: number, state: string): Promise<void> {
    await until(`${number} ${state} in the tree`, async () => (await this.count(state)) >= number);
  }

  /** Waits for a run in its middle: one trial is done, or none is left to wait for. */
  async seeMiddle(): Promise<void> {
    await until('a run under way', async () => {
      const [finished, running, waiting] = await Promise.all(
        ['finished', 'running', 'waiting'].map(state => this.count(state)),
      );
      return finished !== 0 || (running !== 0 && waiting === 0);
    });
  }

  get #view(): Locator {
    return this.#page.locator('.sidebar .tree-explorer-viewlet-tree-view').first();
  }

  get #rows(): Locator {
    return this.#view.locator('.monaco-list-row[role="treeitem"]');
  }
}
