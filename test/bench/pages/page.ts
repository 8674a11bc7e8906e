/** docs/benchmarks.md, and pages of its own for some parts: one block a part, between marks of its name, so that a part can be measured again by itself. */
import {readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {python} from '../peers/python.ts';
import {ageOf, type Figure, type Figures, goalTable, newestRelease, processorHere} from './goals.ts';
import {machineAndVersions} from './machine.ts';
import type {Section} from './part.ts';
import {draw} from './picture.ts';
import {asMarkdown} from './results.ts';

const root = join(import.meta.dirname, '../../..');
const docs = join(root, 'docs');
/** The page of all parts that name none. */
const mainPage = 'benchmarks.md';
const file = join(docs, mainPage);
const figuresFile = join(docs, 'benchmarks.json');

const written = 'Written by `npm run bench -- --write`, part by part.';
const introduction = `# Benchmarks

${written} The contenders of a table ran in one go and took turns; times are medians.
What holds on one machine need not hold on another: ratios follow the matrix products in the first table.`;

const marks = (name: string) => [`<!-- ${name} -->`, `<!-- end of ${name} -->`] as const;

/** Of what was measured. */
export interface Extent {
  /** All parts, in their order. */
  order: string[];
  /** Some cases or contenders of the part only: its other sections stay as they are on the page. */
  some: boolean;
  /** In docs, where it is not the one of all parts. */
  page?: string | undefined;
}

/** Puts the part's sections into the page, where they were or in their place of `order`. */
export async function writePart(
  name: string,
  sections: Section[],
  {order, some, page = mainPage}: Extent,
): Promise<void> {
  const before = await readFile(join(docs, page), 'utf8').catch(() => '');
  const blocks = new Map(order.flatMap(part => block(before, part).map(text => [part, text] as const)));
  const pictures = sections.flatMap(({picture}) => (picture ? [picture] : []));
  if (pictures.length > 0) await draw(pictures, join(docs, 'pictures'));
  const day = new Date().toISOString().slice(0, 10);
  const how = `Measured on ${day}.`;
  const [from, to] = marks(name);
  const sectionTexts = new Map(some ? sectionsOf(blocks.get(name) ?? '') : []);
  for (const section of sections) sectionTexts.set(section.title, markdownOf(section, how));
  blocks.set(name, [from, ...sectionTexts.values(), to].join('\n\n'));
  const machine = asMarkdown(await machineAndVersions(await python()));
  const all = order.flatMap(part => blocks.get(part) ?? []);
  if (page === mainPage) await writePage(machine, all);
  else await writeOwnPage(page, machine, all);
}

/** A page without goals. */
async function writeOwnPage(page: string, machine: string, blocks: string[]): Promise<void> {
  const title = page.replace(/\.md$/, '').replaceAll('-', ': ');
  const head = `# ${title[0]!.toUpperCase()}${title.slice(1)}\n\n${written}`;
  const path = join(docs, page);
  await writeFile(`${path}.unfinished`, `${[head, ...blocks, machineTitle, machine].join('\n\n')}\n`);
  await rename(`${path}.unfinished`, path);
}

/** The figures of this machine's goals beside those of others, as they were and with these in place of them. */
export async function recordFigures(found: Record<string, Figure>, order: string[]): Promise<void> {
  const figures = await knownFigures();
  const here = processorHere();
  const before = figures[here] ?? {};
  // A rough figure takes the place of none that is exact and no older than the release.
  const release = await releaseNow();
  const isWorse = (name: string, {isRough}: Figure) =>
    isRough && before[name] !== undefined && !before[name].isRough && ageOf(before[name].day, release) === '';
  const news = Object.entries(found).filter(([name, figure]) => !isWorse(name, figure));
  // A processor without a figure gets no column.
  if (news.length > 0) figures[here] = {...before, ...Object.fromEntries(news)};
  await writeFile(figuresFile, `${JSON.stringify(figures, null, 2)}\n`);
  const page = await readFile(file, 'utf8');
  const [machine = ''] = /^\| what \| value \|\n(\|.*\n)*/m.exec(page) ?? [];
  await writePage(
    machine.trimEnd(),
    order.flatMap(part => block(page, part)),
  );
}

async function writePage(machine: string, blocks: string[]): Promise<void> {
  const release = await releaseNow();
  const table = goalTable(await knownFigures(), release);
  const goals = table[0]!.length > 2 ? [`${goalsTitle}\n\n${asMarkdown(table)}`] : [];
  const text = [introduction, ...goals, machineTitle, machine, ...blocks].join('\n\n');
  const aged = text.replace(measuredLine, (_, day: string) => `_Measured on ${day}${ageOf(day, release)}._`);
  await writeFile(`${file}.unfinished`, `${aged}\n`);
  await rename(`${file}.unfinished`, file);
}

const goalsTitle = `## Goals, a column a processor

What \`npm run bench -- --record\` found on each kind of processor. "About": of a quick run.`;
const machineTitle = '## What the parts below were last measured on';
const measuredLine = /_Measured on (\d{4}-\d{2}-\d{2})[^_]*_/g;

async function knownFigures(): Promise<Figures> {
  return JSON.parse(await readFile(figuresFile, 'utf8').catch(() => '{}')) as Figures;
}

const releaseNow = async () => newestRelease(await readFile(join(root, 'CHANGELOG.md'), 'utf8'));

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
