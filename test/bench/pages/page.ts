/** docs/benchmarks.md: one block a part, between marks of its name, so that a part can be measured again by itself. */
import {readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {python} from '../peers/python.ts';
import {machineAndVersions} from './machine.ts';
import type {Section} from './part.ts';
import {draw} from './picture.ts';
import {asMarkdown} from './results.ts';

const docs = join(import.meta.dirname, '../../../docs');
const file = join(docs, 'benchmarks.md');

const introduction = `# Benchmarks

Written by \`npm run bench -- --write\`, part by part. The contenders of a table ran in one go and took turns; times are medians.
What holds on one machine need not hold on another: ratios follow the matrix products in the first table.`;

const marks = (name: string) => [`<!-- ${name} -->`, `<!-- end of ${name} -->`] as const;

/** Of what was measured. */
export interface Extent {
  /** All parts, in their order. */
  order: string[];
  /** Some cases or contenders of the part only: its other sections stay as they are on the page. */
  some: boolean;
}

/** Puts the part's sections into the page, where they were or in their place of `order`. */
export async function writePart(name: string, sections: Section[], {order, some}: Extent): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '');
  const blocks = new Map(order.flatMap(part => block(before, part).map(text => [part, text] as const)));
  const pictures = sections.flatMap(({picture}) => (picture ? [picture] : []));
  if (pictures.length > 0) await draw(pictures, join(docs, 'pictures'));
  const day = new Date().toISOString().slice(0, 10);
  const how = `Measured on ${day}.`;
  const [from, to] = marks(name);
  const written = new Map(some ? sectionsOf(blocks.get(name) ?? '') : []);
  for (const section of sections) written.set(section.title, markdownOf(section, how));
  blocks.set(name, [from, ...written.values(), to].join('\n\n'));
  const machine = asMarkdown(await machineAndVersions(await python()));
  const text = [introduction, machine, ...order.flatMap(part => blocks.get(part) ?? [])].join('\n\n');
  await writeFile(`${file}.unfinished`, `${text}\n`);
  await rename(`${file}.unfinished`, file);
}

function block(page: string, name: string): string[] {
  const [from, to] = marks(name);
  const [start, end] = [page.indexOf(from), page.indexOf(to)];
  return start < 0 || end < start ? [] : [page.slice(start, end + to.length)];
}

/** The sections of a block by their titles. */
function sectionsOf(block: string): [title: string, text: string][] {
  const [, ...sections] = block.replace(/\s*<!-- end of .*/, '').split(/^(?=## )/m);
  return sections.map(text => [text.slice('## '.length, text.indexOf('\n')), text.trimEnd()]);
}

function markdownOf({title, introduction: words, table, sentences, picture}: Section, how: string): string {
  return [
    `## ${title}`,
    `_${how}_`,
    ...(words ? [words] : []),
    ...(picture ? [`![${picture.title}](pictures/${picture.file})`] : []),
    asMarkdown(table),
    ...sentences,
  ].join('\n\n');
}
