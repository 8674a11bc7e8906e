/** The browser's driver, and the parts of it that are used here: it is installed apart, without its types. */
import {createRequire} from 'node:module';
import {join} from 'node:path';
import type {Installation} from './install.ts';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Wait {
  timeout?: number;
}

export interface Locator {
  locator(selector: string, options?: {hasText?: string | RegExp}): Locator;
  filter(options: {hasText: string | RegExp}): Locator;
  getByRole(role: string, options: {name: string | RegExp}): Locator;
  first(): Locator;
  last(): Locator;
  nth(index: number): Locator;
  count(): Promise<number>;
  hover(): Promise<void>;
  click(options?: Wait & {button?: 'left' | 'right'}): Promise<void>;
  fill(text: string, options?: {timeout?: number}): Promise<void>;
  isVisible(): Promise<boolean>;
  waitFor(options?: Wait & {state?: 'visible' | 'hidden' | 'attached' | 'detached'}): Promise<void>;
  boundingBox(): Promise<Box | null>;
  innerText(): Promise<string>;
  allInnerTexts(): Promise<string[]>;
  evaluateAll<Result>(work: (elements: PageElement[]) => Result): Promise<Result>;
}

/** What runs in the page sees of an element. */
export interface PageElement {
  getAttribute(name: string): string | null;
  textContent: string | null;
}

/** A document within a page. */
export interface Frame {
  locator(selector: string): Locator;
  evaluate<Result>(work: string): Promise<Result>;
}

export interface Page {
  frames(): Frame[];
  setViewportSize(size: {width: number; height: number}): Promise<void>;
  goto(address: string): Promise<unknown>;
  url(): string;
  locator(selector: string, options?: {hasText?: string | RegExp}): Locator;
  frameLocator(selector: string): {frameLocator(selector: string): {locator(selector: string): Locator}};
  evaluate<Result, Argument>(work: string | ((argument: Argument) => Result), argument?: Argument): Promise<Result>;
  keyboard: {press(key: string): Promise<void>; type(text: string, options?: {delay?: number}): Promise<void>};
  mouse: {
    move(x: number, y: number): Promise<void>;
    click(x: number, y: number): Promise<void>;
    wheel(x: number, y: number): Promise<void>;
  };
  screenshot(options: {path: string}): Promise<unknown>;
  waitForTimeout(milliseconds: number): Promise<void>;
  setDefaultTimeout(milliseconds: number): void;
  on(event: 'console', listener: (message: {type(): string; text(): string}) => void): void;
  close(): Promise<void>;
}

export interface Browser {
  newPage(options: {viewport: {width: number; height: number}; deviceScaleFactor?: number}): Promise<Page>;
  close(): Promise<void>;
}

interface Launch {
  executablePath: string;
  headless: boolean;
  args: string[];
  handleSIGINT: boolean;
  handleSIGTERM: boolean;
  handleSIGHUP: boolean;
}

interface Playwright {
  chromium: {launch(options: Launch): Promise<Browser>};
}

const flags = [
  // Chromium's sandbox cannot be had as root or in a container; the page is our own server's.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the browser, without a window. */
export function openBrowser({folder, chromium}: Installation): Promise<Browser> {
  const require = createRequire(join(folder, 'package.json'));
  const playwright = require('playwright-core') as Playwright;
  // Signals are the caller's: the browser is not all that has to be closed.
  const signals = {handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false};
  return playwright.chromium.launch({executablePath: chromium, headless: true, args: flags, ...signals});
}
