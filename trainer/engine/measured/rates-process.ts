/**
 * A process of its own that times products on the two engines of a CPU; one of them may crash. Seconds of each product on each engine are
 * the last line it prints, as JSON.
 */
import '../../process/no-telemetry.ts';
import {keepDebuggerClosed} from '../../process/signals.ts';
import {openEngine} from '../choose.ts';
import {type ProductShape, timeInTurns} from './time-product.ts';

keepDebuggerClosed();

const [shapes, milliseconds] = process.argv.slice(2) as [string, string];
const engines = [await openEngine('compiled', {threads: 1}), await openEngine('tfjs-node', {threads: 1})];
const seconds: number[][] = [];
for (const shape of JSON.parse(shapes) as ProductShape[])
  seconds.push(await timeInTurns(engines, shape, Number(milliseconds)));
process.stdout.write(`\n${JSON.stringify({seconds})}\n`);
