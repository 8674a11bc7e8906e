/**
 * `npm run bench`: this project beside its peers, in parts; the peers install themselves into the user's cache. Contenders
 * of a group stay up and take turns, so that a busy or throttled moment hits all of them; ratios are taken within a group.
 *
 *   npm run bench                      every part, about 40 minutes on two cores
 *   npm run bench -- training demo     these parts only
 *   --quick                            fewer rounds, cases and contenders: about 5 minutes in all
 *   --only TEXT                        contenders with TEXT in their names, besides this project
 *   --case TEXT                        cases with TEXT in their names (training: 4x256, 6x512 …)
 *   --write                            write the parts into docs/benchmarks.md; other parts, and other cases, stay as they are
 */
import {parseArgs} from 'node:util';
import {writePart} from './page.ts';
import {parts} from './parts/index.ts';
import {asText} from './results.ts';

const {values: options, positionals} = parseArgs({
  options: {
    quick: {type: 'boolean', default: false},
    only: {type: 'string', default: ''},
    case: {type: 'string', default: ''},
    write: {type: 'boolean', default: false},
  },
  allowPositionals: true,
});
const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
const unknown = wanted.filter(name => !(name in parts));
if (unknown.length > 0)
  throw new Error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}.`);

for (const name of wanted) {
  const part = await parts[name]!();
  console.log(`\n== ${name}: ${part.summary}`);
  const began = performance.now();
  const {quick, only, case: wantedCase} = options;
  const sections = await part.measure({
    quick,
    only,
    case: wantedCase,
    say: line => process.stderr.write(`  ${line}\n`),
  });
  for (const {title, introduction, table, sentences} of sections)
    console.log([`\n${title}`, ...(introduction ? [introduction] : []), asText(table), ...sentences].join('\n'));
  console.log(`(${((performance.now() - began) / 60_000).toFixed(1)} min)`);
  if (options.write)
    await writePart(name, sections, {order: Object.keys(parts), quick, some: only !== '' || wantedCase !== ''});
}
process.exit(0);
