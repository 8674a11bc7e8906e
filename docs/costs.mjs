/** Writes the table of costs in docs/methods.md anew: `npm run docs`. */
import {readFileSync, writeFileSync} from 'node:fs';
import {costSection} from '../core/method/cost-table.ts';

const file = new URL('methods.md', import.meta.url);
const [before] = readFileSync(file, 'utf8').split('\n## Costs\n');
writeFileSync(file, `${before}\n${costSection()}`);
