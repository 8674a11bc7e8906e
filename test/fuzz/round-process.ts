/** Mutations of one format in a process of its own: `FORMAT FROM TO`; its parent hears of each, and of what came of all. */
import {formats} from './formats.ts';
import {fuzz} from './round.ts';

const [name, from, to] = process.argv.slice(2);
const format = formats.find(one => one.name === name);
if (!format) throw new Error(`There is no format ${name}.`);
const round = await fuzz(format, Number(from), Number(to), seed => void process.send!({seed}));
process.send!({round, megabytes: process.resourceUsage().maxRSS / 1024}, () => process.exit());
