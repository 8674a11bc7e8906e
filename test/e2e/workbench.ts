/** A window of the workbench with the extension in it, as a user sees it. */
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Browser, Frame, Locator, Page} from './driver.ts';
import {Editor} from './editor.ts';
import type {Server} from './server.ts';
import {Trials} from './trials.ts';
import {hangMilliseconds, until} from './until.ts';

export interface Opening {
  browser: Browser;
  server: Server;
  /** Folder to work in. */
  folder: string;
  /** A file of it to begin with. */
  file?: string;
  /** Where pictures and texts of the page go. */
  artefacts: string;
}

export class Workbench {
  readonly page: Page;
  readonly editor: Editor;
  readonly trials: Trials;
  readonly #artefacts: string;
  readonly #said: string[] = [];

  private constructor(page: Page, artefacts: string) {
    this.page = page;
    this.editor = new Editor(page);
    this.trials = new Trials(page);
    this.#artefacts = artefacts;
    page.on('console', message => this.#said.push(`${message.type()}: ${message.text()}`));
  }

  static async open({browser, server, folder, file, artefacts}: Opening): Promise<Workbench> {
    const page = await browser.newPage({viewport: {width: 1280, height: 800}});
    // A story that does not go on is noticed by who plays it.
    page.setDefaultTimeout(hangMilliseconds);
    const payload = file === undefined ? [] : [['openFile', `vscode-remote://${server.authority}${file}`]];
    const query = `folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
    await page.goto(`http://${server.authority}/?${query}`);
    await page.locator('.monaco-workbench').waitFor();
    return new Workbench(page, artefacts);
  }

  /**
   * Loads the window anew with the editors that were open, once `kept` is in what the workbench has saved of them: it saves
   * when it is idle. A window that is asked to open a file restores none.
   */
  async reload(kept: RegExp): Promise<void> {
    await until(`${kept} in what the workbench keeps`, async () => kept.test(await this.page.evaluate(savedState)));
    const address = new URL(this.page.url());
    address.searchParams.delete('payload');
    await this.page.goto(String(address));
    await this.page.locator('.monaco-workbench').waitFor();
  }

  /** Runs a command by its title in the palette. */
  async command(title: string): Promise<void> {
    const row = this.page.locator('.quick-input-list .monaco-list-row', {hasText: title}).first();
    const box = this.page.locator('.quick-input-widget input').first();
    await until(`the command "${title}"`, async () => {
      await this.page.keyboard.press('F1');
      // A window whose focus is on its way into a page loses the key.
      await box.fill(`>${title}`, {timeout: menuMilliseconds}).catch(() => {});
      await this.page.waitForTimeout(500);
      if (await row.isVisible()) return true;
      await this.page.keyboard.press('Escape');
      return false;
    });
    await row.click();
  }

  /** Rows of the Problems view, which it opens. */
  async problems(): Promise<Locator> {
    const view = this.page.locator('.markers-panel, .markers-panel-container').first();
    if (!(await view.isVisible())) await this.page.keyboard.press('Control+Shift+M');
    await view.waitFor();
    return view.locator('.monaco-list-row');
  }

  /** The extension's item in the status bar. */
  get status(): Locator {
    return this.page.locator('.statusbar-item[id*="loraSweep.status"]');
  }

  /** A notification that contains `text`. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item', {hasText: text}).first();
  }

  /** Presses a button of a notification. */
  async press(notification: Locator, button: string): Promise<void> {
    await notification.locator('.monaco-button', {hasText: button}).first().click();
  }

  /** A row of a tree in the side bar, by what a screen reader says of it. */
  row(label: string | RegExp): Locator {
    const name = typeof label === 'string' ? new RegExp(`^${label}`) : label;
    return this.page.locator('.sidebar').first().getByRole('treeitem', {name}).first();
  }

  /** Chooses from the menu of a row. A menu may go before it is pressed: its row was drawn anew; then it is opened again. */
  async choose(row: Locator, item: string): Promise<void> {
    const entry = this.page.locator('.monaco-menu .action-item .action-label:visible', {hasText: item}).first();
    const isDone = (press: Promise<void>): Promise<boolean> =>
      press.then(
        () => true,
        () => false,
      );
    await until(`"${item}" to be chosen`, async () => {
      if (!(await isDone(row.click({button: 'right', timeout: menuMilliseconds})))) return false;
      // A menu that has just been opened takes no press for a moment.
      for (;;) {
        if (!(await isDone(entry.click({timeout: menuMilliseconds})))) break;
        if (await isDone(entry.waitFor({state: 'hidden', timeout: 1000}))) return true;
      }
      await this.page.keyboard.press('Escape');
      return false;
    });
  }

  /** Fills the box that is open. */
  async type(text: string): Promise<void> {
    const box = this.page.locator('.quick-input-widget .quick-input-box input').first();
    await box.waitFor();
    await box.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Presses a button of the dialog that is open. */
  async answer(button: string): Promise<void> {
    await this.page.locator('.monaco-dialog-box .monaco-button', {hasText: button}).first().click();
  }

  /** The page of the results panel. */
  get results(): {locator(selector: string): Locator} {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /** Its document, for scripts that look at all of it. */
  async resultsFrame(): Promise<Frame> {
    for (const frame of this.page.frames()) if ((await frame.locator('main h1').count()) > 0) return frame;
    throw new Error('No results are shown.');
  }

  /** What the console said of the content security policies of pages. */
  get violations(): string[] {
    return this.#said.filter(line => /Content Security Policy/i.test(line));
  }

  /** A picture of the window. */
  async screenshot(name: string): Promise<void> {
    await mkdir(this.#artefacts, {recursive: true});
    await this.page.screenshot({path: join(this.#artefacts, `${name}.png`)});
  }

  /** What can be said about a failure: a picture, the page's text and what its console said. */
  async evidence(name: string): Promise<void> {
    await this.screenshot(name);
    const text = await this.page.locator('body').innerText();
    await writeFile(join(this.#artefacts, `${name}.txt`), `${text}\n\n== console\n${this.#said.join('\n')}\n`);
    // Where only the output is kept, the page's words are all that tells what was to be seen.
    const words = text.split(/\s*\n\s*/).filter(line => line.length > 1);
    console.error(`the page says:\n  ${words.slice(0, 120).join('\n  ').slice(0, 6000)}`);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

/** A menu that was asked for is there by then, or not at all. */
const menuMilliseconds = 10_000;

/** Runs in the page: all that its databases hold, as text. */
const savedState = `(async () => {
  const done = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const texts = [];
  for (const {name} of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames)
      texts.push(...(await done(database.transaction(store).objectStore(store).getAll())).map(String));
    database.close();
  }
  return texts.join('\\n');
})()`;
