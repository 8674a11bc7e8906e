/** `report`: a run as one page that needs nothing else, and as Markdown. */
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunState} from '../../core/run/fold.ts';
import {coarsen, type Series} from '../../core/run/series/series.ts';
import {writeWhole} from '../files/write-whole.ts';
import {readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {recordLines} from './record-lines.ts';
import {readFolders, togetherName} from './several.ts';
import {markdownSummary} from './summary.ts';

/** The browser's part of the page, as it was bundled. */
export interface Bundle {
  script: string;
  style: string;
}

/**
 * Writes `out` (by default report.html in the run folder; of several runs, which are read as one, a page beside the first) and the Markdown beside it.
 * @throws SweepError `no-run`, `not-built`, `cannot-write`
 */
export async function writeReport(
  folders: string | readonly string[],
  out?: string,
): Promise<{page: string; summaryFile: string; summary: string; remarks: string[]}> {
  const paths = [folders].flat();
  const [folder] = paths as [string];
  const {state, remarks} = await readFolders(paths);
  const isOne = paths.length === 1;
  const page =
    out ?? (isOne ? join(folder, 'report.html') : join(dirname(resolve(folder)), `${togetherName(paths)}.html`));
  const summaryFile = `${page.replace(/\.html?$/i, '')}.md`;
  const manifest = !isOne || state.engine === 'imported' ? null : readManifest(join(folder, manifestName));
  const summary = [markdownSummary(state), ...(manifest ? recordLines(manifest) : [])].join('\n');
  writeWhole(resolve(page), reportPage(state, readBundle()));
  writeWhole(resolve(summaryFile), summary);
  return {page, summaryFile, summary, remarks};
}

/** The page; nothing in it is loaded from elsewhere, and nothing but its own script can run in it. */
export function reportPage(state: RunState, bundle: Bundle): string {
  const script = bundle.script.trim().replace(/<\/(script)/gi, '<\\/$1');
  const style = bundle.style.trim().replace(/<\/(style)/gi, '<\\/$1');
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="LoRA Sweep">
<title>${escaped(state.name)} · LoRA Sweep</title>
<style>${style}</style>
</head>
<body>
<main><noscript>This page draws its charts with a script of its own, which is switched off here.</noscript></main>
<script type="application/json" id="run">${embedded(forPage(state))}</script>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** JSON that cannot end the element it stands in. */
function embedded(state: RunState): string {
  const shortened = JSON.stringify(state, (_, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(7)) : value,
  );
  return shortened.replace(/</g, '\\u003c');
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}

/** A small chart is some 300 pixels wide. */
const curvePoints = 150;

/** What the page draws, no finer than it can show. */
function forPage(state: RunState): RunState {
  return {
    ...state,
    trials: state.trials.map(view => ({
      ...view,
      losses: lineOf(view.losses),
      gradNorms: lineOf(view.gradNorms),
      rates: lineOf(view.rates),
    })),
  };
}

/** No chart draws the extremes within a bucket. */
function lineOf(series: Series): Series {
  return {...coarsen(series, curvePoints), minima: [], maxima: []};
}

/** Seen from the bundle in dist/trainer, and from the source tree. */
const places = ['../webviews/', '../../dist/webviews/'];

function readBundle(): Bundle {
  for (const place of places) {
    const [script, style] = ['report.js', 'report.css'].map(name => new URL(`${place}${name}`, import.meta.url));
    if (!script || !style || !existsSync(script) || !existsSync(style)) continue;
    return {script: readFileSync(script, 'utf8'), style: readFileSync(style, 'utf8')};
  }
  throw new SweepError('not-built', 'The report page is not built yet: run `npm run build` first.');
}
