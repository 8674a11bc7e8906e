/**
 * `npm run bench`: this project beside its peers, in parts; the peers install themselves into the user's cache. Contenders
 * of a group stay up and take turns, so that a busy or throttled moment hits all of them; ratios are taken within a group.
 *
 *   npm run bench                      every part, about 40 minutes on two cores
 *   npm run bench -- training demo     these parts only
 *   --quick                            every ratio from few rounds, one case and the strongest peers: below 5 minutes in all
 *   --only TEXT                        contenders with TEXT in their names, besides this project
 *   --case TEXT                        cases with TEXT in their names (training: 4x256, 6x512 …)
 *   --record                           write what the goals came to on this kind of processor into docs/benchmarks.md, also of a quick run
 *   --write                            write the parts into docs/benchmarks.md (some into pages of their own); other parts, and other cases, stay as they are
 */
import {parseArgs} from 'node:util';
import {type Figure, figuresIn, processorHere, verdictsOn} from './pages/goals.ts';
import {recordFigures, writePart} from './pages/page.ts';
import type {Part} from './pages/part.ts';
import {asText} from './pages/results.ts';
import {parts} from './parts/index.ts';

const {values: options, positionals} = parseArgs({
  options: {
    quick: {type: 'boolean', default: false},
    only: {type: 'string', default: ''},
    case: {type: 'string', default: ''},
    write: {type: 'boolean', default: false},
    record: {type: 'boolean', default: false},
  },
  allowPositionals: true,
});
const {quick, only, case: wantedCase} = options;

const refuse = (sentence: string): never => {
  console.error(sentence);
  process.exit(2);
};
const unknown = positionals.filter(name => !(name in parts));
if (unknown.length > 0) refuse(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}.`);
if (quick && options.write)
  refuse('The figures of --quick are too rough for docs/benchmarks.md: leave out --quick or --write.');

const named = positionals.length > 0;
const all: [name: string, part: Part][] = [];
for (const name of named ? positionals : Object.keys(parts)) all.push([name, await parts[name]!()]);
// A part of which nothing is quick runs where it is named.
const wanted = all.filter(([, {leftOut}]) => named || !quick || leftOut !== undefined);
if (quick) {
  console.log('Left out of a quick run:');
  for (const [name, {leftOut}] of all) console.log(`  ${name}: ${leftOut ?? (named ? 'nothing' : 'all of it')}`);
}

const seconds = new Map<string, number>();
const figures: Record<string, Figure> = {};
const day = new Date().toISOString().slice(0, 10);
for (const [name, part] of wanted) {
  console.log(`\n== ${name}: ${part.summary}`);
  const began = performance.now();
  const sections = await part.measure({
    quick,
    only,
    case: wantedCase,
    say: line => process.stderr.write(`  ${line}\n`),
  });
  for (const {title, introduction, table, sentences} of sections)
    console.log([`\n${title}`, ...(introduction ? [introduction] : []), asText(table), ...sentences].join('\n'));
  const took = (performance.now() - began) / 1000;
  seconds.set(name, took);
  console.log(`(${took.toFixed(0)} s)`);
  Object.assign(figures, figuresIn(name, sections, day, quick));
  if (options.write)
    await writePart(name, sections, {
      ...{order: Object.keys(parts), some: only !== '' || wantedCase !== ''},
      page: part.page,
    });
}
const verdicts = verdictsOn(figures);
if (verdicts.length > 0)
  console.log([`\nGoals on ${processorHere()}:`, ...verdicts.map(line => `  ${line}`)].join('\n'));
if (options.record || options.write) await recordFigures(figures, Object.keys(parts));
const total = [...seconds.values()].reduce((sum, part) => sum + part, 0);
const each = [...seconds].map(([name, part]) => `${name} ${part.toFixed(0)} s`).join(', ');
console.log(`\n${(total / 60).toFixed(1)} minutes: ${each}.`);
process.exit(0);
