/** A process of its own that times products on one engine, which may crash. Seconds of each are the last line it prints, as JSON. */
import '../../process/no-telemetry.ts';
import {keepDebuggerClosed} from '../../process/signals.ts';
import {openEngine} from '../choose.ts';
import {type ProductShape, timeProduct} from './time-product.ts';

keepDebuggerClosed();

const [name, shapes, milliseconds] = process.argv.slice(2) as ['compiled' | 'tfjs-node', string, string];
const engine = await openEngine(name, {threads: 1});
const seconds: number[] = [];
for (const shape of JSON.parse(shapes) as ProductShape[])
  seconds.push(await timeProduct(engine, shape, Number(milliseconds)));
process.stdout.write(`\n${JSON.stringify({seconds})}\n`);
