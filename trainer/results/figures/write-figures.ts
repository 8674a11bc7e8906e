/** `figures`: every chart of a run as SVG and PNG, its tables as LaTeX and Markdown, and a page that lists them. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import type {Figure} from '../../../core/figure/each.ts';
import {figuresOf} from '../../../core/figure/figures.ts';
import {svgOf} from '../../../core/figure/svg.ts';
import type {PaperTable} from '../../../core/figure/tables.ts';
import {ownFolder} from '../../files/own-folder.ts';
import {readFolders} from '../several.ts';
import {pngRenderer} from './png.ts';

/**
 * Writes what the run has come to so far into `out`, whole or not at all; what an earlier call wrote there is replaced. Several folders are
 * read as one.
 * @param width of the pictures, in points
 * @returns what was written, in a sentence, and remarks on the run's files
 * @throws SweepError `no-run`, `no-results`, `folder-in-use`, and those of writing
 */
export async function writeFigures(
  given: string | readonly string[],
  out: string,
  width: number,
): Promise<{sentence: string; remarks: string[]}> {
  const folders = [given].flat();
  const {state, remarks, live} = await readFolders(folders);
  const {figures, tables} = figuresOf(state, width);
  if (figures.length + tables.length === 0)
    throw new SweepError(
      'no-results',
      `${folders.join(' and ')} ${folders.length > 1 ? 'have' : 'has'} nothing to draw yet: no trial has finished or taken a step.`,
      {folder: folders[0]!},
    );
  const png = await pngRenderer();
  const place = await ownFolder(out, 'figures', async target => {
    for (const {name, title, scene} of figures) {
      const svg = svgOf(scene, title);
      writeFileSync(join(target, `${name}.svg`), svg);
      writeFileSync(join(target, `${name}.png`), png(svg));
    }
    for (const {name, latex, markdown} of tables) {
      writeFileSync(join(target, `${name}.tex`), latex);
      writeFileSync(join(target, `${name}.md`), markdown);
    }
    writeFileSync(join(target, 'index.md'), listOf(state.name, figures, tables));
  });
  const soFar = live ? ', so far: the run is under way' : '';
  const words = `${figures.length} figures as SVG and PNG, ${tables.length} tables as LaTeX and Markdown, and index.md`;
  return {sentence: `Written to ${place}: ${words}${soFar}.`, remarks};
}

function listOf(name: string, figures: readonly Figure[], tables: readonly PaperTable[]): string {
  return [
    `# Figures of ${name}`,
    '',
    ...figures.flatMap(({name: file, title, caption}) => [
      `## ${title}`,
      '',
      `![${title}](${file}.png)`,
      '',
      `${caption} [SVG](${file}.svg)`,
      '',
    ]),
    ...(tables.length > 0
      ? ['## Tables', '', ...tables.map(({name: file}) => `- [${file}.md](${file}.md), [LaTeX](${file}.tex)`), '']
      : []),
  ].join('\n');
}

const points: Readonly<Record<string, number>> = {in: 72, cm: 72 / 2.54, mm: 7.2 / 2.54, pt: 1};

/** `3.3in`, `84mm`, `8.4cm`, `240pt` → points. @throws SweepError `usage` */
export function parseWidth(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?(in|cm|mm|pt)$/.exec(text.trim()) ?? [];
  const width = Number(number) * (points[unit] ?? Number.NaN);
  if (width >= narrowest && width <= widest) return width;
  throw new SweepError(
    'usage',
    `--width ${text} is no width of a figure: give one from 2in to 20in, such as 3.3in, 84mm, 8.4cm or 240pt.`,
  );
}

const narrowest = 144;
const widest = 1440;
