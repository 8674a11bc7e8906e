/**
 * The page of a long run while it is read: the reader of the extension in this process, the page in a Chromium without a GPU, and between
 * them what the editor sends. What the workbench takes to show a page at all is not in it.
 */
import {rename} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Follower} from '../../../client/run/follow.ts';
import {emptyRun} from '../../../core/run/fold.ts';
import type {RunMessage} from '../../../core/run/page-messages.ts';
import {snapshotName} from '../../../core/run/snapshot.ts';
import {inPieces} from '../../../core/run/update.ts';
import type {Browser} from '../../e2e/driver.ts';
import type {Section} from '../pages/part.ts';
import {painted} from '../pages/shown-page.ts';
import {longTrials} from '../worlds/long-run.ts';

/** As client/run looks, and as client/results cuts. */
const [tellEvery, mostTrials] = [400, 20];

interface Opening {
  /** From the page's call to the first words that are painted. */
  first: number;
  /** From sending words of how far it is read to their painting, the longest. */
  longest: number;
  words: number;
  /** From the page's call to all of the run. */
  shown: number;
}

async function open(browser: Browser, file: string, folder: string): Promise<Opening> {
  const page = await browser.newPage({viewport: {width: 1200, height: 900}});
  const follower = new Follower(folder);
  const began = performance.now();
  const reading = follower.read();
  await page.goto(pathToFileURL(file).href);
  let [first, longest, words] = [0, 0, 0];
  const tell = async (): Promise<void> => {
    const part = follower.part;
    if (part === null) return;
    const from = performance.now();
    await painted(page, {type: 'reading', part});
    const now = performance.now();
    if (words === 0) first = now - began;
    longest = Math.max(longest, now - from);
    words++;
  };
  let isRead = false;
  const read = reading.then(() => {
    isRead = true;
  });
  while (!isRead) {
    await tell();
    await Promise.race([read, new Promise(resolve => setTimeout(resolve, tellEvery))]);
  }
  let isFirst = true;
  for (const {update, more} of inPieces(emptyRun, follower.state(false), new Set(['losses']), mostTrials)) {
    const message: Partial<RunMessage> = {
      type: 'run',
      first: isFirst,
      more,
      update,
      alive: false,
      folder,
      sweepFile: '',
    };
    isFirst = false;
    await painted(page, message);
  }
  const shown = performance.now() - began;
  await page.close();
  return {first: words === 0 ? shown : first, longest, words, shown};
}

/** A run of `worlds/long-run`. */
interface LongRun {
  folder: string;
  steps: number;
  /** Of its events. */
  bytes: number;
}

/** @param file the page */
export async function longPage(browser: Browser, file: string, {folder, steps, bytes}: LongRun): Promise<Section> {
  const snapshot = join(folder, snapshotName);
  // A browser's first page takes longer.
  await open(browser, file, folder);
  const known = await open(browser, file, folder);
  await rename(snapshot, `${snapshot}.aside`);
  const read = await open(browser, file, folder);
  const row = (what: string, of: (opening: Opening) => string, goal = '') => [what, of(known), of(read), goal];
  const ms = (milliseconds: number) => `${Math.round(milliseconds)} ms`;
  return {
    title: 'The page of a long run while it is read',
    introduction: `${longTrials} trials × ${steps.toLocaleString('en-US')} steps, ${(bytes / 1e6).toFixed(0)} MB of events, Chromium without a GPU. By the clock, from the page's call.`,
    table: [
      ['what', 'from its snapshot', 'from its events', 'goal'],
      row('the page says something', ({first}) => ms(first), '< 500 ms'),
      row('words of how far it is read', ({words}) => String(words)),
      row('such words painted, the longest', ({longest}) => ms(longest), '< 500 ms'),
      row('the run is shown', ({shown}) => ms(shown)),
    ],
    sentences: [],
  };
}
