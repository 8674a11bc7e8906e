/** The text editor: what stands where, hover, completion, lenses, problems and their fixes. */
import type {Box, Locator, Page} from './driver.ts';
import {until} from './until.ts';

interface TextNode {
  data: string;
}

/** What `boxOf` uses of the page that it runs in. */
declare const document: {
  querySelectorAll(selector: string): Iterable<object>;
  createTreeWalker(root: object, show: number): {nextNode(): TextNode | null};
  createRange(): {
    setStart(node: TextNode, offset: number): void;
    setEnd(node: TextNode, offset: number): void;
    getBoundingClientRect(): Box;
  };
};

export class Editor {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Lines under an error's squiggle. */
  get squiggles(): Locator {
    return this.#page.locator('.monaco-editor .squiggly-error');
  }

  /** Waits until a word is drawn, and answers where. */
  where(word: string): Promise<Box> {
    return until(`"${word}" in the editor`, () => this.#page.evaluate(boxOf, word));
  }

  /** Puts the cursor into a word. */
  async click(word: string): Promise<void> {
    const {x, y, width, height} = await this.where(word);
    await this.#page.mouse.click(x + width / 2, y + height / 2);
  }

  /** Points at a word and answers the hover's text once it contains `part`. */
  async hover(word: string, part: string): Promise<string> {
    return until(`a hover of "${word}" that says "${part}"`, async () => {
      const {x, y, width, height} = await this.where(word);
      // A hover that came before the server knew enough is left, and asked for again.
      await this.#page.mouse.move(0, 0);
      await this.#page.locator('.monaco-hover:visible').first().waitFor({state: 'hidden'});
      await this.#page.mouse.move(x + width / 2, y + height / 2);
      await this.#page.waitForTimeout(700);
      const texts = await this.#page.locator('.monaco-hover:visible').allInnerTexts();
      return texts.map(plain).find(text => text.includes(part));
    });
  }

  /** Shows the end of the hover that is open. */
  async scrollHover(): Promise<void> {
    const box = await this.#page.locator('.monaco-hover:visible').first().boundingBox();
    if (!box) return;
    const {x, y, width, height} = box;
    await this.#page.mouse.move(x + width / 2, y + height / 2);
    await this.#page.mouse.wheel(0, 10 * height);
    await this.#page.waitForTimeout(500);
  }

  /** Applies a quick fix to the problem at a word: by its title, or as much of it as is sure. */
  async fix(word: string, title: string): Promise<void> {
    await this.click(word);
    const action = this.#page.locator('.action-widget .monaco-list-row', {hasText: title}).first();
    await until(`the quick fix "${title}"`, async () => {
      await this.#page.keyboard.press('Control+.');
      await this.#page.waitForTimeout(700);
      return action.isVisible();
    });
    await action.click();
  }

  /** Asks for completions at the cursor and answers their labels once `label` is among them. */
  async complete(label: string): Promise<string[]> {
    return until(`the completion "${label}"`, async () => {
      await this.#page.keyboard.press('Control+Space');
      await this.#page.waitForTimeout(500);
      const rows = await this.#page.locator('.suggest-widget.visible .monaco-list-row .label-name').allInnerTexts();
      return rows.includes(label) && rows;
    });
  }

  /** Chooses a completion that is offered. */
  async accept(label: string): Promise<void> {
    await this.#page.locator('.suggest-widget.visible .monaco-list-row', {hasText: label}).first().click();
  }

  /** The lens whose title begins so. */
  lens(title: string): Locator {
    return this.#page.locator('.codelens-decoration a', {hasText: new RegExp(`^${title}`)}).first();
  }

  /** A lens that only says something. */
  saying(title: string): Locator {
    return this.#page.locator('.codelens-decoration', {hasText: title}).first();
  }

  /** The visible text. */
  async text(): Promise<string> {
    return plain((await this.#page.locator('.editor-instance .view-lines .view-line').allInnerTexts()).join('\n'));
  }
}

/** The editor draws its spaces as no-break spaces. */
function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ');
}

/** Runs in the page: where a word's first appearance is drawn. Undefined where it is not. */
function boxOf(word: string): Box | undefined {
  for (const line of document.querySelectorAll('.editor-instance .view-lines .view-line')) {
    const nodes: TextNode[] = [];
    const walker = document.createTreeWalker(line, 4);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) nodes.push(node);
    const text = nodes
      .map(({data}) => data)
      .join('')
      .replaceAll('\u00a0', ' ');
    const start = text.indexOf(word);
    if (start < 0) continue;
    const range = document.createRange();
    let offset = 0;
    for (const node of nodes) {
      const {length} = node.data;
      if (start >= offset && start < offset + length) range.setStart(node, start - offset);
      const end = start + word.length;
      if (end > offset && end <= offset + length) range.setEnd(node, end - offset);
      offset += length;
    }
    const {x, y, width, height} = range.getBoundingClientRect();
    return {x, y, width, height};
  }
  return undefined;
}
