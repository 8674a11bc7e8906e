import {createHash} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {beforeAll, describe, expect, it} from 'vitest';
import {emptyRun, fold, type RunState} from '../../../core/run/fold.ts';
import {compare} from '../../../core/run/verdict.ts';
import {type Bundle, reportPage} from '../../../trainer/results/report.ts';
import {markdownSummary, textSummary} from '../../../trainer/results/summary.ts';
import {toyEvents} from '../../core/run/toy-run.ts';

const state = toyEvents(10).reduce(fold, emptyRun);
let bundle: Bundle;

beforeAll(async () => {
  const entry = fileURLToPath(new URL('../../../webviews/report.ts', import.meta.url));
  const {outputFiles} = await build({
    entryPoints: [entry],
    outdir: 'out',
    bundle: true,
    format: 'iife',
    minify: true,
    write: false,
  });
  const text = (ending: string) => outputFiles.find(file => file.path.endsWith(ending))?.text ?? '';
  bundle = {script: text('.js'), style: text('.css')};
});

const dataOf = (page: string): string =>
  /<script type="application\/json" id="run">(.*?)<\/script>/s.exec(page)?.[1] ?? '';

describe('the report page', () => {
  it('needs nothing from elsewhere', () => {
    const page = reportPage(state, bundle);
    expect(page).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=/i);
    expect(page).not.toMatch(/@import|url\(\s*["']?https?:/i);
    expect(bundle.script.length).toBeGreaterThan(50_000);
  });

  it('carries the folded run: the same peaks come out of it', () => {
    const inside: RunState = JSON.parse(dataOf(reportPage(state, bundle)));
    expect(inside.trials).toHaveLength(160);
    const peaks = (run: RunState) =>
      compare(run).map(({curves}) => curves.map(({peak}) => [peak?.method, peak?.learningRate, peak?.mean.toFixed(5)]));
    expect(peaks(inside)).toEqual(peaks(state));
  });

  it('lets only its own script and style work: the policy names their hashes', () => {
    const page = reportPage(state, bundle);
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1];
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const script = /<script>(.*?)<\/script>/s.exec(page)?.[1] ?? '';
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src ${hash(script)}`);
    expect(policy).toContain(`style-src ${hash(style)}`);
  });

  it('is not broken by names that look like markup', () => {
    const name = '</script><script>alert(1)</script><!--';
    const page = reportPage({...state, name}, bundle);
    expect(page.split('<script').length).toBe(reportPage(state, bundle).split('<script').length);
    expect(JSON.parse(dataOf(page)).name).toBe(name);
    expect(page).toContain('<title>&#60;/script&#62;');
  });

  it('stays small however long the trials are', () => {
    const long = toyEvents(1).reduce(fold, emptyRun);
    const inside: RunState = JSON.parse(dataOf(reportPage(long, bundle)));
    expect(Math.max(...inside.trials.map(view => view.losses.steps.length))).toBeLessThanOrEqual(150);
  });
});

describe('the summary', () => {
  it('has a row a method in the order of the sweep, with best rate, mean, deviation and seeds', () => {
    const rows = markdownSummary(state)
      .split('\n')
      .filter(line => line.startsWith('| '))
      .slice(0, 7);
    expect(rows.map(row => row.split(' | ')[0])).toEqual([
      '| method',
      '| :--',
      ...['lora', 'pissa', 'milora', 'init-ab', 'dora'].map(method => `| ${method}`),
    ]);
    expect(rows[2]).toBe(
      '| lora | 6.3e-3 (2e-3 … 1.1e-2 not told apart) | 99.4 % ± 0.3 | 2 | – | – | 2e-3 … 3.56e-2 (6) |  |',
    );
    expect(rows[3]).toMatch(/\| −0.2 ± \d+\.\d points \| not resolved, needs about \d+ more seeds \|/);
  });

  it('names what diverged and why', () => {
    const [first, ...others] = state.trials;
    const trials = [{...first!, state: 'diverged' as const, message: 'loss is not finite'}, ...others];
    expect(markdownSummary({...state, notes: ['3 of 9 rows were cut.']})).toContain(
      '## Notes\n\n- 3 of 9 rows were cut.',
    );
    expect(markdownSummary({...state, trials})).toContain('lora-r8-b16-lr2.00e-5-s1): diverged after 300 steps');
    expect(textSummary({...state, trials})[0]).toContain('159 of 160 trials finished, 1 diverged');
  });

  it('of a run without results says how far it is', () => {
    const start = fold(emptyRun, toyEvents(100)[0]!);
    expect(textSummary(start)).toEqual(['0 of 160 trials finished, 160 waiting; 0.0 s on the compiled engine.']);
  });
});
