/** A process of its own that checks an addon, which may crash: its distances from plain TFJS, and what they may be, as JSON. */

import {openEngine} from '../engine/choose.ts';
import {hasBfloat16} from '../engine/device/processor.ts';
import type {NativeName} from '../engine/tensorflow/binding.ts';
import {openNative} from '../engine/tensorflow/native.ts';
import {keepDebuggerClosed} from '../process/signals.ts';
import {type Distances, distance, layerOn} from './check.ts';
import {roundProducts} from './rounded.ts';

/** Sums are rounded in another order. */
const [orderInFloat32, orderInBfloat16] = [1e-4, 2];

keepDebuggerClosed();
const [file, name] = process.argv.slice(2) as [string, NativeName];
const onCpu = async () => layerOn(await openEngine('cpu', {threads: 1}));
const expected = await onCpu();
roundProducts('cpu', hasBfloat16() ? 'float32' : 'bfloat16');
const most = {float32: orderInFloat32, bfloat16: orderInBfloat16 * distance(await onCpu(), expected)};
const found = async (precision: 'float32' | 'bfloat16') =>
  distance(await layerOn(openNative({name, file, precision})), expected);
const distances: Distances = {
  float32: {found: await found('float32'), most: most.float32},
  bfloat16: {found: await found('bfloat16'), most: most.bfloat16},
};
process.stdout.write(JSON.stringify(distances));
