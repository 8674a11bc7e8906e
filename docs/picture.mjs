/**
 * Makes docs/pictures/peaks.png, the picture in README.md, from a report: `npm run picture` after `npm run demo`.
 * Needs Chromium or Chrome (CHROMIUM names the program).
 */
import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath, pathToFileURL} from 'node:url';

const report = fileURLToPath(new URL('../report.html', import.meta.url));
if (!existsSync(report)) throw new Error('There is no report.html; run `npm run demo` first.');
const picture = fileURLToPath(new URL('pictures/peaks.png', import.meta.url));
execFileSync(process.env.CHROMIUM ?? 'chromium', [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--hide-scrollbars',
  '--window-size=1100,860',
  '--virtual-time-budget=3000',
  `--screenshot=${picture}`,
  pathToFileURL(report).href,
]);
console.log(`Written to ${picture}`);
