/** What `chooseEngine` will take, as far as that shows without trying anything: for a glance at a sweep file. */
import type {RunSettings, TrainingSettings} from '../../core/sweep/sweep.ts';
import {hasBfloat16} from './device/processor.ts';
import type {Precision} from './program/precision.ts';
import {findBinding, isNative, narrowFault} from './tensorflow/binding.ts';

interface Wished extends Pick<RunSettings, 'engine' | 'device'> {
  precision: TrainingSettings['precision'];
  stored: Precision;
}

/** The precision of TensorFlow on the processor; undefined where another engine is expected, or one that has to be measured first. */
export function expectedNative({engine, device, precision, stored}: Wished): Precision | undefined {
  const wished = precision === 'auto' ? stored : precision;
  const fault = narrowFault('tfjs-node');
  if (isNative(engine)) return fault === null ? wished : 'float32';
  if (engine !== 'auto' || device === 'gpu' || wished === 'float32') return undefined;
  const isThere = findBinding('tfjs-node') !== undefined && findBinding('tfjs-node-gpu') === undefined;
  return isThere && hasBfloat16() && fault === null ? 'bfloat16' : undefined;
}
