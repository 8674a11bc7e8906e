/** The page of a run outside of the editor, with what it measures of itself. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Page} from '../../e2e/driver.ts';

const root = join(import.meta.dirname, '../../..');

/** The page as the editor shows it, with the editor's interface in front. */
export async function writePage(file: string): Promise<void> {
  const [script, style] = await Promise.all(
    ['report.js', 'report.css'].map(name => readFile(join(root, 'dist/webviews', name), 'utf8')),
  );
  const api =
    'const kept = {}; const acquireVsCodeApi = () => ({postMessage() {}, getState: () => kept, setState() {}});';
  const safe = (text = '') => text.replace(/<\/(script|style)/gi, '<\\/$1');
  await writeFile(
    file,
    `<!doctype html><meta charset="utf-8"><style>${safe(style)}</style><body class="vscode-light"><main></main><script>${api}${measuring}</script><script>${safe(script)}</script></body>`,
  );
}

/** What the page measures of itself: milliseconds from an update to its painting, and the times of its frames. */
const measuring = `
  const times = [];
  const tick = now => {
    times.push(now);
    requestAnimationFrame(tick);
  };
  const show = message => new Promise(resolve => {
    const from = performance.now();
    window.postMessage(message, '*');
    const painted = () => requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)));
    setTimeout(() => requestAnimationFrame(painted));
  });`;

/** Hands the page a message; milliseconds until what it changes is painted. */
export async function painted(page: Page, message: object): Promise<number> {
  return page.evaluate<number, undefined>(`show(${JSON.stringify(message)})`);
}
