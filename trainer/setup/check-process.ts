/** A process of its own that checks an addon, which may crash: its distances from plain TFJS, as JSON. */

import {openEngine} from '../engine/choose.ts';
import type {NativeName} from '../engine/tensorflow/binding.ts';
import {openNative} from '../engine/tensorflow/native.ts';
import {keepDebuggerClosed} from '../process/signals.ts';
import {distance, layerOn} from './check.ts';

keepDebuggerClosed();
const [file, name] = process.argv.slice(2) as [string, NativeName];
const expected = await layerOn(await openEngine('cpu', {threads: 1}));
const distanceIn = async (precision: 'float32' | 'bfloat16') =>
  distance(await layerOn(openNative({name, file, precision})), expected);
process.stdout.write(JSON.stringify({float32: await distanceIn('float32'), bfloat16: await distanceIn('bfloat16')}));
