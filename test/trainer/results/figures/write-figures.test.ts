import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {parseWidth, writeFigures} from '../../../../trainer/results/figures/write-figures.ts';
import {importResults} from '../../../../trainer/results/import.ts';
import {writeSmallRun} from '../out/small-run.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'figures-'));
});
afterEach(() => rmSync(home, {recursive: true, force: true}));

const text = (...path: string[]): string => readFileSync(join(home, ...path), 'utf8');

it('every figure is an SVG and a PNG in its true size at 300 dots an inch', async () => {
  writeSmallRun(join(home, 'run'));
  const {sentence} = await writeFigures(join(home, 'run'), join(home, 'out'), 3.3 * 72);
  const names = readdirSync(join(home, 'out'));
  const pictures = names.filter(name => name.endsWith('.svg')).map(name => name.slice(0, -4));
  expect(pictures.length).toBeGreaterThan(3);
  expect(sentence).toContain(`${pictures.length} figures`);
  for (const name of pictures) {
    const [, width, height] =
      /^<svg [^>]*width="([\d.]+)in" height="([\d.]+)in"/.exec(text('out', `${name}.svg`)) ?? [];
    expect(Number(width)).toBe(3.3);
    const png = readFileSync(join(home, 'out', `${name}.png`));
    expect(png.toString('latin1', 1, 4)).toBe('PNG');
    expect(Math.abs(png.readUInt32BE(16) - 990), name).toBeLessThanOrEqual(1);
    expect(Math.abs(png.readUInt32BE(20) - 300 * Number(height)), name).toBeLessThanOrEqual(1);
    expect(text('out', 'index.md')).toContain(`(${name}.svg)`);
  }
});

it("tables have the study's published peaks with deviation and interval, as LaTeX and as Markdown", async () => {
  const file = new URL('../../../fixtures/paper-results.json', import.meta.url);
  importResults(file.pathname, {out: join(home, 'paper')});
  await writeFigures(join(home, 'paper'), join(home, 'out'), 240);
  const name = 'peaks-qwen3-0-6b-base-math-mean-gsm8k-math-rank-128-batch-size-64';
  // 49.60 ± 0.19 over three seeds; t(2) at 95 % is 4.303: 4.303 · 0.1852 / √3 = 0.46.
  expect(text('out', `${name}.tex`)).toMatch(
    /LoRA & \$2 \\cdot 10\^\{-4\}\$ & .* & 49\.60 \$\\pm\$ 0\.19 & 49\.14 \\dots\{\} 50\.06 & 3 & -- & -- \\\\/,
  );
  expect(text('out', `${name}.md`)).toMatch(
    /\| LoRA \| 2e-4 \| .* \| 49\.60 ± 0\.19 \| 49\.14 … 50\.06 \| 3 \| – \| – \|/,
  );
  for (const table of readdirSync(join(home, 'out')).filter(one => one.endsWith('.tex'))) {
    const [, columns = ''] = /\\begin\{tabular\}\{([lr]+)\}/.exec(text('out', table)) ?? [];
    const rows = text('out', table)
      .split('\n')
      .filter(line => line.endsWith('\\\\'));
    for (const row of rows) expect(row.split(/(?<!\\)&/).length).toBe(columns.length);
  }
});

it('several folders are drawn as one experiment', async () => {
  writeSmallRun(join(home, 'run'));
  writeFileSync(
    join(home, 'others.json'),
    JSON.stringify([
      {method: 'LoRA', rank: 8, batch: 16, seed: 1, lr: 1e-3, task: 'gsm8k', metric: 'accuracy', value: 0.5},
    ]),
  );
  importResults(join(home, 'others.json'), {out: join(home, 'others')});
  const {sentence} = await writeFigures([join(home, 'run'), join(home, 'others')], join(home, 'out'), 240);
  expect(sentence).toContain('figures as SVG and PNG');
  const drawn = readdirSync(join(home, 'out')).filter(name => name.startsWith('rates-') && name.endsWith('.svg'));
  expect(drawn.map(name => text('out', name)).join()).toContain('>LoRA (others)<');
  const twice = writeFigures([join(home, 'run'), join(home, 'run')], join(home, 'again'), 240);
  await expect(twice).rejects.toThrow(/stands there twice/);
});

it('a second call replaces what the first one wrote, and leaves a folder of others alone', async () => {
  writeSmallRun(join(home, 'run'));
  await writeFigures(join(home, 'run'), join(home, 'out'), 240);
  await writeFigures(join(home, 'run'), join(home, 'out'), 300);
  expect(text('out', 'index.md')).toContain('# Figures of small');
  writeFileSync(join(home, 'out', 'paper.tex'), '');
  await expect(writeFigures(join(home, 'run'), join(home, 'out'), 240)).rejects.toMatchObject({code: 'folder-in-use'});
  expect(existsSync(join(home, 'out', 'paper.tex'))).toBe(true);
});

it('a width is a number with a unit within bounds', () => {
  expect(parseWidth('3.3in')).toBeCloseTo(237.6);
  expect(parseWidth('84mm')).toBeCloseTo(238.11, 2);
  expect(parseWidth('8.4 cm')).toBeCloseTo(238.11, 2);
  expect(parseWidth('240pt')).toBe(240);
  for (const wrong of ['3.3', 'in', '1in', '30in', '240px', '-3in', 'NaNin'])
    expect(() => parseWidth(wrong), wrong).toThrow(/--width .* is no width/);
});
